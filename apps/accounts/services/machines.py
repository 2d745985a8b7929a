"""Service tokens: what machines call us with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.accounts import tokens
from apps.accounts.models import ServiceToken
from apps.accounts.rules import TwoPeople, unknown_scopes
from apps.accounts.selectors import forget_bearers
from apps.accounts.services.access import MANAGE, check_alone, needs_two, require
from apps.approvals.services import Proposal, propose
from apps.audit import services as audit
from apps.core.actor import Actor, check_fresh
from apps.core.errors import Conflict, Invalid, NotFound

OVERLAP = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Draft:
    """A service token before it is one: of its secret nothing is kept but the digest."""

    name: str
    scopes: tuple[str, ...]
    expires_at: datetime | None = None
    user_id: UUID | None = None
    hashed: str = ""
    prefix: str = ""

    @classmethod
    def of(
        cls, name: str, scopes: Iterable[str], expires_at: datetime | None, at: datetime
    ) -> "Draft":
        """Return a checked draft. Raises Invalid."""
        wanted = tuple(sorted(set(scopes)))
        if unknown := unknown_scopes(wanted):
            raise Invalid(
                f"Unknown scopes: {', '.join(unknown)}.", fields={"field": "scopes"}
            )
        if not wanted or not 1 <= len(name.strip()) <= 120:
            raise Invalid("A service token needs a name and at least one scope.")
        if expires_at is not None and expires_at <= at:
            raise Invalid(
                "A service token cannot have expired.", fields={"field": "expires_at"}
            )
        return cls(name.strip(), wanted, expires_at)

    def with_secret(self) -> tuple["Draft", str]:
        """Return the draft of a new secret, and the secret."""
        secret = tokens.new_service_secret()
        return replace(self, hashed=tokens.digest(secret), prefix=secret[:8]), secret

    def as_payload(self) -> dict[str, Any]:
        """Return it as plain values, without a person."""
        return {
            "name": self.name,
            "scopes": list(self.scopes),
            "expires_at": self.expires_at.isoformat() if self.expires_at else None,
            "hashed": self.hashed,
            "prefix": self.prefix,
        }

    @classmethod
    def of_payload(cls, told: Mapping[str, Any]) -> "Draft":
        """Return what `as_payload` was made of."""
        until = told["expires_at"]
        return cls(
            name=told["name"],
            scopes=tuple(told["scopes"]),
            expires_at=datetime.fromisoformat(until) if until else None,
            hashed=told["hashed"],
            prefix=told["prefix"],
        )


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

    Raises Forbidden, Invalid for an empty name, no scope or an unknown one, or NeedsTwo where
    a second person has to agree.
    """
    require(by, MANAGE)
    check_fresh(by, at)
    check_alone(TwoPeople.SERVICE_TOKEN, by)
    draft = Draft.of(name, scopes, expires_at, at)
    return _added(replace(draft, user_id=user_id), by, at)


@transaction.atomic
def ask_for_service_token(
    *,
    name: str,
    scopes: Iterable[str],
    by: Actor,
    at: datetime,
    expires_at: datetime | None = None,
) -> tuple[ServiceToken | Proposal, str]:
    """Make a service token, or propose it where two people are needed.

    The secret is known to who asks alone; it is good for nothing until somebody else has
    agreed. Raises Forbidden, or Invalid as `issue_service_token`.
    """
    require(by, MANAGE)
    check_fresh(by, at)
    draft = Draft.of(name, scopes, expires_at, at)
    if not needs_two(TwoPeople.SERVICE_TOKEN, by):
        return _added(draft, by, at)
    kept, secret = draft.with_secret()
    proposal = propose(
        kind=TwoPeople.SERVICE_TOKEN,
        resource_id="",
        payload=kept.as_payload(),
        summary=f"{kept.name}: {', '.join(kept.scopes)}",
        by=by,
        at=at,
    )
    return proposal, secret


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
    check_fresh(by, at)
    row = _locked(token_id)
    if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= at):
        raise Conflict("This service token has ended.")
    lifetime = row.expires_at - row.created_at if row.expires_at is not None else None
    draft = Draft(
        name=row.name,
        scopes=tuple(row.scopes),
        user_id=row.user_id,
        expires_at=at + lifetime if lifetime is not None else None,
    )
    follower, secret = _added(draft, by, at)
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


def add_token(draft: Draft, by: Actor, at: datetime) -> ServiceToken:
    """Write a token within a transaction whose right to do so was asked for."""
    row = ServiceToken.objects.create(
        name=draft.name,
        hashed=draft.hashed,
        prefix=draft.prefix,
        scopes=list(draft.scopes),
        user_id=draft.user_id,
        created_at=at,
        expires_at=draft.expires_at,
    )
    audit.record(
        by=by,
        action="service_token_issue",
        resource="service_token",
        resource_id=row.pk,
        after={
            "name": row.name,
            "scopes": list(draft.scopes),
            "expires_at": draft.expires_at,
        },
        at=at,
    )
    return row


def _added(draft: Draft, by: Actor, at: datetime) -> tuple[ServiceToken, str]:
    whole, secret = draft.with_secret()
    return add_token(whole, by, at), secret


def _locked(token_id: int) -> ServiceToken:
    row = ServiceToken.objects.select_for_update().filter(pk=token_id).first()
    if row is None:
        raise NotFound(f"There is no service token {token_id}.")
    return row
