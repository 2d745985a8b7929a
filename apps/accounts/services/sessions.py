"""Sessions of API clients: refreshed one successor at a time, ended on the next request."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from apps.accounts import tokens
from apps.accounts.models import RefreshToken, Session
from apps.accounts.rules import REFRESH_DAYS
from apps.accounts.selectors import actor_of_user, forget_bearers
from apps.accounts.services.sign_in import SignIn, SignInRefused, signed_in
from apps.audit import services as audit
from apps.configuration.selectors import value
from apps.core.actor import Actor
from apps.core.errors import NotFound

REFUSAL = "The refresh token is not valid."


def refresh(
    *, refresh_token: str, at: datetime, address: str = "", agent: str = ""
) -> SignIn:
    """Return a new access token and the one successor of the refresh token.

    The old token stays good until its successor is first used; from then on, whoever shows the
    old one has stolen it or lost it, and the whole session ends. Calls at once get the same
    successor. Raises SignInRefused.
    """
    found = _refreshed(refresh_token, at)
    if found is None:
        raise SignInRefused(REFUSAL)
    if isinstance(found, SignIn):
        return found
    owner = actor_of_user(found.user, address=address, agent=agent)
    _revoke([found.pk], "refresh_reuse", owner, at)
    raise SignInRefused(REFUSAL)


@transaction.atomic
def _refreshed(secret: str, at: datetime) -> SignIn | Session | None:
    """Return the new tokens; the session where the token was used up; None where unknown."""
    row = RefreshToken.objects.filter(hashed=tokens.digest(secret)).first()
    if row is None:
        return None
    session = (
        Session.objects.select_for_update(of=("self",))
        .select_related("user")
        .get(pk=row.family_id)
    )
    row.refresh_from_db()
    if session.revoked_at is not None or row.expires_at <= at or not session.user.is_active:
        return None
    successor = RefreshToken.objects.filter(parent=row).first()
    if successor is not None and successor.used_at is not None:
        return session
    if row.used_at is None:
        RefreshToken.objects.filter(pk=row.pk).update(used_at=at)
    following = tokens.successor_of(secret, successor.hashed if successor else None)
    if successor is None:
        RefreshToken.objects.create(
            hashed=tokens.digest(following),
            family=session,
            parent=row,
            created_at=at,
            expires_at=at + timedelta(days=value(REFRESH_DAYS)),
        )
    return signed_in(session.user, session, following, at)


@transaction.atomic
def log_out(
    *, by: Actor, at: datetime, access_token: str = "", refresh_token: str = ""
) -> int:
    """End the sessions of these tokens, as far as they are the actor's; return how many."""
    wanted: set[UUID] = set()
    claims = tokens.decode(access_token, at=at) if access_token else None
    if claims is not None:
        wanted.add(claims.session_id)
    if refresh_token:
        hashed = tokens.digest(refresh_token)
        rows = RefreshToken.objects.filter(hashed=hashed)
        wanted.update(rows.values_list("family_id", flat=True))
    own = _own(by).filter(pk__in=wanted, revoked_at=None)
    return _revoke(list(own.values_list("pk", flat=True)), "logout", by, at)


@transaction.atomic
def end_session(*, session_id: UUID, by: Actor, at: datetime) -> None:
    """End one session of one's own. Raises NotFound for anybody else's."""
    if not _own(by).filter(pk=session_id).exists():
        raise NotFound("There is no such session.")
    _revoke([session_id], "logout", by, at)


def _own(by: Actor) -> QuerySet[Session]:
    if by.user_id is None:
        return Session.objects.none()
    return Session.objects.filter(user_id=by.user_id)


@transaction.atomic
def _revoke(sessions: list[UUID], action: str, by: Actor, at: datetime) -> int:
    rows = Session.objects.filter(pk__in=sessions, revoked_at=None)
    count = rows.update(revoked_at=at)
    for session_id in sessions if count else ():
        audit.record(
            by=by, action=action, resource="session", resource_id=session_id, at=at
        )
    transaction.on_commit(forget_bearers)
    return count
