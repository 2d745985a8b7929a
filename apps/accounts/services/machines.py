"""Service tokens: what machines call us with."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.accounts import tokens
from apps.accounts.models import ServiceToken
from apps.accounts.rules import unknown_scopes
from apps.accounts.selectors import forget_bearers
from apps.accounts.services.access import MANAGE, require
from apps.audit import services as audit
from apps.core.actor import Actor
from apps.core.errors import Conflict, Invalid, NotFound

OVERLAP = timedelta(hours=24)


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
    row = _locked(token_id)
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
def rotate_service_token(
    *, token_id: int, by: Actor, at: datetime, overlap: timedelta = OVERLAP
) -> tuple[ServiceToken, str]:
    """Make the follower of a service token; return its row and its secret, shown this once.

    The follower may do the same and lives as long as the old one was meant to. The old one
    stays good for the overlap, and never longer than it had. Raises Forbidden, NotFound, or
    Conflict where the old one has ended.
    """
    require(by, MANAGE)
    row = _locked(token_id)
    if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= at):
        raise Conflict("This service token has ended.")
    lifetime = row.expires_at - row.created_at if row.expires_at is not None else None
    follower, secret = issue_service_token(
        name=row.name,
        scopes=row.scopes,
        user_id=row.user_id,
        expires_at=at + lifetime if lifetime is not None else None,
        by=by,
        at=at,
    )
    before, until = row.expires_at, at + overlap
    row.expires_at = until if before is None else min(before, until)
    row.save(update_fields=["expires_at"])
    audit.record(
        by=by,
        action="service_token_rotate",
        resource="service_token",
        resource_id=row.pk,
        before={"name": row.name, "expires_at": before},
        after={"follower": follower.pk, "expires_at": row.expires_at},
        at=at,
    )
    transaction.on_commit(forget_bearers)
    return follower, secret


def _locked(token_id: int) -> ServiceToken:
    row = ServiceToken.objects.select_for_update().filter(pk=token_id).first()
    if row is None:
        raise NotFound(f"There is no service token {token_id}.")
    return row
