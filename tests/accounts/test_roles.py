"""Roles and scopes: what each may do, and that groups say the same."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from apps.accounts import rules, selectors, services
from apps.accounts.models import User
from apps.accounts.rules import ROLE_PERMISSIONS, SCOPE_PERMISSIONS, Role, Scope
from apps.audit.models import AuditEntry
from apps.core.actor import Actor, ActorKind, system
from apps.core.errors import Forbidden

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def user(role, **values):
    return User.objects.create(email=f"{role}@example.com", role=role, **values)


def actor(role):
    return Actor(ActorKind.PERSON, role, permissions=ROLE_PERMISSIONS[role], role=role)


def test_every_role_and_scope_has_its_line():
    assert set(ROLE_PERMISSIONS) == set(Role)
    assert set(SCOPE_PERMISSIONS) == set(Scope)


@pytest.mark.parametrize(
    ("permission", "roles"),
    [
        ("outages.view_outage", {"operator", "engineer", "ops_manager", "admin"}),
        ("outages.operate_outage", {"operator", "engineer", "ops_manager", "admin"}),
        ("outages.storm_mode", {"ops_manager", "admin"}),
        ("crews.assign_crew", {"operator", "ops_manager", "admin"}),
        ("crews.work_assignment", {"crew", "admin"}),
        ("notifications.send_notice", {"operator", "ops_manager", "admin"}),
        ("network.switch_device", {"operator", "ops_manager", "admin"}),
        ("core.view_health", {"operator", "ops_manager", "admin"}),
        ("network.import_network", {"admin"}),
        ("accounts.manage_users", {"admin"}),
        ("audit.view_auditentry", {"admin"}),
        ("configuration.change_setting", {"admin"}),
    ],
)
def test_who_holds_a_permission(permission, roles):
    assert {role for role in Role.values if actor(role).may(permission)} == roles


def test_a_user_holds_none_and_an_admin_all():
    assert ROLE_PERMISSIONS[Role.USER] == frozenset()
    everything = frozenset().union(*ROLE_PERMISSIONS.values(), *SCOPE_PERMISSIONS.values())
    assert everything == ROLE_PERMISSIONS[Role.ADMIN] == rules.ALL_PERMISSIONS


def test_scopes_add_up_and_an_unknown_one_gives_nothing():
    found = rules.permissions_of_scopes(["events:write", "health:read", "rubbish"])
    assert found == {"outages.report_event", "core.view_health"}
    assert rules.permissions_of_scopes([]) == frozenset()


@pytest.mark.django_db
def test_every_permission_is_declared_by_an_app():
    declared = set(Permission.objects.values_list("content_type__app_label", "codename"))
    assert {tuple(code.split(".")) for code in rules.ALL_PERMISSIONS} <= declared
    assert services.sync_roles() == []


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role.values)
def test_groups_and_actors_agree(role):
    services.sync_roles()
    found = user(role)
    services.sync_roles()
    found = User.objects.get(pk=found.pk)
    assert [group.name for group in found.groups.all()] == [role]
    assert found.get_all_permissions() == selectors.actor_of_user(found).permissions


@pytest.mark.django_db
def test_syncing_takes_back_what_a_role_lost_and_says_what_is_missing(monkeypatch):
    group, _ = Group.objects.get_or_create(name="user")
    group.permissions.add(Permission.objects.get(codename="manage_users"))
    services.sync_roles()
    assert not group.permissions.exists()
    monkeypatch.setitem(ROLE_PERMISSIONS, Role.USER, frozenset({"nowhere.do_nothing"}))
    err = StringIO()
    call_command("sync_roles", stderr=err)
    assert err.getvalue() == "Not declared by any app: nowhere.do_nothing\n"


@pytest.mark.django_db
def test_a_superuser_may_all_and_an_inactive_one_nothing():
    root = User.objects.create_superuser("root@example.com", "pw-For-tests-1")
    found = selectors.actor_of_user(root, address="192.0.2.1", agent="a", request_id="r")
    assert (found.permissions, found.role) == (rules.ALL_PERMISSIONS, "admin")
    assert (found.address, found.agent, found.request_id) == ("192.0.2.1", "a", "r")
    root.is_active = False
    assert selectors.actor_of_user(root).permissions == frozenset()


@pytest.mark.usefixtures("empty_trail")
@pytest.mark.django_db(transaction=True)
def test_require_passes_or_records_and_refuses():
    services.require(system(), "outages.operate_outage")
    services.require(actor("operator"), "outages.operate_outage")
    assert not AuditEntry.objects.exists()
    with pytest.raises(Forbidden):
        services.require(actor("user"), "outages.operate_outage")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_label) == ("access_denied", "user")
    assert (entry.resource, entry.resource_id) == ("permission", "outages.operate_outage")


@pytest.mark.django_db
def test_an_object_is_granted_to_one_person_and_withdrawn():
    one, two = user("crew"), user("engineer")
    target = Group.objects.create(name="thing")
    grant = {"permission": "auth.view_group", "target": target, "by": system(), "at": AT}
    may = lambda who: selectors.may_object(  # noqa: E731
        selectors.actor_of_user(who), "auth.view_group", target
    )
    assert (may(one), may(two)) == (False, False)
    services.grant_object(user_id=one.id, **grant)
    assert (may(one), may(two)) == (True, False)
    assert AuditEntry.objects.get(action="object_grant").resource_id == str(target.pk)
    services.withdraw_object(user_id=one.id, **grant)
    assert may(one) is False
    assert AuditEntry.objects.filter(action="object_withdraw").exists()


@pytest.mark.django_db
def test_objects_are_those_granted_and_nothing_wider():
    first, _second = (Group.objects.create(name=name) for name in ("one", "two"))
    holder, root = (
        user("crew"),
        User.objects.create_superuser("r@example.com", "pw-For-1-x"),
    )
    wide = user("engineer")
    wide.user_permissions.add(Permission.objects.get(codename="view_group"))
    services.grant_object(
        user_id=holder.id, permission="auth.view_group", target=first, by=system(), at=AT
    )
    seen = lambda who: list(  # noqa: E731
        selectors.objects_of(
            selectors.actor_of_user(who), "auth.view_group", Group.objects.all()
        )
    )
    assert seen(holder) == [first]
    assert seen(root) == []
    assert seen(wide) == []
    assert (
        list(selectors.objects_of(system(), "auth.view_group", Group.objects.all())) == []
    )
