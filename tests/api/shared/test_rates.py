"""How often one may call: classes, headers, and what happens when the store is away."""

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.configuration import services as configuration
from apps.core import limits
from apps.core.actor import system
from apps.core.errors import TooMany

pytestmark = pytest.mark.django_db
PASSWORD = "SecurePass123!"
EVENT = {
    "event_type": "outage",
    "source_type": "scada",
    "source_event_id": "rate-1",
    "timestamp": "2026-11-21T11:00:00Z",
    "latitude": 31.9,
    "longitude": 35.9,
}


def told(response):
    return [
        int(response[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")
    ]


def sign_in(client, password=PASSWORD, **values):
    body = {"email": "operator@example.com", "password": password}
    return client.post(
        "/api/v1/auth/login", body, content_type="application/json", **values
    )


@pytest.fixture
def away(monkeypatch):
    store = limits.store_at("redis://127.0.0.1:1")
    monkeypatch.setattr(limits, "_store", lambda: store)
    monkeypatch.setattr(limits, "local", limits.LocalLimits())


def test_a_person_has_a_hundred_calls_a_minute(operator):
    for n in range(100):
        response = operator.get("/api/v1/users/me")
        assert response.status_code == 200
        assert told(response)[:2] == [100, 99 - n]
    refused = operator.get("/api/v1/users/me")
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert told(refused)[:2] == [100, 0]


def test_a_stranger_has_twenty_and_a_spoofed_address_gives_no_more(client):
    for n in range(20):
        client.get("/api/oms/crews", headers={"X-Forwarded-For": f"10.0.0.{n}"})
    assert client.get("/api/oms/crews").status_code == 429
    assert sign_in(client).status_code == 429
    assert sign_in(client, REMOTE_ADDR="10.9.9.9").status_code == 401


def test_a_wrong_token_counts_as_a_stranger(client_of):
    stranger = client_of("x.y.z")
    assert [stranger.get("/api/oms/crews").status_code for _ in range(21)][-2:] == [
        401,
        429,
    ]


@pytest.mark.parametrize("path", ["/api/nothing", "/api/v1/nothing", "/api/schema"])
def test_every_answer_under_api_says_what_is_left(client, path):
    assert told(client.get(path))[0] == 20


def test_a_machine_has_its_own_class_and_intake_is_not_limited(machine):
    caller = machine()
    assert told(caller.get("/api/oms/crews"))[:2] == [6000, 5999]
    for _ in range(3):
        response = caller.post(
            "/api/oms/events/correlate", EVENT, content_type="application/json"
        )
        assert response.status_code in (200, 201)
        assert told(response)[:2] == [6000, 6000]


def test_without_the_store_calls_pass_uncounted(away, operator, machine):
    response = operator.get("/api/v1/users/me")
    assert response.status_code == 200
    assert "X-RateLimit-Limit" not in response
    done = machine().post(
        "/api/oms/events/correlate", EVENT, content_type="application/json"
    )
    assert done.status_code == 201


def test_without_the_store_sign_in_is_guarded_more_strictly(away, person):
    person("operator")
    client = Client()
    found = [sign_in(client, "wrong").status_code for _ in range(7)]
    assert found == [401] * 5 + [429] * 2


def test_strangers_never_lock_out_a_known_device(person, many_calls):
    user = person("operator")
    known = {"REMOTE_ADDR": "10.1.1.1"}
    assert sign_in(Client(), **known).status_code == 200
    for _ in range(12):
        last = sign_in(Client(), "wrong", REMOTE_ADDR="10.6.6.6")
    assert last.status_code == 429
    assert sign_in(Client(), REMOTE_ADDR="10.6.6.7").status_code == 429
    assert sign_in(Client(), **known).status_code == 200
    browser = Client()
    browser.cookies["device"] = accounts.device_of(email=user.email)
    page = browser.post("/sign-in", {"email": user.email, "password": PASSWORD})
    assert page.status_code == 302
    browser = Client()
    browser.cookies["device"] = accounts.device_of(email="other@example.com")
    page = browser.post("/sign-in", {"email": user.email, "password": PASSWORD})
    assert page.status_code == 429


def test_a_stranger_does_not_try_one_account_after_the_other(person, many_calls):
    configuration.change(
        key="accounts.sign_in_attempts", value=3, by=system(), at=timezone.now()
    )
    person("operator")

    def refused(number):
        with pytest.raises((TooMany, accounts.SignInRefused)) as refusal:
            accounts.verify_code(
                user_id=User.objects.create(email=f"u{number}@example.com").id,
                code="x",
                origin=accounts.Origin(address="10.6.6.8"),
                at=timezone.now(),
            )
        return refusal.type is TooMany

    assert [refused(number) for number in range(32)] == [False] * 30 + [True] * 2
    assert sign_in(Client(), REMOTE_ADDR="10.6.6.8").status_code == 429
    assert sign_in(Client(), REMOTE_ADDR="10.6.6.9").status_code == 200
