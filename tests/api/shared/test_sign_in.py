"""Sign-in, health, documentation, and who calls."""

import re
from datetime import UTC, datetime
from unittest.mock import ANY

import pytest
from django.db import connection
from django.test import Client

from apps.accounts.models import User
from apps.api import callers
from apps.audit.models import AuditEntry

pytestmark = pytest.mark.django_db

PASSWORD = "SecurePass123!"


def login(client, email="operator@example.com", password=PASSWORD, **values):
    body = {"email": email, "password": password}
    return client.post(
        "/api/v1/auth/login", body, content_type="application/json", **values
    )


def test_one_body_serves_both_documents(client, person):
    user = person("operator", meter_code="meter-123")
    body = login(client).json()
    token, refresh = body["access_token"], body["refresh_token"]
    assert body == {
        "success": True,
        "data": {
            "accessToken": token,
            "refreshToken": refresh,
            "expiresIn": 3600,
            "user": {
                "userId": str(user.id),
                "email": "operator@example.com",
                "name": "Operator",
                "role": "operator",
                "meterId": "meter-123",
            },
        },
        "access_token": token,
        "refresh_token": refresh,
        "token_type": "bearer",
        "expires_in": 3600,
        "user": {
            "id": str(user.id),
            "email": "operator@example.com",
            "role": "operator",
            "stellar_wallet": None,
        },
    }
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token)
    assert len(refresh) >= 43


def test_astra_has_its_own_small_body(client, person):
    person("operator")
    body = {"username": "operator@example.com", "password": PASSWORD}
    response = client.post("/api/v1/auth/token", body, content_type="application/json")
    assert response.status_code == 200
    assert response.json() == {
        "access_token": ANY,
        "token_type": "bearer",
        "expires_in": 3600,
    }


def test_the_token_of_a_sign_in_opens_the_door(client, person, client_of):
    person("operator")
    token = login(client).json()["access_token"]
    assert client_of(token).get("/api/v1/health/database").status_code == 200


def test_whoever_cannot_sign_in_hears_the_same(client, person):
    person("operator")
    person("crew", is_active=False)
    answers = [
        login(client, password="wrong"),
        login(client, "nobody@example.com"),
        login(client, "crew@example.com"),
    ]
    assert [a.status_code for a in answers] == [401] * 3
    for answer in answers:
        answer.json()["error"].pop("timestamp")
    bodies = [
        {**a.json(), "error": {**a.json()["error"], "timestamp": ""}} for a in answers
    ]
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["detail"] == "Invalid email or password."
    assert AuditEntry.objects.filter(action="login_failed").count() == 3


def test_the_trail_knows_where_a_sign_in_came_from(client, person):
    user = person("operator")
    login(client, headers={"User-Agent": "meter-tool/1\r\n2", "X-Request-ID": "abc"})
    entry = AuditEntry.objects.get(action="login")
    assert (entry.user_id, entry.address, entry.request_id) == (user.id, "127.0.0.1", "abc")
    assert entry.agent == "meter-tool/1  2"


def test_a_person_who_is_not_verified_may_sign_in(client, person):
    person("user", email_verified=False)
    assert login(client, "user@example.com").status_code == 200


def test_health_needs_nobody_and_no_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = client.get("/health")
    body = response.json()
    stamp = body.pop("timestamp")
    assert body == {"status": "healthy", "service": "oms", "version": "1.0.0"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(stamp)).total_seconds() < 60


@pytest.mark.parametrize(
    ("role", "status"),
    [("user", 403), ("crew", 403), ("engineer", 403), ("operator", 200), ("admin", 200)],
)
def test_who_sees_the_health_of_the_database(as_role, role, status):
    assert as_role(role).get("/api/v1/health/database").status_code == status


def test_the_health_of_the_database_counts_real_connections(machine):
    body = machine("health:read").get("/api/v1/health/database").json()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend'"
        )
        sessions = cursor.fetchone()[0]
    assert body["status"] == "healthy"
    assert body["database"]["connected"] is True
    assert abs(body["database"]["pool_size"] - sessions) <= 2
    assert 1 <= body["database"]["checked_out"] <= body["database"]["pool_size"]
    assert body["database"]["overflow"] == 0


def test_a_machine_without_the_scope_is_refused(machine):
    assert machine("events:write").get("/api/v1/health/database").status_code == 403


def test_metrics_are_open(client):
    response = client.get("/metrics")
    assert response.status_code == 200
    assert b"django_http_requests_before_middlewares_total" in response.content


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_the_documentation_may_style_itself_and_still_runs_no_foreign_script(client, path):
    response = client.get(path)
    assert response.status_code == 200
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self';" in f"{policy};"
    assert "style-src 'self' 'unsafe-inline'" in policy


def test_other_answers_keep_the_strict_policy(client):
    policy = client.get("/health").headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def document(client):
    return client.get("/api/schema?format=json").json()


