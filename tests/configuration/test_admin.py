"""Trail, settings, users and tokens in the Django admin: read, or changed by the services."""

import time
from datetime import UTC, datetime

import pytest
from django.contrib.admin.utils import quote
from django.test import Client

from apps.accounts import services as accounts
from apps.accounts.models import ServiceToken, User
from apps.accounts.rules import TOKEN_SECONDS
from apps.accounts.selectors import CONFIRMED
from apps.audit import services as audit
from apps.audit.models import AuditEntry
from apps.configuration import selectors
from apps.configuration.models import Setting, SettingChange
from apps.core.actor import system
from apps.core.models import OutboxRow

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KEY = "accounts.token_seconds"
PLACE = f"/admin/configuration/setting/{quote(KEY)}/change/"


@pytest.fixture
def root():
    return User.objects.create(
        email="root@example.com", role="admin", is_staff=True, is_superuser=True
    )


@pytest.fixture
def admin(root):
    client = Client()
    client.force_login(root, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    session[CONFIRMED] = time.time()
    session.save()
    return client


def test_every_declared_setting_is_listed(admin):
    page = admin.get("/admin/configuration/setting/")
    assert page.status_code == 200
    for view in selectors.settings():
        assert view.definition.key in page.content.decode()


def test_a_setting_is_changed_by_the_service(admin, root):
    admin.get("/admin/configuration/setting/")
    assert admin.get(PLACE).status_code == 200
    response = admin.post(PLACE, {"value": "1200"})
    assert response.status_code == 302
    assert selectors.value(TOKEN_SECONDS) == 1200
    change = SettingChange.objects.get()
    assert (change.before, change.after, change.user_id) == (3600, 1200, root.id)
    entry = AuditEntry.objects.get(action="setting_change")
    assert (entry.user_id, entry.address) == (root.id, "127.0.0.1")
    assert OutboxRow.objects.get().name == "setting.changed"


@pytest.mark.parametrize("value", ["", "x", "59", "86401", "1e9", "NaN", "\0"])
def test_an_impossible_value_is_refused_in_the_form(admin, value):
    admin.get("/admin/configuration/setting/")
    assert admin.post(PLACE, {"value": value}).status_code == 200
    assert Setting.objects.get(key=KEY).value is None
    assert not SettingChange.objects.exists()


@pytest.mark.parametrize(
    "path",
    [
        "configuration/setting/add/",
        "configuration/settingchange/add/",
        "audit/auditentry/add/",
        "accounts/user/add/",
    ],
)
def test_nothing_is_added_by_hand(admin, path):
    assert admin.post(f"/admin/{path}", {}).status_code == 403


def test_an_entry_is_read_and_neither_changed_nor_deleted(admin):
    entry = audit.record(by=system(), action="outage_confirm", resource="outage", at=AT)
    place = f"/admin/audit/auditentry/{entry.pk}"
    assert "outage_confirm" in admin.get("/admin/audit/auditentry/").content.decode()
    assert admin.get(f"{place}/change/").status_code == 200
    assert admin.post(f"{place}/change/", {"action": "x"}).status_code == 403
    assert admin.post(f"{place}/delete/", {"post": "yes"}).status_code == 403
    bulk = {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"}
    admin.post("/admin/audit/auditentry/", bulk)
    assert AuditEntry.objects.get(pk=entry.pk).action == "outage_confirm"


def test_a_role_is_changed_by_the_service(admin):
    user = User.objects.create(email="anna@example.com", role="user")
    place = f"/admin/accounts/user/{user.pk}/change/"
    assert admin.get(place).status_code == 200
    sent = {
        "role": "operator",
        "is_active": "",
        "email": "evil@example.com",
        "is_superuser": "1",
    }
    assert admin.post(place, sent).status_code == 302
    user.refresh_from_db()
    assert (user.role, user.is_active, user.token_version) == ("operator", False, 3)
    assert (user.email, user.is_superuser) == ("anna@example.com", False)
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"role_change", "user_deactivate"} <= actions
    assert admin.post(place.replace("change", "delete"), {"post": "yes"}).status_code == 403


def test_a_service_token_is_revoked_by_the_service(admin):
    row, secret = accounts.issue_service_token(
        name="intake", scopes=["events:write"], by=system(), at=AT
    )
    page = admin.get("/admin/accounts/servicetoken/").content.decode()
    assert "intake" in page
    assert secret not in page
    assert row.hashed not in page
    chosen = {"action": "revoke", "_selected_action": [row.pk]}
    assert admin.post("/admin/accounts/servicetoken/", chosen).status_code == 302
    assert ServiceToken.objects.get().revoked_at is not None
    assert AuditEntry.objects.filter(action="service_token_revoke").count() == 1


def test_a_service_token_is_added_by_the_form_that_shows_its_secret_once(admin):
    place = "/admin/accounts/servicetoken/add/"
    assert place in admin.get("/admin/accounts/servicetoken/").content.decode()
    form = admin.get(place, follow=True)
    assert form.redirect_chain == [("/machines", 302)]
    sent = {"name": "head-end", "scopes": ["events:write"]}
    told = admin.post("/machines/new", sent).content.decode()
    row = ServiceToken.objects.get()
    assert row.prefix.startswith("oms_")
    assert row.prefix in told
    assert "head-end" in admin.get("/admin/accounts/servicetoken/").content.decode()


@pytest.mark.parametrize("role", ["user", "operator", "engineer", "crew", "ops_manager"])
def test_who_is_no_admin_does_not_come_in(role):
    client = Client()
    user = User.objects.create(email="x@example.com", role=role)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/admin/audit/auditentry/").status_code == 302
