"""The shift log: write, pin, hand over, take over."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Sum

from apps.accounts.services import require
from apps.audit import services as audit
from apps.core.actor import Actor
from apps.core.errors import Conflict, Invalid, NotFound
from apps.core.outbox import publish
from apps.outages.events import ShiftLogChanged
from apps.outages.models import Handover, Outage, ShiftNote
from apps.outages.models.shift import TEXT_LENGTH

OPERATE = "outages.operate_outage"


@transaction.atomic
def write_shift_note(*, text: str, pinned: bool, by: Actor, at: datetime) -> ShiftNote:
    """Write a remark into the shift log. Raises Forbidden or Invalid."""
    require(by, OPERATE)
    note = ShiftNote.objects.create(
        at=at,
        text=_text(text),
        actor_label=by.label,
        user_id=by.user_id,
        pinned=pinned,
    )
    _record("shift_note", note.id, {"text": note.text, "pinned": pinned}, by, at)
    return note


@transaction.atomic
def unpin_shift_note(*, note_id: UUID, by: Actor, at: datetime) -> ShiftNote:
    """Take a pinned remark down; it stays in the log. Raises Forbidden or NotFound."""
    require(by, OPERATE)
    note = ShiftNote.objects.select_for_update().filter(id=note_id).first()
    if note is None:
        raise NotFound("There is no such remark.")
    if note.pinned:
        note.pinned = False
        note.save(update_fields=["pinned"])
        _record("shift_unpin", note.id, {"pinned": False}, by, at)
    return note


@transaction.atomic
def hand_over(*, summary: str, by: Actor, at: datetime) -> Handover:
    """Offer the room to the next shift, with what stands now.

    Raises Forbidden, Invalid, or Conflict while an earlier handover waits to be taken.
    """
    require(by, OPERATE)
    standing = Outage.objects.open()
    try:
        with transaction.atomic():
            row = Handover.objects.create(
                given_at=at,
                given_by=by.label,
                giver_id=by.user_id,
                summary=_text(summary),
                open_outages=standing.count(),
                customers_out=standing.aggregate(n=Sum("customers_count"))["n"] or 0,
            )
    except IntegrityError:
        raise Conflict("A handover waits to be taken already.") from None
    _record("shift_hand_over", row.id, {"summary": row.summary}, by, at)
    return row


@transaction.atomic
def take_over(*, handover_id: UUID, by: Actor, at: datetime) -> Handover:
    """Take the room. Raises Forbidden, NotFound, or Conflict for one's own or a taken one."""
    require(by, OPERATE)
    row = Handover.objects.select_for_update().filter(id=handover_id).first()
    if row is None:
        raise NotFound("There is no such handover.")
    if row.taken_at is not None:
        raise Conflict(f"{row.taken_by} has taken over already.")
    if row.giver_id is not None and row.giver_id == by.user_id:
        raise Conflict("Somebody else has to take over from you.")
    row.taken_at, row.taken_by, row.taker_id = at, by.label, by.user_id
    row.save(update_fields=["taken_at", "taken_by", "taker_id"])
    _record("shift_take_over", row.id, {"from": row.given_by}, by, at)
    return row


def _text(text: str) -> str:
    found = text.strip()
    if not 1 <= len(found) <= TEXT_LENGTH:
        raise Invalid(f"Between 1 and {TEXT_LENGTH} characters.", fields={"field": "text"})
    return found


def _record(
    action: str, row: UUID, after: dict[str, object], by: Actor, at: datetime
) -> None:
    audit.record(
        by=by, action=action, resource="shift_log", resource_id=row, after=after, at=at
    )
    publish(ShiftLogChanged(at=at))
