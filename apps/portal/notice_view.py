"""Notices as people read them: what was said to whom, and what became of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils.translation import gettext as _

from apps.core.actor import Actor
from apps.notifications import selectors as notices
from apps.notifications.rules import Channel, Delivery, Reason

if TYPE_CHECKING:
    from apps.notifications.models import Notice, SentMessage
    from apps.outages.models import Outage

MOST = 20
REASONS = {str(value): label for value, label in Reason.choices}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many recipients are in one state."""

    word: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One notice in a list."""

    id: UUID
    type_label: str
    message: str
    outage_id: UUID | None
    outage_number: str
    work_id: int | None
    work_number: str
    sent_by: str
    created_at: datetime
    unknown: int
    tallies: list[Tally]


@dataclass(frozen=True, slots=True)
class RecipientLine:
    """One recipient, or one message in the outbox of the built-in transport."""

    name: str
    address: str
    state: str
    state_label: str
    at: datetime | None
    attempts: int
    text: str
    reason: str


def notice_lines(*, viewer: Actor, outage: "Outage") -> list[NoticeLine]:
    """Return the notices of an outage, the latest first."""
    found = notices.notices_of(outage_id=outage.id, viewer=viewer)[:MOST]
    return [notice_line(row) for row in found]


def notice_line(row: "Notice") -> NoticeLine:
    """Return one notice with the counts of its recipients."""
    waiting_or_sent = row.sent_count - row.delivered_count
    counts = {
        Delivery.DELIVERED: row.delivered_count,
        Delivery.SENT: waiting_or_sent,
        Delivery.PENDING: row.pending_count,
        Delivery.FAILED: row.failed_count,
    }
    return NoticeLine(
        id=row.id,
        type_label=str(Channel(row.channel).label),
        message=row.message,
        outage_id=row.outage_id,
        outage_number=row.outage.label if row.outage is not None else "",
        work_id=row.work_id,
        work_number=row.work.label if row.work is not None else "",
        sent_by=row.on_behalf_of or row.requested_by,
        created_at=row.created_at,
        unknown=len(row.unknown),
        tallies=[
            Tally(state.value, str(state.label), count)
            for state, count in counts.items()
            if count
        ],
    )


def recipient_lines(
    found: Iterable[notices.RecipientView], text: str, at: datetime
) -> list[RecipientLine]:
    """Return who a notice goes to."""
    return [
        RecipientLine(
            name=one.name or one.customer_code,
            address=one.address or one.customer_code,
            state=one.delivery,
            state_label=str(Delivery(one.delivery).label),
            at=one.delivered_at or one.sent_at or one.due_at,
            attempts=one.attempts,
            text=text,
            reason=_why(one, at),
        )
        for one in found
    ]


def _why(one: notices.RecipientView, at: datetime) -> str:
    """Return why a recipient was left out or waits; nothing where all went well."""
    waits = one.delivery == Delivery.PENDING and one.due_at is not None and one.due_at > at
    if waits and not one.attempts:
        return _("Waits until the quiet hours are over.")
    return str(REASONS.get(one.reason, one.reason))


def outbox_lines(messages: Iterable["SentMessage"]) -> list[RecipientLine]:
    """Return what the built-in transport carried."""
    return [
        RecipientLine(
            name=str(Channel(one.channel).label),
            address=one.address,
            state=Delivery.DELIVERED.value,
            state_label=_("Filed"),
            at=one.at,
            attempts=1,
            text=one.text,
            reason="",
        )
        for one in messages
    ]
