"""Becoming a user, proving an address, and getting back in without the password."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.db import transaction

from apps.accounts.models import User
from apps.accounts.rules import MAIL_HOURS, Role
from apps.accounts.selectors import actor_of_user
from apps.accounts.services.access import end_tokens
from apps.accounts.services.mailing import send
from apps.accounts.services.people import add_user, check_password, known_role
from apps.audit import services as audit
from apps.configuration.selectors import value
from apps.core.actor import Actor
from apps.core.errors import Invalid

VERIFY, RESET = "accounts.verify-email", "accounts.reset-password"
STALE = "This link is not valid any more."


@dataclass(frozen=True, slots=True)
class Applicant:
    """What somebody says of themselves when they register."""

    email: str
    full_name: str = ""
    phone: str = ""
    address: dict[str, Any] = field(default_factory=dict)
    wished_role: str = ""


@transaction.atomic
def register(
    *, applicant: Applicant, password: str, site: str, by: Actor, at: datetime
) -> User:
    """Make a user of the least role; a wished one waits for an admin.

    `site` is the address of the portal, for the link that proves the e-mail address. Raises
    Invalid, or Conflict where the address is known.
    """
    wish = known_role(applicant.wished_role) if applicant.wished_role else Role.USER
    user = User(
        id=uuid4(),
        email=applicant.email.strip().lower(),
        full_name=applicant.full_name,
        phone=applicant.phone,
        address=applicant.address,
        requested_role="" if wish == Role.USER else wish,
        created_at=at,
    )
    add_user(user, password)
    audit.record(
        by=by,
        action="register",
        resource="user",
        resource_id=user.id,
        after={"email": user.email, "requested_role": user.requested_role},
        at=at,
    )
    ask_to_verify(user=user, site=site, at=at)
    return user


def ask_to_verify(*, user: User, site: str, at: datetime) -> None:
    """Send the link that proves the address."""
    token = signing.dumps([str(user.id), user.email], salt=VERIFY)
    send(
        recipient=user.email,
        subject="Please confirm your e-mail address",
        body=f"Open this link to confirm your address:\n\n{site}/verify-email?token={token}\n",
        at=at,
    )


@transaction.atomic
def verify_email(*, token: str, at: datetime) -> User:
    """Take an address as proven. Raises Invalid for a link that is not, or no longer, good."""
    user_id, email = _opened(token, VERIFY)
    user = User.objects.select_for_update().filter(pk=user_id, email=email).first()
    if user is None:
        raise Invalid(STALE, fields={"field": "token"})
    if not user.email_verified:
        user.email_verified = True
        user.save(update_fields=["email_verified"])
        audit.record(
            by=actor_of_user(user),
            action="email_verify",
            resource="user",
            resource_id=user.id,
            after={"email": email},
            at=at,
        )
    return user


@transaction.atomic
def ask_to_reset(*, email: str, site: str, at: datetime) -> None:
    """Send a link to choose a new password, where the address is known; say nothing of it."""
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if user is None:
        return
    state = default_token_generator.make_token(user)
    token = signing.dumps([str(user.id), state], salt=RESET)
    send(
        recipient=user.email,
        subject="Choose a new password",
        body=f"Open this link to choose a new password:\n\n{site}/new-password?token={token}\n\n"
        "If you did not ask for it, nothing has changed.\n",
        at=at,
    )


@transaction.atomic
def reset_password(*, token: str, password: str, at: datetime) -> User:
    """Choose a new password by the link; every session ends. Raises Invalid."""
    user_id, state = _opened(token, RESET)
    user = User.objects.select_for_update().filter(pk=user_id, is_active=True).first()
    if user is None or not default_token_generator.check_token(user, state):
        raise Invalid(STALE, fields={"field": "token"})
    check_password(user, password)
    user.set_password(password)
    user.email_verified = True
    end_tokens(user, at)
    audit.record(
        by=actor_of_user(user),
        action="password_reset",
        resource="user",
        resource_id=user.id,
        at=at,
    )
    return user


def _opened(token: str, salt: str) -> tuple[UUID, str]:
    hours = value(MAIL_HOURS)
    try:
        user_id, what = signing.loads(token, salt=salt, max_age=hours * 3600)
        return UUID(user_id), str(what)
    except (signing.BadSignature, ValueError, TypeError):
        raise Invalid(STALE, fields={"field": "token"}) from None
