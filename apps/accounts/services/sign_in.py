"""Sign-in: credentials, sessions of API clients."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from apps.accounts import tokens
from apps.accounts.models import RefreshToken, Session, User
from apps.accounts.rules import REFRESH_DAYS, TOKEN_SECONDS
from apps.accounts.selectors import actor_of_user
from apps.accounts.services import attempts
from apps.audit import services as audit
from apps.configuration.selectors import value
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Unauthenticated


class SignInRefused(Unauthenticated):
    """The address or the password is wrong, or the user may not sign in."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A person who has signed in, with their tokens."""

    user: User
    access_token: str
    refresh_token: str
    expires_in: int


def verify_credentials(
    *,
    email: str,
    password: str,
    at: datetime,
    address: str = "",
    agent: str = "",
    request_id: str = "",
    device: str = "",
) -> User:
    """Return the user whose password it is, and record the sign-in.

    `device` is what `device_of` once made, shown again by the same browser. Raises TooMany
    after too many failures, and SignInRefused, in the same words and after the same work, for
    an unknown address, a wrong password and an inactive user.
    """
    counted = attempts.begin(email=email, address=address, device=device, at=at)
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
    attempts.succeeded(counted)
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
    return open_session(user=user, at=at, address=address, agent=agent)


@transaction.atomic
def open_session(*, user: User, at: datetime, address: str = "", agent: str = "") -> SignIn:
    """Open a session of an API client for somebody whose credentials were checked."""
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
