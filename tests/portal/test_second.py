"""Signing in with two steps, and showing again who acts."""

import base64
import re
import time

import pytest
from django.test import Client
from django.utils import timezone
from django_otp.oath import totp

from apps.accounts.models import RecoveryCode, SecondFactor, ServiceToken, User
from apps.accounts.sealing import unseal
from apps.accounts.selectors import CONFIRMED
from apps.configuration import services as configuration
from apps.core.actor import system

pytestmark = pytest.mark.django_db
PASSWORD = "Correct-horse-9"


@pytest.fixture
def anna(city):
    user = city.person("admin")
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def inside(anna):
    client = Client()
    sent = {"email": anna.email, "password": PASSWORD}
    assert client.post("/sign-in", sent).status_code == 302
    return client


def shown():
    """Return what the device shows for the next step, which no test has used up yet."""
    return (
        f"{totp(base64.b32decode(unseal(SecondFactor.objects.get().sealed)), drift=1):06d}"
    )


def enrol(client):
    assert client.post("/profile/factor/begin").status_code == 302
    assert "<svg" in client.get("/profile").content.decode()
    wrong = client.post("/profile/factor/confirm", {"code": "12"})
    assert wrong.status_code == 400
    assert "not valid" in wrong.content.decode()
    done = client.post("/profile/factor/confirm", {"code": shown()})
    assert done.status_code == 200
    SecondFactor.objects.update(last_step=0)
    return re.findall(r"<li>([a-z0-9]{5}-[a-z0-9]{5})</li>", done.content.decode())


def old(client):
    session = client.session
    session[CONFIRMED] = time.time() - 601
    session.save()


def test_the_second_step_asks_for_the_code(anna, inside):
    codes = enrol(inside)
    assert len(codes) == 10
    client = Client()
    assert client.get("/sign-in/code")["Location"] == "/sign-in"
    sent = {"email": anna.email, "password": PASSWORD, "next": "/crews"}
    assert client.post("/sign-in", sent)["Location"] == "/sign-in/code"
    assert client.get("/crews").status_code == 302
    assert client.post("/sign-in/code", {"code": "000000x"}).status_code == 401
    assert client.post("/sign-in/code", {"code": shown()})["Location"] == "/crews"
    assert client.get("/crews").status_code == 200
    other = Client()
    other.post("/sign-in", sent)
    assert other.post("/sign-in/code", {"code": codes[0]})["Location"] == "/crews"
    assert RecoveryCode.objects.exclude(used_at=None).count() == 1


def test_an_old_first_step_is_forgotten(anna, inside):
    enrol(inside)
    client = Client()
    client.post("/sign-in", {"email": anna.email, "password": PASSWORD})
    session = client.session
    session["second_step"] = {**session["second_step"], "until": time.time() - 1}
    session.save()
    answer = client.post("/sign-in/code", {"code": shown()})
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in")


def test_acts_of_consequence_ask_again_and_go_on(city, inside):
    other = city.person("operator")
    old(inside)
    sent = {"role": "engineer"}
    asked = inside.post(f"/people/{other.id}/role", sent)
    page = asked.content.decode()
    assert 'name="role" value="engineer"' in page
    assert User.objects.get(pk=other.pk).role == "operator"
    again = {**sent, "confirm_to": f"/people/{other.id}/role", "confirm_method": "post"}
    wrong = inside.post("/confirm", {**again, "proof": "wrong"})
    assert wrong.status_code == 401
    assert 'name="role" value="engineer"' in wrong.content.decode()
    right = inside.post("/confirm", {**again, "proof": PASSWORD})
    assert (right.status_code, right["Location"]) == (307, f"/people/{other.id}/role")
    assert inside.post(right["Location"], sent).status_code == 302
    assert User.objects.get(pk=other.pk).role == "engineer"


@pytest.mark.parametrize(
    ("place", "sent"),
    [
        ("/machines/new", {"name": "x", "scopes": ["events:write"]}),
        ("/admin/accounts/user/{id}/change/", {"role": "crew", "is_active": "on"}),
        ("/people/{id}/entry", {"active": "no"}),
        ("/people/{id}/factor", {}),
        ("/profile/factor/begin", {}),
    ],
)
def test_what_asks_again(city, inside, place, sent):
    other = city.person("operator")
    old(inside)
    answer = inside.post(place.format(id=other.id), sent)
    assert answer.status_code == 200
    assert 'name="confirm_method"' in answer.content.decode()
    other.refresh_from_db()
    assert (other.role, other.is_active) == ("operator", True)
    assert not ServiceToken.objects.exists()


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:0"]
)
def test_a_proof_leads_nowhere_else(inside, target):
    sent = {"proof": PASSWORD, "confirm_to": target}
    assert inside.post("/confirm", sent)["Location"] == "/profile"


def test_where_a_factor_is_required_people_set_it_up_first(city, inside):
    configuration.change(
        key="accounts.factor_required", value=True, by=system(), at=timezone.now()
    )
    answer = inside.get("/people")
    assert (answer.status_code, answer["Location"]) == (302, "/profile")
    assert inside.get("/profile").status_code == 200
    enrol(inside)
    assert inside.get("/people").status_code == 200
