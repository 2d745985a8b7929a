"""Users and service tokens: made, moved, kept out, and what stays of a secret."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.accounts import selectors, services, tokens
from apps.accounts.models import ServiceToken, User
from apps.accounts.services import NewUser
from apps.audit.models import AuditEntry
from apps.core.actor import Actor, ActorKind, system
from apps.core.errors import Conflict, Forbidden, Invalid, NotFound

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NOBODY = Actor(ActorKind.PERSON, "nobody")


def create(email="anna@example.com", password="Correct-horse-9", by=None, **profile):
    return services.create_user(
        profile=NewUser(email=email, **profile), password=password, by=by or system(), at=AT
    )


def actions():
    return list(AuditEntry.objects.order_by("at").values_list("action", flat=True))


def test_a_user_is_made_with_a_hashed_password_in_the_group_of_the_role():
    user = create(" Anna@Example.COM ", role="operator", full_name="Anna Berg")
    assert (user.email, user.role, user.is_staff) == ("anna@example.com", "operator", False)
    assert user.password.startswith("argon2$argon2id$")
    assert user.check_password("Correct-horse-9")
    assert [g.name for g in user.groups.all()] == ["operator"]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.resource_id) == ("user_create", str(user.id))
    assert entry.after == {"email": "anna@example.com", "role": "operator"}


@pytest.mark.parametrize(
    "password", ["short1!", "password", "12345678901", "anna@example.com", "annaberg1"]
)
def test_a_weak_password_is_refused(password):
    with pytest.raises(Invalid) as refusal:
        create(password=password, full_name="Anna Berg", email="annaberg@example.com")
    assert refusal.value.fields == {"field": "password"}
    assert not User.objects.exists()


@pytest.mark.parametrize("password", ["securePassword123", "SecurePass123!"])
def test_the_printed_passwords_are_valid(password):
    assert create("user@example.com", password).check_password(password)


@pytest.mark.parametrize(
    "email", ["", "x", "a@b@c", "a\n@example.com", "x" * 300 + "@e.com"]
)
def test_an_address_that_is_none_is_refused(email):
    with pytest.raises(Invalid):
        create(email)


def test_a_known_address_is_a_conflict_however_it_is_written():
    create()
    with pytest.raises(Conflict):
        create("ANNA@example.com")
    assert User.objects.count() == 1


def test_an_unknown_role_is_refused():
    with pytest.raises(Invalid) as refusal:
        create(role="king")
    assert refusal.value.fields["allowed_values"] == [
        "user", "operator", "engineer", "crew", "ops_manager", "admin",
    ]  # fmt: skip


def test_the_database_refuses_an_upper_case_address_and_an_unknown_role():
    for values in ({"email": "A@example.com"}, {"email": "a@example.com", "role": "king"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.create(**values)


def test_a_new_role_moves_the_group_and_ends_the_tokens():
    user = create(role="operator")
    services.set_role(user_id=user.id, role="admin", by=system(), at=AT)
    user = User.objects.get()
    assert (user.role, user.is_staff, user.is_superuser) == ("admin", True, True)
    assert user.token_version == 2
    assert [g.name for g in user.groups.all()] == ["admin"]
    entry = AuditEntry.objects.get(action="role_change")
    assert (entry.before, entry.after) == ({"role": "operator"}, {"role": "admin"})
    services.set_role(user_id=user.id, role="user", by=system(), at=AT)
    user = User.objects.get()
    assert (user.is_staff, user.is_superuser, user.token_version) == (False, False, 3)


def test_the_same_role_again_changes_nothing():
    user = create(role="crew")
    services.set_role(user_id=user.id, role="crew", by=system(), at=AT)
    assert User.objects.get().token_version == 1
    assert actions() == ["user_create"]


def test_keeping_somebody_out_ends_their_tokens_once():
    user = create()
    for _ in range(2):
        services.set_active(user_id=user.id, active=False, by=system(), at=AT)
    user = User.objects.get()
    assert (user.is_active, user.token_version) == (False, 2)
    services.set_active(user_id=user.id, active=True, by=system(), at=AT)
    assert sorted(actions()) == ["user_activate", "user_create", "user_deactivate"]


def test_nobody_is_not_found():
    with pytest.raises(NotFound):
        services.set_role(user_id=uuid4(), role="crew", by=system(), at=AT)


@pytest.mark.django_db(transaction=True)
def test_only_who_manages_users_may():
    user = create()
    row, _ = services.issue_service_token(
        name="n", scopes=["events:read"], by=system(), at=AT
    )
    attempts = [
        lambda: create("b@example.com", by=NOBODY),
        lambda: services.set_role(user_id=user.id, role="admin", by=NOBODY, at=AT),
        lambda: services.set_active(user_id=user.id, active=False, by=NOBODY, at=AT),
        lambda: services.issue_service_token(
            name="x", scopes=["events:read"], by=NOBODY, at=AT
        ),
        lambda: services.revoke_service_token(token_id=row.pk, by=NOBODY, at=AT),
        lambda: services.rotate_service_token(token_id=row.pk, by=NOBODY, at=AT),
    ]
    for attempt in attempts:
        with pytest.raises(Forbidden):
            attempt()
    assert User.objects.get().role == "user"
    assert ServiceToken.objects.get().revoked_at is None
    assert actions().count("access_denied") == len(attempts)


def test_of_a_service_token_only_a_digest_is_kept():
    row, secret = services.issue_service_token(
        name=" intake ", scopes=["events:write", "events:write"], by=system(), at=AT
    )
    assert secret.startswith("oms_")
    assert len(secret) >= 47
    assert (row.name, row.scopes, row.prefix) == ("intake", ["events:write"], secret[:8])
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM accounts_servicetoken t")
        assert secret not in cursor.fetchone()[0]
        cursor.execute("SELECT e::text FROM audit_auditentry e")
        assert secret not in cursor.fetchone()[0]
    assert row.hashed == tokens.digest(secret)


@pytest.mark.parametrize(
    "values",
    [
        {"scopes": []},
        {"scopes": ["everything"]},
        {"name": "  "},
        {"name": "x" * 121},
        {"expires_at": AT},
    ],
)
def test_an_impossible_service_token_is_refused(values):
    wanted = {"name": "n", "scopes": ["events:read"], **values}
    with pytest.raises(Invalid):
        services.issue_service_token(**wanted, by=system(), at=AT)
    assert not ServiceToken.objects.exists()


def test_the_database_refuses_unknown_scopes():
    with pytest.raises(IntegrityError), transaction.atomic():
        ServiceToken.objects.create(
            name="n", hashed="h", prefix="p", scopes=["all"], created_at=AT
        )


def test_a_token_is_revoked_once():
    row, secret = services.issue_service_token(
        name="n", scopes=["events:read"], by=system(), at=AT
    )
    for minutes in (1, 2):
        services.revoke_service_token(
            token_id=row.pk, by=system(), at=AT + timedelta(minutes=minutes)
        )
    selectors.forget_bearers()
    assert ServiceToken.objects.get().revoked_at == AT + timedelta(minutes=1)
    assert actions().count("service_token_revoke") == 1
    assert selectors.actor_of_bearer(secret, at=AT) is None
    with pytest.raises(NotFound):
        services.revoke_service_token(token_id=0, by=system(), at=AT)


@pytest.mark.parametrize(
    ("days", "old_hours", "new_days"), [(None, 24, None), (10, 24, 10), (1, 1, 1)]
)
def test_a_rotated_token_overlaps_with_its_follower(days, old_hours, new_days):
    ends = AT + timedelta(days=days) if days else None
    old, secret = services.issue_service_token(
        name="n", scopes=["events:read"], expires_at=ends, by=system(), at=AT
    )
    at = AT + timedelta(hours=23)
    row, following = services.rotate_service_token(token_id=old.pk, by=system(), at=at)
    selectors.forget_bearers()
    assert (row.name, row.scopes) == ("n", ["events:read"])
    assert row.expires_at == (at + timedelta(days=new_days) if new_days else None)
    old.refresh_from_db()
    assert old.expires_at == at + timedelta(hours=old_hours)
    held = [selectors.actor_of_bearer(one, at=at) for one in (secret, following)]
    assert held[0].scopes == held[1].scopes == {"events:read"}
    end = old.expires_at
    assert selectors.actor_of_bearer(secret, at=end) is None
    assert actions().count("service_token_rotate") == 1
    with pytest.raises(Conflict):
        services.rotate_service_token(token_id=old.pk, by=system(), at=end)


def test_a_revoked_token_is_not_rotated():
    row, _ = services.issue_service_token(
        name="n", scopes=["events:read"], by=system(), at=AT
    )
    services.revoke_service_token(token_id=row.pk, by=system(), at=AT)
    with pytest.raises(Conflict):
        services.rotate_service_token(token_id=row.pk, by=system(), at=AT)
    assert ServiceToken.objects.count() == 1


def test_the_command_makes_an_admin(monkeypatch):
    monkeypatch.setenv("OMS_ADMIN_PASSWORD", "Correct-horse-9")
    out = StringIO()
    call_command("create_admin", "Root@example.com", name="Root", stdout=out)
    user = User.objects.get()
    assert (user.role, user.is_superuser, user.email_verified) == ("admin", True, True)
    assert out.getvalue() == "root@example.com is an admin.\n"
    with pytest.raises(CommandError, match="exists"):
        call_command("create_admin", "root@example.com")


def test_the_command_reads_the_password_from_stdin(monkeypatch):
    monkeypatch.setattr("sys.stdin", StringIO("Correct-horse-9\n"))
    call_command("create_admin", "root@example.com", "--password-stdin", stdout=StringIO())
    assert User.objects.get().check_password("Correct-horse-9")


def test_the_command_prints_a_service_token_that_works():
    out = StringIO()
    call_command(
        "create_service_token",
        "intake",
        scopes=["events:write", "act_for_users"],
        days=1,
        stdout=out,
    )
    now = datetime.now(UTC)
    found = selectors.actor_of_bearer(out.getvalue().strip(), at=now)
    assert (found.kind, found.label) == (ActorKind.SERVICE, "intake")
    assert found.scopes == {"events:write", "act_for_users"}
    assert (
        selectors.actor_of_bearer(out.getvalue().strip(), at=now + timedelta(days=2))
        is None
    )
    with pytest.raises(CommandError, match="expired"):
        call_command("create_service_token", "x", scopes=["events:read"], days=0)


def test_the_command_rotates_a_token():
    now = timezone.now()
    row, old = services.issue_service_token(
        name="intake", scopes=["events:write"], by=system(), at=now
    )
    out = StringIO()
    call_command("rotate_service_token", str(row.pk), "--hours", "1", stdout=out)
    follower = ServiceToken.objects.exclude(pk=row.pk).get()
    assert follower.hashed == tokens.digest(out.getvalue().strip())
    assert (follower.name, follower.scopes) == (row.name, row.scopes)
    row.refresh_from_db()
    assert timedelta(0) < row.expires_at - now <= timedelta(hours=1, minutes=1)
    selectors.forget_bearers()
    assert selectors.actor_of_bearer(old, at=timezone.now()) is not None
    with pytest.raises(CommandError, match="no service token"):
        call_command("rotate_service_token", "999999")
