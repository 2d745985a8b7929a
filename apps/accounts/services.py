"""Permission at every write; sign-in; users; service tokens."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.contrib.auth.models import Group, Permission
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from guardian.shortcuts import assign_perm, remove_perm

from apps.accounts import tokens
from apps.accounts.models import RefreshToken, ServiceToken, Session, User
from apps.accounts.rules import (
    REFRESH_DAYS,
    ROLE_PERMISSIONS,
    TOKEN_SECONDS,
    Role,
    unknown_scopes,
)
from apps.accounts.selectors import actor_of_user, forget_bearers
from apps.audit import services as audit
from apps.configuration.selectors import value
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Conflict, Invalid, NotFound, Unauthenticated

MANAGE = "accounts.manage_users"


class SignInRefused(Unauthenticated):
    """The address or the password is wrong, or the user may not sign in."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A person who has signed in, with their tokens."""

    user: User
    access_token: str
    refresh_token: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class NewUser:
    """What is known of somebody who becomes a user."""

    email: str
    full_name: str = ""
    phone: str = ""
    role: str = Role.USER
    region: str = ""
    meter_code: str = ""
    email_verified: bool = False


def require(by: Actor, permission: str, /) -> None:
    """Pass where the actor holds the permission; else record the denial and refuse."""
    if not by.may(permission):
        raise audit.refuse(by=by, permission=permission)


def verify_credentials(
    *,
    email: str,
    password: str,
    at: datetime,
    address: str = "",
    agent: str = "",
    request_id: str = "",
) -> User:
    """Return the user whose password it is, and record the sign-in.

    Raises SignInRefused, in the same words and after the same work, for an unknown address,
    a wrong password and an inactive user.
    """
    user = User.objects.filter(email=email.strip().lower()).first()
    if user is None:
        User().set_password(password)
        known = False
    else:
        known = user.check_password(password) and user.is_active
    if user is None or not known:
        stranger = Actor(
            kind=ActorKind.PERSON,
            label=email,
            user_id=user.id if user else None,
            address=address,
            agent=agent,
            request_id=request_id,
        )
        audit.record(by=stranger, action="login_failed", resource="user", at=at)
        raise SignInRefused("Invalid email or password.")
    actor = actor_of_user(user, address=address, agent=agent, request_id=request_id)
    audit.record(by=actor, action="login", resource="user", resource_id=user.id, at=at)
    return user


def login(
    *,
    email: str,
    password: str,
    at: datetime,
    address: str = "",
    agent: str = "",
    request_id: str = "",
) -> SignIn:
    """Open a session for an API client. Raises SignInRefused."""
    user = verify_credentials(
        email=email,
        password=password,
        at=at,
        address=address,
        agent=agent,
        request_id=request_id,
    )
    with transaction.atomic():
        session = Session.objects.create(
            user=user, created_at=at, address=address[:80], agent=agent[:300]
        )
        refresh = tokens.new_refresh_secret()
        RefreshToken.objects.create(
            hashed=tokens.digest(refresh),
            family=session,
            created_at=at,
            expires_at=at + timedelta(days=value(REFRESH_DAYS)),
        )
        User.objects.filter(pk=user.pk).update(last_login=at)
    seconds = value(TOKEN_SECONDS)
    claims = tokens.Claims(
        user_id=user.id,
        session_id=session.id,
        version=user.token_version,
        expires_at=at + timedelta(seconds=seconds),
    )
    return SignIn(user, tokens.encode(claims, at=at), refresh, seconds)


@transaction.atomic
def create_user(*, profile: NewUser, password: str, by: Actor, at: datetime) -> User:
    """Make a user. Raises Forbidden, Invalid, or Conflict where the address is known."""
    require(by, MANAGE)
    email = profile.email.strip().lower()
    candidate = User(
        id=uuid4(),
        email=email,
        full_name=profile.full_name,
        phone=profile.phone,
        role=_role(profile.role),
        region=profile.region,
        meter_code=profile.meter_code,
        email_verified=profile.email_verified,
        is_staff=profile.role == Role.ADMIN,
        is_superuser=profile.role == Role.ADMIN,
    )
    _check_new(candidate, password)
    candidate.set_password(password)
    try:
        with transaction.atomic():
            candidate.save(force_insert=True)
    except IntegrityError:
        raise Conflict(
            "A user with this email exists.", fields={"field": "email"}
        ) from None
    _join_group(candidate)
    audit.record(
        by=by,
        action="user_create",
        resource="user",
        resource_id=candidate.id,
        after={"email": email, "role": candidate.role},
        at=at,
    )
    return candidate


@transaction.atomic
def set_role(*, user_id: UUID, role: str, by: Actor, at: datetime) -> User:
    """Give a user another role; their tokens end. Raises Forbidden, NotFound or Invalid."""
    require(by, MANAGE)
    user = _locked(user_id)
    found = _role(role)
    if user.role == found:
        return user
    before, user.role = user.role, found
    user.is_staff = user.is_superuser = found == Role.ADMIN
    _end_tokens(user)
    _join_group(user)
    audit.record(
        by=by,
        action="role_change",
        resource="user",
        resource_id=user.id,
        before={"role": before},
        after={"role": found},
        at=at,
    )
    return user


