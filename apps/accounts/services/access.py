"""Permission at every write, permissions on single objects, the roles as groups."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import models, transaction
from guardian.shortcuts import assign_perm, remove_perm

from apps.accounts.models import Session, User
from apps.accounts.rules import FOUR_EYES, ROLE_PERMISSIONS, Role, TwoPeople
from apps.accounts.selectors import forget_bearers
from apps.audit import services as audit
from apps.configuration.selectors import value
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Conflict, NotFound

MANAGE = "accounts.manage_users"


def require(by: Actor, permission: str, /) -> None:
    """Pass where the actor holds the permission; else record the denial and refuse."""
    if not by.may(permission):
        raise audit.refuse(by=by, permission=permission)


class NeedsTwo(Conflict):
    """A second person has to agree to this act."""

    code = "APPROVAL_REQUIRED"


def needs_two(kind: TwoPeople, by: Actor) -> bool:
    """Return whether a person may not do this alone; who sits at the machine itself may.

    `FOUR_EYES` in the environment asks for two where nobody inside can switch it off.
    """
    wanted = kind in settings.FOUR_EYES or value(FOUR_EYES[kind])
    return wanted and by.kind is not ActorKind.SYSTEM


def check_alone(kind: TwoPeople, by: Actor) -> None:
    """Pass where one person is enough. Raises NeedsTwo."""
    if needs_two(kind, by):
        raise NeedsTwo("This needs the agreement of a second person.")


@transaction.atomic
def grant_object(
    *, user_id: UUID, permission: str, target: models.Model, by: Actor, at: datetime
) -> None:
    """Give a user a permission on one object. The caller has asked whether `by` may."""
    assign_perm(permission, locked(user_id), target)
    _record_grant("object_grant", (user_id, permission), target, by, at)


@transaction.atomic
def withdraw_object(
    *, user_id: UUID, permission: str, target: models.Model, by: Actor, at: datetime
) -> None:
    """Take a permission on one object back. The caller has asked whether `by` may."""
    remove_perm(permission, locked(user_id), target)
    _record_grant("object_withdraw", (user_id, permission), target, by, at)


@transaction.atomic
def sync_roles() -> list[str]:
    """Mirror the roles in groups; return permissions that no installed app declares."""
    codes = {
        f"{p.content_type.app_label}.{p.codename}": p
        for p in Permission.objects.select_related("content_type")
    }
    for role, permissions in ROLE_PERMISSIONS.items():
        group, _ = Group.objects.get_or_create(name=str(Role(role)))
        group.permissions.set(codes[code] for code in permissions if code in codes)
        for user in User.objects.filter(role=role).exclude(groups=group):
            join_group(user)
    wanted = frozenset[str]().union(*ROLE_PERMISSIONS.values())
    return sorted(wanted - set(codes))


def _record_grant(
    action: str, grant: tuple[UUID, str], target: models.Model, by: Actor, at: datetime
) -> None:
    user_id, permission = grant
    audit.record(
        by=by,
        action=action,
        resource=target._meta.label_lower,
        resource_id=target.pk,
        after={"user_id": user_id, "permission": permission},
        at=at,
    )


def locked(user_id: UUID) -> User:
    """Return the user, held until the transaction ends. Raises NotFound."""
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise NotFound(f"There is no user {user_id}.")
    return user


def end_tokens(user: User, at: datetime) -> None:
    """Save the user; every token and session given so far ends."""
    user.token_version += 1
    user.save()
    Session.objects.filter(user=user, revoked_at=None).update(revoked_at=at)
    transaction.on_commit(forget_bearers)


def join_group(user: User) -> None:
    """Put the user in the group of their role, and in no other role's."""
    others = user.groups.filter(name__in=Role.values).exclude(name=user.role)
    user.groups.remove(*others)
    user.groups.add(Group.objects.get_or_create(name=user.role)[0])
