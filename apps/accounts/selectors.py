"""Read who somebody is and what they may do."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet
from guardian.shortcuts import get_objects_for_user

from apps.accounts import tokens
from apps.accounts.gateways import FiledMail, read_filed
from apps.accounts.models import (
    ListChoice,
    SavedView,
    SecondFactor,
    ServiceToken,
    Session,
    User,
)
from apps.accounts.rules import (
    ALL_PERMISSIONS,
    FACTOR_REQUIRED,
    ROLE_PERMISSIONS,
    Role,
    factor_uri,
    permissions_of_scopes,
)
from apps.accounts.sealing import unseal
from apps.configuration.selectors import value
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Forbidden

FRESH_SECONDS = 1.0
REMEMBERED = 10_000
TOUCH = timedelta(minutes=1)
MAILS_SHOWN = 50
CONFIRMED = "confirmed_at"
NOBODY = UUID(int=0)


def permissions_of(user: User) -> frozenset[str]:
    """Return the permissions of the user's role.

    None for an inactive user, and for who has to have a second factor and has none.
    """
    if not user.is_active:
        return frozenset()
    if value(FACTOR_REQUIRED) and user.role != Role.USER and not has_factor(user):
        return frozenset()
    if user.is_superuser:
        return ALL_PERMISSIONS
    return ROLE_PERMISSIONS.get(user.role, frozenset())


def actor_of_user(
    user: User,
    *,
    address: str = "",
    agent: str = "",
    request_id: str = "",
    confirmed_at: datetime | None = None,
    must_confirm: bool = False,
) -> Actor:
    """Return the person as an actor."""
    return Actor(
        kind=ActorKind.PERSON,
        label=user.get_full_name(),
        user_id=user.id,
        permissions=permissions_of(user),
        role=Role.ADMIN if user.is_superuser else user.role,
        address=address,
        agent=agent,
        request_id=request_id,
        confirmed_at=confirmed_at,
        must_confirm=must_confirm,
    )


def confirmed_in(session: Mapping[str, Any]) -> datetime | None:
    """Return when a page's session last proved whose it is."""
    found = session.get(CONFIRMED)
    return datetime.fromtimestamp(found, tz=UTC) if found is not None else None


@dataclass(frozen=True, slots=True)
class FactorView:
    """One's own second factor: whether it is in use, what a device is told until then."""

    is_on: bool
    since: datetime | None
    key: str = ""
    uri: str = ""
    codes_left: int = 0


def factor_of(viewer: Actor) -> FactorView | None:
    """Return one's own second factor; None where there is none."""
    row = (
        SecondFactor.objects.select_related("user")
        .filter(user_id=viewer.user_id or NOBODY)
        .first()
    )
    if row is None:
        return None
    if row.confirmed_at is not None:
        left = row.codes.filter(used_at=None).count()
        return FactorView(is_on=True, since=row.confirmed_at, codes_left=left)
    key = unseal(row.sealed)
    return FactorView(is_on=False, since=None, key=key, uri=factor_uri(row.user.email, key))


def has_factor(user: User) -> bool:
    """Return whether the person has a second factor that was confirmed."""
    return SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).exists()


def actor_of_bearer(
    token: str, *, at: datetime, address: str = "", agent: str = "", request_id: str = ""
) -> Actor | None:
    """Return who holds the access or service token; None where it is not valid now.

    A person's token is looked up each time, so that whatever ends it acts on the next call.
    What the database says of a service token is at most a second old.
    """
    if token.startswith(tokens.SERVICE_PREFIX):
        actor = _bearers.actor(token, at)
    else:
        actor = _person(token, at)
    if actor is None:
        return None
    return replace(actor, address=address, agent=agent, request_id=request_id)


def forget_bearers() -> None:
    """Ask the database at the next use of any token."""
    _bearers.known.clear()


def users() -> QuerySet[User]:
    """Return all users."""
    return User.objects.all()


def people(
    *, viewer: Actor, role: str = "", status: str = "", search: str = ""
) -> QuerySet[User]:
    """Return users as an admin asks for them, by address. Raises Forbidden.

    `status` is `active`, `inactive`, or `waiting` for those who wish for another role.
    """
    if not viewer.may("accounts.manage_users"):
        raise Forbidden("You do not have permission to do this.")
    found = User.objects.select_related("factor").order_by("email")
    if role:
        found = found.filter(role=role)
    if status == "waiting":
        found = found.exclude(requested_role="")
    elif status:
        found = found.filter(is_active=status == "active")
    if search:
        found = found.filter(Q(email__icontains=search) | Q(full_name__icontains=search))
    return found