@transaction.atomic
def set_active(*, user_id: UUID, active: bool, by: Actor, at: datetime) -> User:
    """Let a user in or keep them out; their tokens end. Raises Forbidden or NotFound."""
    require(by, MANAGE)
    user = _locked(user_id)
    if user.is_active == active:
        return user
    user.is_active = active
    _end_tokens(user)
    audit.record(
        by=by,
        action="user_activate" if active else "user_deactivate",
        resource="user",
        resource_id=user.id,
        before={"is_active": not active},
        after={"is_active": active},
        at=at,
    )
    return user


@transaction.atomic
def erase_user(*, user_id: UUID, by: Actor, at: datetime) -> None:
    """Delete a user with their sessions; the trail keeps what they did. Raises as set_active."""
    require(by, MANAGE)
    user = _locked(user_id)
    audit.record(
        by=by,
        action="user_erase",
        resource="user",
        resource_id=user.id,
        before={"email": user.email, "role": user.role},
        at=at,
    )
    user.delete()
    transaction.on_commit(forget_bearers)


@transaction.atomic
def issue_service_token(
    *,
    name: str,
    scopes: Iterable[str],
    by: Actor,
    at: datetime,
    expires_at: datetime | None = None,
    user_id: UUID | None = None,
) -> tuple[ServiceToken, str]:
    """Make a service token; return its row and its secret, which is shown this once.

    Raises Forbidden, or Invalid for an empty name, no scope or an unknown one.
    """
    require(by, MANAGE)
    wanted = sorted(set(scopes))
    if unknown := unknown_scopes(wanted):
        raise Invalid(f"Unknown scopes: {', '.join(unknown)}.", fields={"field": "scopes"})
    if not wanted or not 1 <= len(name.strip()) <= 120:
        raise Invalid("A service token needs a name and at least one scope.")
    if expires_at is not None and expires_at <= at:
        raise Invalid(
            "A service token cannot have expired.", fields={"field": "expires_at"}
        )
    secret = tokens.new_service_secret()
    row = ServiceToken.objects.create(
        name=name.strip(),
        hashed=tokens.digest(secret),
        prefix=secret[:8],
        scopes=wanted,
        user_id=user_id,
        created_at=at,
        expires_at=expires_at,
    )
    audit.record(
        by=by,
        action="service_token_issue",
        resource="service_token",
        resource_id=row.pk,
        after={"name": row.name, "scopes": wanted, "expires_at": expires_at},
        at=at,
    )
    return row, secret


@transaction.atomic
def revoke_service_token(*, token_id: int, by: Actor, at: datetime) -> ServiceToken:
    """End a service token; again changes nothing. Raises Forbidden or NotFound."""
    require(by, MANAGE)
    row = ServiceToken.objects.select_for_update().filter(pk=token_id).first()
    if row is None:
        raise NotFound(f"There is no service token {token_id}.")
    if row.revoked_at is None:
        row.revoked_at = at
        row.save(update_fields=["revoked_at"])
        audit.record(
            by=by,
            action="service_token_revoke",
            resource="service_token",
            resource_id=row.pk,
            before={"name": row.name},
            at=at,
        )
        transaction.on_commit(forget_bearers)
    return row


@transaction.atomic
def grant_object(
    *, user_id: UUID, permission: str, target: models.Model, by: Actor, at: datetime
) -> None:
    """Give a user a permission on one object. The caller has asked whether `by` may."""
    assign_perm(permission, _locked(user_id), target)
    _record_grant("object_grant", (user_id, permission), target, by, at)


@transaction.atomic
def withdraw_object(
    *, user_id: UUID, permission: str, target: models.Model, by: Actor, at: datetime
) -> None:
    """Take a permission on one object back. The caller has asked whether `by` may."""
    remove_perm(permission, _locked(user_id), target)
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
            _join_group(user)
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


def _role(role: str) -> Role:
    if role not in Role.values:
        raise Invalid(
            f"Unknown role {role!r}.",
            fields={"field": "role", "allowed_values": Role.values},
        )
    return Role(role)


def _check_new(user: User, password: str) -> None:
    try:
        user.clean_fields(exclude={"password"})
    except ValidationError as fault:
        field, texts = next(iter(fault.message_dict.items()))
        raise Invalid(f"{field}: {texts[0]}", fields={"field": field}) from None
    try:
        validate_password(password, user)
    except ValidationError as fault:
        raise Invalid(" ".join(fault.messages), fields={"field": "password"}) from None


def _locked(user_id: UUID) -> User:
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise NotFound(f"There is no user {user_id}.")
    return user


def _end_tokens(user: User) -> None:
    user.token_version += 1
    user.save()
    transaction.on_commit(forget_bearers)


def _join_group(user: User) -> None:
    others = user.groups.filter(name__in=Role.values).exclude(name=user.role)
    user.groups.remove(*others)
    user.groups.add(Group.objects.get_or_create(name=user.role)[0])
