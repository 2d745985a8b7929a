"""Propose, decide, withdraw: an act of two people, carried out once or never."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.approvals.events import ProposalChanged
from apps.approvals.models import Proposal
from apps.approvals.rules import (
    Act,
    Asked,
    State,
    act_of,
    check_decider,
    check_open,
    fingerprint,
    person,
    reason_of,
)
from apps.audit import services as audit
from apps.core.actor import Actor, check_fresh, system
from apps.core.errors import Conflict, DomainError, Forbidden, NotFound
from apps.core.outbox import publish

SWEPT = 500


@transaction.atomic
def propose(
    *,
    kind: str,
    resource_id: str,
    payload: Mapping[str, Any],
    summary: str,
    by: Actor,
    at: datetime,
) -> Proposal:
    """Ask a second person for an act; the same asked again is the same proposal.

    `payload` holds plain JSON values. Raises Forbidden, or Invalid for an unknown kind.
    """
    act = act_of(kind)
    _require(by, act.permission)
    version = act.version(resource_id)
    hashed = fingerprint(
        kind=kind, resource_id=resource_id, version=version, payload=payload
    )
    row, made = Proposal.objects.get_or_create(
        kind=kind,
        resource_id=resource_id,
        hash=hashed,
        state=State.OPEN,
        defaults={
            "version": version,
            "payload": payload,
            "summary": summary[:300],
            "made_by": person(by),
            "maker": by.label[:200],
            "made_at": at,
            "expires_at": at + act.lives,
        },
    )
    if made:
        _tell(row, "approval_propose", by, at)
    return row


def approve(*, proposal_id: UUID, by: Actor, at: datetime) -> Proposal:
    """Carry out what somebody else proposed, in one transaction with the decision.

    Void where the thing has changed since, what was proposed is not what the row says, or the
    maker lost the right. Raises NotFound, Forbidden for the maker, or Conflict where it was
    decided, has expired or is void.
    """
    row, why = _approve(proposal_id, by, at)
    if why:
        raise Conflict(why)
    return row


@transaction.atomic
def reject(*, proposal_id: UUID, reason: str, by: Actor, at: datetime) -> Proposal:
    """Say no to what somebody else proposed. Raises as `approve`, and Invalid."""
    row, _act = _held(proposal_id, by)
    check_decider(row.made_by, person(by))
    check_open(row.state, row.expires_at, at)
    return _close(row, State.REJECTED, by, at, reason=reason_of(reason))


@transaction.atomic
def withdraw(*, proposal_id: UUID, by: Actor, at: datetime) -> Proposal:
    """Take one's own proposal back. Raises NotFound, Forbidden or Conflict."""
    row, _act = _held(proposal_id, by)
    if row.made_by != person(by):
        raise Forbidden("Only who proposed it takes it back.")
    check_open(row.state, row.expires_at, at)
    return _close(row, State.WITHDRAWN, by, at)


@transaction.atomic
def expire(*, at: datetime) -> int:
    """Close the proposals whose time has passed; return how many."""
    due = (
        Proposal.objects.filter(state=State.OPEN, expires_at__lte=at)
        .order_by("expires_at")
        .select_for_update(skip_locked=True)[:SWEPT]
    )
    clock = system("approvals")
    return len([_close(row, State.EXPIRED, clock, at) for row in due])


@transaction.atomic
def _approve(proposal_id: UUID, by: Actor, at: datetime) -> tuple[Proposal, str]:
    row, act = _held(proposal_id, by)
    check_fresh(by, at)
    check_decider(row.made_by, person(by))
    check_open(row.state, row.expires_at, at)
    asked = Asked(row.resource_id, row.payload, row.made_by)
    why = _why_void(row, act)
    if not why:
        try:
            with transaction.atomic():
                act.run(asked, replace(by, on_behalf_of=row.maker), at)
        except DomainError as refusal:
            why = refusal.message
    if why:
        return _close(row, State.VOID, by, at, reason=why[:500]), why
    return _close(row, State.EXECUTED, by, at), ""


def _why_void(row: Proposal, act: Act) -> str:
    if not row.is_as_proposed:
        return "The proposal does not say what was proposed."
    if not act.may(row.made_by):
        return "Who proposed it may not do this any more."
    try:
        version = act.version(row.resource_id)
    except NotFound as refusal:
        return refusal.message
    if version != row.version:
        return "It has changed since this was proposed."
    return ""


def _held(proposal_id: UUID, by: Actor) -> tuple[Proposal, Act]:
    """Return the proposal, held until the transaction ends; missing where not for `by`."""
    row = Proposal.objects.select_for_update().filter(pk=proposal_id).first()
    if row is None:
        raise NotFound(f"There is no proposal {proposal_id}.")
    act = act_of(row.kind)
    _require(by, act.permission)
    return row, act


def _close(
    row: Proposal, state: State, by: Actor, at: datetime, *, reason: str = ""
) -> Proposal:
    row.state, row.decided_at, row.reason = state, at, reason
    row.decided_by, row.decider = by.user_id, by.label[:200]
    row.save(update_fields=["state", "decided_at", "reason", "decided_by", "decider"])
    _tell(row, f"approval_{_VERB[state]}", by, at)
    return row


_VERB = {
    State.EXECUTED: "approve",
    State.REJECTED: "reject",
    State.WITHDRAWN: "withdraw",
    State.EXPIRED: "expire",
    State.VOID: "void",
}


def _tell(row: Proposal, action: str, by: Actor, at: datetime) -> None:
    audit.record(
        by=by,
        action=action,
        resource="proposal",
        resource_id=row.id,
        after=row.facts() | ({"reason": row.reason} if row.reason else {}),
        at=at,
    )
    publish(ProposalChanged(proposal_id=row.id, kind=row.kind, state=row.state, at=at))


def _require(by: Actor, permission: str) -> None:
    if not by.may(permission):
        raise audit.refuse(by=by, permission=permission)


__all__ = ["Proposal", "approve", "expire", "propose", "reject", "withdraw"]