def test_the_document_names_the_token_and_the_errors(client):
    found = document(client)
    assert found["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    error = found["components"]["schemas"]["ErrorBody"]
    assert set(error["required"]) == {"success", "detail", "error_code", "error"}
    health = found["paths"]["/api/v1/health/database"]["get"]
    assert {"200", "401", "403", "405", "429", "500", "503"} <= set(health["responses"])
    assert {"bearer": []} in health["security"]


def test_every_operation_documents_its_refusals_in_the_one_body(client):
    ref = {"$ref": "#/components/schemas/ErrorBody"}
    for path, operations in document(client)["paths"].items():
        if not path.startswith("/api/v1/"):
            continue
        for method, operation in operations.items():
            responses = operation["responses"]
            assert {"400", "500", "503"} <= set(responses), path
            assert responses["500"]["content"]["application/json"]["schema"] == ref, path
            if method in ("post", "put", "patch"):
                assert {"409", "413", "415", "422"} <= set(responses), path


def test_every_operation_but_the_open_ones_asks_for_a_token(client):
    opened = {
        (path, method)
        for path, operations in document(client)["paths"].items()
        for method, operation in operations.items()
        if not operation.get("security") or {} in operation["security"]
    }
    assert opened == {
        ("/health", "get"),
        ("/api/v1/auth/login", "post"),
        ("/api/v1/auth/token", "post"),
        ("/api/v1/auth/register", "post"),
        ("/api/v1/auth/refresh", "post"),
        ("/api/v1/auth/verify-email", "post"),
        ("/api/v1/auth/password-reset", "post"),
        ("/api/v1/auth/password-reset/confirm", "post"),
    }


def test_a_page_of_ours_calls_with_its_session_and_csrf_token(person):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(
        person("operator"), backend="django.contrib.auth.backends.ModelBackend"
    )
    assert browser.get("/api/v1/health/database").status_code == 200


@pytest.mark.urls("tests.api.shared.probe")
def test_a_session_without_its_csrf_token_changes_nothing(person):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(
        person("operator"), backend="django.contrib.auth.backends.ModelBackend"
    )
    call = {"data": {"text": "a"}, "content_type": "application/json"}
    refused = browser.post("/api/v1/notes", **call)
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "FORBIDDEN"
    browser.cookies["csrftoken"] = "a" * 32
    accepted = browser.post("/api/v1/notes", **call, headers={"X-CSRFToken": "a" * 32})
    assert accepted.status_code == 201


@pytest.mark.urls("tests.api.shared.probe")
@pytest.mark.parametrize(
    ("scopes", "name"),
    [(["events:write", "act_for_users"], "john"), (["events:write"], "")],
)
def test_only_a_machine_that_may_speaks_for_a_person(machine, scopes, name):
    call = {"data": {"text": "a"}, "content_type": "application/json"}
    assert machine(*scopes).post("/api/v1/notes", **call).status_code == 201
    entry = AuditEntry.objects.get(action="note")
    assert (entry.actor_kind, entry.actor_label) == ("service", "intake")
    assert entry.on_behalf_of == name


@pytest.mark.urls("tests.api.shared.probe")
def test_a_person_speaks_for_nobody_and_no_header_says_who_somebody_is(operator):
    operator.post(
        "/api/v1/notes",
        {"text": "a"},
        content_type="application/json",
        headers={"X-User-Id": "admin", "X-Forwarded-For": "203.0.113.1"},
    )
    entry = AuditEntry.objects.get(action="note")
    assert (entry.actor_label, entry.on_behalf_of) == ("Operator", "")
    assert (entry.user_id, entry.address) == (User.objects.get().id, "127.0.0.1")


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.1", "10.0.0.1"),
        (1, "203.0.113.1", "203.0.113.1"),
        (1, "198.51.100.9, 203.0.113.1", "203.0.113.1"),
        (2, "198.51.100.9, 203.0.113.1", "198.51.100.9"),
        (2, "203.0.113.1", "10.0.0.1"),
        (1, "", "10.0.0.1"),
        (1, "rubbish", "10.0.0.1"),
        (1, "2001:DB8::1", "2001:db8::1"),
    ],
)
def test_the_address_is_that_in_front_of_the_trusted_proxies(
    rf, settings, proxies, forwarded, address
):
    settings.TRUSTED_PROXIES = proxies
    request = rf.get("/", headers={"X-Forwarded-For": forwarded}, REMOTE_ADDR="10.0.0.1")
    assert callers.origin_of(request)["address"] == address


@pytest.mark.usefixtures("empty_trail")
@pytest.mark.django_db(transaction=True)
def test_a_denied_call_is_in_the_trail(as_role):
    assert as_role("engineer").get("/api/v1/health/database").status_code == 403
    entry = AuditEntry.objects.get(action="access_denied")
    assert (entry.actor_label, entry.resource_id) == ("Engineer", "core.view_health")
    assert (entry.address, len(entry.request_id)) == ("127.0.0.1", 36)
