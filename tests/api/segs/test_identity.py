"""Register, refresh, log out, the own profile, people and the trail: the printed calls."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from unittest.mock import ANY
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from apps.accounts import services
from apps.accounts.models import Mail, RefreshToken, Session, User
from apps.audit.models import AuditEntry

PASSWORD = "SecurePass123!"
NEW = {
    "email": "User@Example.com",
    "password": PASSWORD,
    "name": "John Doe",
    "phone": "+1234567890",
    "address": {"street": "123 Main St", "city": "Amman", "state": "CA", "zip": "94105"},
}


def send(client, method, path, body=None):
    call = getattr(client, method)
    return call(f"/api/v1/{path}", body or {}, content_type="application/json")


@pytest.fixture
def signed_in(client, person):
    person("operator")
    body = {"email": "operator@example.com", "password": PASSWORD}
    return send(client, "post", "auth/login", body).json()


@pytest.mark.django_db
def test_a_new_user_in_both_shapes_is_a_plain_user(client):
    answer = send(client, "post", "auth/register", NEW)
    body, user = answer.json(), User.objects.get(email="user@example.com")
    assert answer.status_code == 201
    assert body["success"] is True
    assert body["data"] == {
        "userId": str(user.id),
        "email": "user@example.com",
        "name": "John Doe",
        "role": "user",
        "createdAt": ANY,
    }
    assert (body["id"], body["full_name"], body["role"]) == (
        str(user.id),
        "John Doe",
        "user",
    )
    assert send(client, "post", "auth/register", NEW).status_code == 409


@pytest.mark.django_db
def test_a_wished_role_waits_and_nothing_else_can_be_assigned(client, as_role):
    wish = {
        **NEW,
        "full_name": "Eve",
        "role": "engineer",
        "is_staff": True,
        "is_superuser": True,
        "email_verified": True,
        "token_version": 9,
        "region": "north",
        "meter_code": "meter-123",
        "is_active": False,
        "groups": [1],
    }
    assert (
        send(client, "post", "auth/register", wish).json()["requested_role"] == "engineer"
    )
    user = User.objects.get(email="user@example.com")
    assert (user.role, user.requested_role, user.is_active) == ("user", "engineer", True)
    assert (user.is_staff, user.is_superuser, user.email_verified) == (False,) * 3
    assert (user.token_version, user.region, user.meter_code) == (1, "", "")
    path = f"admin/users/{user.id}/role"
    assert send(as_role("operator"), "post", path, {"role": "engineer"}).status_code == 403
    done = send(as_role("admin"), "post", path, {"role": "engineer"})
    assert (done.status_code, done.json()["data"]["role"]) == (200, "engineer")
    user.refresh_from_db()
    assert (user.role, user.requested_role) == ("engineer", "")
    assert AuditEntry.objects.filter(action="role_change", resource_id=user.id).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("weak", ["short1!", "password123", "8675309867", "user@example"])
def test_weak_passwords_are_refused(client, weak):
    answer = send(client, "post", "auth/register", {**NEW, "password": weak})
    assert answer.status_code == 400
    assert not User.objects.filter(email="user@example.com").exists()


@pytest.mark.django_db
def test_an_address_is_proven_by_the_link_of_the_message(client):
    send(client, "post", "auth/register", NEW)
    token = Mail.objects.get().body.split("token=")[1].strip()
    assert services.send_waiting(at=timezone.now()) == 1
    assert mail.outbox[0].to == ["user@example.com"]
    assert Mail.objects.get().body == ""
    for wrong in (token[:-1], token.swapcase(), "x"):
        assert (
            send(client, "post", "auth/verify-email", {"token": wrong}).status_code == 400
        )
    assert send(client, "post", "auth/verify-email", {"token": token}).status_code == 200
    assert User.objects.get(email="user@example.com").email_verified


@pytest.mark.django_db
def test_a_forgotten_password_is_replaced_once(client, signed_in):
    known = send(client, "post", "auth/password-reset", {"email": "operator@example.com"})
    unknown = send(client, "post", "auth/password-reset", {"email": "nobody@example.com"})
    assert known.status_code == unknown.status_code == 202
    assert known.json() == unknown.json()
    body = {"token": Mail.objects.get().body.split("token=")[1].split()[0]}
    path = "auth/password-reset/confirm"
    assert send(client, "post", path, {**body, "newPassword": "123"}).status_code == 400
    new = {**body, "newPassword": "Entirely-new-77"}
    assert send(client, "post", path, new).status_code == 200
    assert send(client, "post", path, new).status_code == 400
    refresh = {"refreshToken": signed_in["refresh_token"]}
    assert send(client, "post", "auth/refresh", refresh).status_code == 401


@pytest.mark.django_db
def test_a_refresh_token_lives_until_its_successor_is_used(client, signed_in, client_of):
    def refresh(token):
        return send(client, "post", "auth/refresh", {"refreshToken": token})

    first = signed_in["refresh_token"]
    second = refresh(first).json()["data"]["refreshToken"]
    again = refresh(first)
    assert again.json()["data"]["refreshToken"] == second != first
    assert again.json()["data"]["expiresIn"] == 3600
    access = again.json()["data"]["accessToken"]
    assert client_of(access).get("/api/v1/users/me").status_code == 200
    third = refresh(second).json()["data"]["refreshToken"]
    assert refresh(first).status_code == 401
    assert refresh(third).status_code == 401
    assert client_of(access).get("/api/v1/users/me").status_code == 401
    assert AuditEntry.objects.filter(action="refresh_reuse").count() == 1
    for wrong in (access, "", "x" * 201, "nothing", signed_in["access_token"]):
        assert refresh(wrong).status_code in (400, 401)


@pytest.mark.django_db(transaction=True)
def test_thirty_refreshes_at_once_yield_one_successor(person):
    user = person("operator")
    found = services.login(email=user.email, password=PASSWORD, at=timezone.now())

    def refresh(_):
        try:
            return services.refresh(refresh_token=found.refresh_token, at=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(30) as pool:
        made = list(pool.map(refresh, range(30)))
    assert len({one.refresh_token for one in made}) == 1
    assert RefreshToken.objects.count() == 2


@pytest.mark.django_db
def test_logging_out_ends_the_session_on_the_next_request(client, signed_in, client_of):
    mine = client_of(signed_in["access_token"])
    body = {"refreshToken": signed_in["refresh_token"]}
    assert send(mine, "post", "auth/logout", body).json() == {
        "success": True,
        "message": "Logged out successfully",
    }
    assert mine.get("/api/v1/users/me").status_code == 401
    assert send(client, "post", "auth/refresh", body).status_code == 401


@pytest.mark.django_db
def test_nobody_ends_the_session_of_another(signed_in, as_role, client_of):
    body = {"refreshToken": signed_in["refresh_token"]}
    assert send(as_role("engineer"), "post", "auth/logout", body).status_code == 200
    assert client_of(signed_in["access_token"]).get("/api/v1/users/me").status_code == 200


@pytest.mark.django_db
def test_the_own_profile_is_read_and_changed(as_role):
    mine = as_role("user")
    change = {
        "name": "John Updated",
        "phone": "+1234567891",
        "address": {"street": "456 New St", "city": "Irbid", "state": "IR", "zip": "1"},
        "role": "admin",
        "email": "other@example.com",
    }
    assert send(mine, "put", "users/me", change).status_code == 200
    data = mine.get("/api/v1/users/me").json()["data"]
    assert data == {
        "userId": ANY,
        "email": "user@example.com",
        "name": "John Updated",
        "phone": "+1234567891",
        "role": "user",
        "meterId": None,
        "region": None,
        "address": change["address"],
        "createdAt": ANY,
        "emailVerified": False,
        "timeZone": "UTC",
    }
    assert send(mine, "put", "users/me", {"timeZone": "Mars/Base"}).status_code == 400


@pytest.mark.django_db
def test_a_changed_password_ends_every_session(client, signed_in, client_of):
    mine = client_of(signed_in["access_token"])
    body = {"currentPassword": "wrong", "newPassword": "NewPass456!"}
    assert send(mine, "put", "users/me/password", body).status_code == 400
    body["currentPassword"] = PASSWORD
    assert send(mine, "put", "users/me/password", body).status_code == 200
    assert mine.get("/api/v1/users/me").status_code == 401
    assert not Session.objects.filter(revoked_at=None).exists()
    body = {"email": "operator@example.com", "password": "NewPass456!"}
    assert send(client, "post", "auth/login", body).status_code == 200


@pytest.mark.django_db
def test_an_admin_finds_people(as_role, person):
    person("engineer", full_name="Sami Engineer")
    person("crew", is_active=False)
    admin = as_role("admin")
    found = admin.get("/api/v1/admin/users?search=sami").json()["data"]
    assert [user["email"] for user in found["users"]] == ["engineer@example.com"]
    assert found["pagination"] == {"total": 1, "limit": 50, "offset": 0}
    found = admin.get("/api/v1/admin/users?status=inactive").json()["data"]
    assert [user["role"] for user in found["users"]] == ["crew"]
    assert admin.get("/api/v1/admin/users?role=nothing").status_code == 400
    assert as_role("ops_manager").get("/api/v1/admin/users").status_code == 403


@pytest.mark.django_db
def test_the_trail_reads_as_printed(as_role, client, signed_in):
    admin = as_role("admin")
    found = admin.get("/api/v1/admin/audit-logs?action=login").json()["data"]
    assert found["pagination"] == {"total": 1, "limit": 100, "offset": 0}
    assert set(found["logs"][0]) == {
        "id",
        "timestamp",
        "userId",
        "userName",
        "action",
        "resource",
        "resourceId",
        "details",
        "ipAddress",
        "userAgent",
    }
    today, before = timezone.now().date(), timezone.now().date() - timedelta(days=1)
    for query, total in (
        (f"end={today}", 1),
        (f"end={before}", 0),
        (f"start={today}&userId={found['logs'][0]['userId']}", 1),
        ("userId=00000000-0000-4000-8000-000000000000", 0),
    ):
        data = admin.get(f"/api/v1/admin/audit-logs?action=login&{query}").json()["data"]
        assert data["pagination"]["total"] == total
    assert admin.get("/api/v1/admin/audit-logs?start=x").status_code == 400
    assert as_role("operator").get("/api/v1/admin/audit-logs").status_code == 403


def test_no_field_of_the_model_is_assigned_by_a_body(as_role, person, client):
    user = person("operator")
    kept = {f.attname for f in User._meta.concrete_fields} - {
        "phone",
        "address",
        "time_zone",
    }
    before = {name: getattr(User.objects.get(pk=user.pk), name) for name in kept}
    values = {
        "is_superuser": True,
        "is_staff": True,
        "role": "admin",
        "is_active": False,
        "id": str(uuid4()),
        "token_version": 99,
        "email_verified": True,
    }
    evil = {name: values.get(name, "evil") for name in before} | {
        "groups": [1],
        "user_permissions": [1],
        "isSuperuser": True,
        "userId": str(uuid4()),
        "__class__": "x",
    }
    as_operator = as_role("operator")
    for method, path in (
        ("put", "/api/v1/users/me"),
        ("put", "/api/v1/users/me/password"),
        ("post", "/api/v1/auth/logout"),
    ):
        getattr(as_operator, method)(path, evil, content_type="application/json")
    after = {name: getattr(User.objects.get(pk=user.pk), name) for name in kept}
    assert after == before
    joined = {**evil, "email": "new@example.com", "password": PASSWORD, "name": "New"}
    joined.pop("role")
    client.post("/api/v1/auth/register", joined, content_type="application/json")
    fresh = User.objects.get(email="new@example.com")
    assert (fresh.role, fresh.is_staff, fresh.is_superuser) == ("user", False, False)
    assert (fresh.is_active, fresh.email_verified, fresh.token_version) == (True, False, 1)
    assert str(fresh.pk) not in (evil["id"], evil["userId"])
    assert not fresh.user_permissions.exists()
