"""Sign-in: credentials, sessions of API clients."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.accounts import tokens
from apps.accounts.models import RefreshToken, Session, User
from apps.accounts.rules import REFRESH_DAYS, TOKEN_SECONDS
from apps.accounts.selectors import actor_of_user, has_factor
from apps.accounts.services import attempts
from apps.accounts.services.factors import show_code
from apps.audit import services as audit
from apps.configuration.selectors import value
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Unauthenticated

REFUSAL = "Invalid email or password."


class SignInRefused(Unauthenticated):
    """The address or the password is wrong, or the user may not sign in."""


class FactorWanted(Unauthenticated):
    """The password is right; a code of the second factor is wanted too."""

    code = "SECOND_FACTOR_REQUIRED"

    def __init__(self, user: User) -> None:
        super().__init__("A code of the second factor is required.")
        self.user = user


@dataclass(frozen=True, slots=True)
class SignIn:
    """A person who has signed in, with their tokens."""

    user: User
    access_token: str
    refresh_token: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where somebody signs in from; `device` is what `device_of` once made."""

    address: str = ""
    agent: str = ""
    request_id: str = ""
    device: str = ""


def verify_credentials(
    *, email: str, password: str, code: str = "", origin: Origin = Origin(), at: datetime
) -> User:
    """Return the user whose password it is, and record the sign-in.

    Raises TooMany after too many failures, SignInRefused, in the same words and after the same
    work, for an unknown address, a wrong password and an inactive user, and FactorWanted where
    the password is right and a code is missing.
    """
    counted = attempts.begin(
        email=email, address=origin.address, device=origin.device, at=at
    )
    user = User.objects.filter(email=email.strip().lower()).first()
    if user is None:
        User().set_password(password)
        known = False
    else:
        known = user.check_password(password) and user.is_active
    if user is None or not known:
        raise _refusal(email, user, origin, at)
    if has_factor(user):
        if not code:
            raise FactorWanted(user)
        if not show_code(user, code, at):
            raise _refusal(email, user, origin, at)
    _entered(user, counted, origin, at)
    return user


def verify_code(
    *, user_id: UUID, code: str, origin: Origin = Origin(), at: datetime
) -> User:
    """Return the user whose password was right a moment ago and whose code this is.

    Raises TooMany or SignInRefused, as `verify_credentials`.
    """
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        raise SignInRefused(REFUSAL)
    counted = attempts.begin(
        email=user.email, address=origin.address, device=origin.device, at=at
    )
    if not show_code(user, code, at):
        raise _refusal(user.email, user, origin, at)
    _entered(user, counted, origin, at)
    return user


def prove_again(*, proof: str, by: Actor, at: datetime) -> None:
    """Take a password, or a code where there is a second factor, as proof of who acts.

    Raises TooMany after too many failures, SignInRefused where it is wrong.
    """
    user = User.objects.filter(pk=by.user_id or UUID(int=0), is_active=True).first()
    if user is None:
        raise SignInRefused(REFUSAL)
    counted = attempts.begin_again(user_id=user.id)
    right = show_code(user, proof, at) if has_factor(user) else user.check_password(proof)
    audit.record(
        by=by,
        action="confirm" if right else "confirm_failed",
        resource="user",
        resource_id=user.id,
        at=at,
    )
    if not right:
        raise SignInRefused("This is not right.")
    attempts.succeeded(counted)


def _refusal(email: str, user: User | None, origin: Origin, at: datetime) -> SignInRefused:
    """Record a failed attempt; return what is raised for it."""
    stranger = Actor(
        kind=ActorKind.PERSON,
        label=email,
        user_id=user.id if user else None,
        address=origin.address,
        agent=origin.agent,
        request_id=origin.request_id,
    )
    audit.record(by=stranger, action="login_failed", resource="user", at=at)
    return SignInRefused(REFUSAL)


def _entered(user: User, counted: str, origin: Origin, at: datetime) -> None:
    attempts.succeeded(counted)
    actor = actor_of_user(
        user, address=origin.address, agent=origin.agent, request_id=origin.request_id
    )
    audit.record(by=actor, action="login", resource="user", resource_id=user.id, at=at)


def login(
    *, email: str, password: str, code: str = "", origin: Origin = Origin(), at: datetime
) -> SignIn:
    """Open a session for an API client. Raises as `verify_credentials`."""
    user = verify_credentials(
        email=email, password=password, code=code, origin=origin, at=at
    )
    confirmed = bool(code) and has_factor(user)
    return open_session(user=user, origin=origin, is_confirmed=confirmed, at=at)


@transaction.atomic
def open_session(
    *, user: User, origin: Origin = Origin(), is_confirmed: bool = False, at: datetime
) -> SignIn:
    """Open a session of an API client for somebody whose credentials were checked."""
    session = Session.objects.create(
        user=user,
        created_at=at,
        address=origin.address[:80],
        agent=origin.agent[:300],
        confirmed_at=at if is_confirmed else None,
    )
    refresh = tokens.new_refresh_secret()
    RefreshToken.objects.create(
        hashed=tokens.digest(refresh),
        family=session,
        created_at=at,
        expires_at=at + timedelta(days=value(REFRESH_DAYS)),
    )
    User.objects.filter(pk=user.pk).update(last_login=at)
    return signed_in(user, session, refresh, at)


def signed_in(user: User, session: Session, refresh_token: str, at: datetime) -> SignIn:
    """Return the tokens of a session, the access token made now."""
    seconds = value(TOKEN_SECONDS)
    claims = tokens.Claims(
        user_id=user.id,
        session_id=session.id,
        version=user.token_version,
        expires_at=at + timedelta(seconds=seconds),
    )
    return SignIn(user, tokens.encode(claims, at=at), refresh_token, seconds)