def filed_mail(*, viewer: Actor) -> list[FiledMail]:
    """Return the latest messages where none is sent, newest first. Raises Forbidden."""
    if not viewer.may("accounts.manage_users"):
        raise Forbidden("You do not have permission to do this.")
    if not settings.EMAIL_FILED:
        return []
    return read_filed(Path(settings.MAIL_FOLDER), MAILS_SHOWN)


def sessions_of(viewer: Actor) -> QuerySet[Session]:
    """Return one's own open sessions of API clients, newest first."""
    if viewer.user_id is None:
        return Session.objects.none()
    own = Session.objects.filter(user_id=viewer.user_id, revoked_at=None)
    return own.order_by("-created_at")


def saved_views(viewer: Actor, page: str) -> list[SavedView]:
    """Return one's own saved views of a list, by name."""
    return list(SavedView.objects.filter(user_id=viewer.user_id or NOBODY, page=page))


def hidden_columns(viewer: Actor, page: str) -> list[str]:
    """Return the columns of a list that one leaves out."""
    row = ListChoice.objects.filter(user_id=viewer.user_id or NOBODY, page=page).first()
    return sorted(row.hidden) if row is not None else []


def service_tokens() -> QuerySet[ServiceToken]:
    """Return all service tokens; what they are worth is not in them."""
    return ServiceToken.objects.all()


def may_object(actor: Actor, permission: str, target: models.Model) -> bool:
    """Return whether the actor holds the permission, everywhere or on this object."""
    if actor.may(permission):
        return True
    if actor.kind is not ActorKind.PERSON or actor.user_id is None:
        return False
    user = User.objects.filter(pk=actor.user_id, is_active=True).first()
    return user is not None and user.has_perm(permission, target)


def objects_of(actor: Actor, permission: str, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return those of the rows on which the actor was granted the permission as a person.

    Neither a superuser's rights nor a model-wide permission widen the answer: who may see
    all rows does not ask here.
    """
    found = User.objects.filter(pk=actor.user_id, is_active=True) if actor.user_id else None
    user = found.first() if found is not None else None
    if user is None:
        return rows.none()
    return get_objects_for_user(
        user, permission, klass=rows, with_superuser=False, accept_global_perms=False
    )


class _Bearers:
    """Service tokens seen in the last second, by digest: a busy sender costs little."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.known: dict[str, tuple[float, datetime | None, Actor | None]] = {}

    def actor(self, token: str, at: datetime) -> Actor | None:
        """Return who holds the token now."""
        key, now = tokens.digest(token), self.clock()
        read_at, expires_at, actor = self.known.get(key, (float("-inf"), None, None))
        if now - read_at > FRESH_SECONDS:
            expires_at, actor = _service_actor(token, at)
            if len(self.known) >= REMEMBERED:
                self.known.clear()
            self.known[key] = (now, expires_at, actor)
        return None if expires_at is not None and expires_at <= at else actor


_bearers = _Bearers()


def _person(token: str, at: datetime) -> Actor | None:
    claims = tokens.decode(token, at=at)
    if claims is None:
        return None
    session = (
        Session.objects.filter(
            pk=claims.session_id,
            revoked_at=None,
            user_id=claims.user_id,
            user__is_active=True,
            user__token_version=claims.version,
        )
        .select_related("user__factor")
        .first()
    )
    if session is None:
        return None
    factor = getattr(session.user, "factor", None)
    return actor_of_user(
        session.user,
        confirmed_at=session.confirmed_at,
        must_confirm=factor is not None and factor.confirmed_at is not None,
    )


def _service_actor(token: str, at: datetime) -> tuple[datetime | None, Actor | None]:
    row = (
        ServiceToken.objects.filter(hashed=tokens.digest(token), revoked_at=None)
        .exclude(user__is_active=False)
        .first()
    )
    if row is None:
        return None, None
    if row.last_used_at is None or at - row.last_used_at > TOUCH:
        ServiceToken.objects.filter(pk=row.pk).update(last_used_at=at)
    actor = Actor(
        kind=ActorKind.SERVICE,
        label=row.name,
        user_id=row.user_id,
        permissions=permissions_of_scopes(row.scopes),
        scopes=frozenset(row.scopes),
    )
    return row.expires_at, actor
