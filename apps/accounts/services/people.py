"""Users: made, changed, let in and kept out."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.accounts.rules import Role, TwoPeople
from apps.accounts.selectors import forget_bearers
from apps.accounts.services.access import (
    MANAGE,
    check_alone,
    end_tokens,
    join_group,
    locked,
    needs_two,
    require,
)
from apps.approvals.services import Proposal, propose
from apps.audit import services as audit
from apps.core.actor import Actor, check_fresh
from apps.core.errors import Conflict, Invalid


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
        role=known_role(profile.role),
        region=profile.region,
        meter_code=profile.meter_code,
        email_verified=profile.email_verified,
        is_staff=profile.role == Role.ADMIN,
        is_superuser=profile.role == Role.ADMIN,
    )
    add_user(candidate, password)
    audit.record(
        by=by,
        action="user_create",
        resource="user",
        resource_id=candidate.id,
        after={"email": email, "role": candidate.role},
        at=at,
    )
    return candidate


def add_user(candidate: User, password: str) -> None:
    """Write a new user. Raises Invalid, or Conflict where the address is known."""
    check_profile(candidate)
    check_password(candidate, password)
    candidate.set_password(password)
    try:
        with transaction.atomic():
            candidate.save(force_insert=True)
    except IntegrityError:
        raise Conflict(
            "A user with this email exists.", fields={"field": "email"}
        ) from None
    join_group(candidate)


@transaction.atomic
def set_role(*, user_id: UUID, role: str, by: Actor, at: datetime) -> User:
    """Give a user another role; their tokens end.

    Raises Forbidden, NotFound, Invalid, or NeedsTwo where a second person has to agree.
    """
    require(by, MANAGE)
    check_fresh(by, at)
    check_alone(TwoPeople.ROLE_CHANGE, by)
    return give_role(user_id, role, by, at)


@transaction.atomic
def change_role(*, user_id: UUID, role: str, by: Actor, at: datetime) -> User | Proposal:
    """Give a user another role, or propose it where two people are needed.

    Raises Forbidden, NotFound or Invalid.
    """
    require(by, MANAGE)
    check_fresh(by, at)
    if not needs_two(TwoPeople.ROLE_CHANGE, by):
        return give_role(user_id, role, by, at)
    user, found = locked(user_id), known_role(role)
    if user.role == found:
        return user
    return propose(
        kind=TwoPeople.ROLE_CHANGE,
        resource_id=str(user.id),
        payload={"role": found.value},
        summary=f"{user.email}: {user.role} → {found.value}",
        by=by,
        at=at,
    )


def give_role(user_id: UUID, role: str, by: Actor, at: datetime) -> User:
    """Give a user another role within a transaction whose right to do so was asked for."""
    user = locked(user_id)
    found = known_role(role)
    if user.role == found:
        return user
    before, user.role = user.role, found
    user.requested_role = ""
    user.is_staff = user.is_superuser = found == Role.ADMIN
    end_tokens(user, at)
    join_group(user)
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
def refuse_role(*, user_id: UUID, by: Actor, at: datetime) -> User:
    """Say no to the role that a user wished for. Raises Forbidden or NotFound."""
    require(by, MANAGE)
    user = locked(user_id)
    if user.requested_role:
        audit.record(
            by=by,
            action="role_refuse",
            resource="user",
            resource_id=user.id,
            before={"requested_role": user.requested_role},
            after={"requested_role": ""},
            at=at,
        )
        user.requested_role = ""
        user.save(update_fields=["requested_role"])
    return user


@transaction.atomic
def set_active(*, user_id: UUID, active: bool, by: Actor, at: datetime) -> User:
    """Let a user in or keep them out; their tokens end. Raises Forbidden or NotFound."""
    require(by, MANAGE)
    check_fresh(by, at)
    user = locked(user_id)
    if user.is_active == active:
        return user
    user.is_active = active
    end_tokens(user, at)
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
    user = locked(user_id)
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


def known_role(role: str) -> Role:
    """Return the role of that name. Raises Invalid."""
    if role not in Role.values:
        raise Invalid(
            f"Unknown role {role!r}.",
            fields={"field": "role", "allowed_values": Role.values},
        )
    return Role(role)


def check_profile(user: User) -> None:
    """Refuse what no user may be called. Raises Invalid."""
    try:
        user.clean_fields(exclude={"password"})
    except ValidationError as fault:
        field, texts = next(iter(fault.message_dict.items()))
        raise Invalid(f"{field}: {texts[0]}", fields={"field": field}) from None


def check_password(user: User, password: str) -> None:
    """Refuse a password that is short, common or like the user's own data. Raises Invalid."""
    try:
        validate_password(password, user)
    except ValidationError as fault:
        raise Invalid(" ".join(fault.messages), fields={"field": "password"}) from None
