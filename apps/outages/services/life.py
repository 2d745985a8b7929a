"""The life of an outage: every step that a person or a crew takes goes through here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.accounts.services import require
from apps.audit import services as audit
from apps.core.actor import Actor
from apps.core.outbox import publish, publish_all
from apps.outages.events import OutageMoved, OutageNoted
from apps.outages.models import Interruption, Outage, TimelineEntry
from apps.outages.rules import FINAL, Status, check_step
from apps.outages.services import devices, trail, writing

MOMENTARY_TEXT = "Restored: Momentary: power was back within minutes"
BACK_TEXT = "Restored: Power is back at all reporting meters"


def change_status(
    *, outage_id: UUID, status: Status, notes: str, by: Actor, at: datetime
) -> Outage:
    """Confirm, start, restore or cancel an outage.

    Whoever ends an outage says that its device is closed, so it is closed in the actual network.
    Raises Forbidden, OutageNotFound, or StepRefused where it may not go there.
    """
    require(by, "outages.operate_outage")
    with transaction.atomic():
        if status in FINAL:
            devices.hold_part(outage_id)
        outage = _move(outage_id, status, notes, by, at, action=f"outage_{status.value}")
        if status in FINAL:
            devices.close_device(outage, at=at)
    return outage


@transaction.atomic
def add_note(*, outage_id: UUID, text: str, by: Actor, at: datetime) -> TimelineEntry:
    """Write a remark into the timeline. Raises Forbidden or OutageNotFound."""
    require(by, "outages.record_field_work")
    outage = trail.hold(outage_id)
    entry = trail.tell(outage, "note", text, by, at)
    audit.record(
        by=by,
        action="outage_note",
        resource="outage",
        resource_id=str(outage.id),
        after={"text": text},
        at=at,
    )
    publish(OutageNoted(outage_id=outage.id, kind="note", at=at))
    return entry


@transaction.atomic
def record_field_work(
    *, outage_id: UUID, text: str, begins_work: bool, by: Actor, at: datetime
) -> Outage:
    """Note what a crew did; where work begins, the outage goes to in progress.

    Raises Forbidden or OutageNotFound.
    """
    require(by, "outages.record_field_work")
    outage = trail.hold(outage_id)
    if begins_work and outage.status in (Status.DETECTED, Status.CONFIRMED):
        outage = _move(
            outage_id, Status.IN_PROGRESS, text, by, at, action="outage_in_progress"
        )
    else:
        trail.tell(outage, "crew", text, by, at)
        publish(OutageNoted(outage_id=outage.id, kind="crew", at=at))
    return outage


@transaction.atomic
def record_contact(*, outage_id: UUID, text: str, by: Actor, at: datetime) -> None:
    """Note in the timeline that customers were told something. Raises OutageNotFound."""
    outage = trail.hold(outage_id)
    trail.tell(outage, "notice", text, by, at)
    publish(OutageNoted(outage_id=outage.id, kind="notice", at=at))


@dataclass(frozen=True, slots=True)
class Ending:
    """An outage that evidence says is over, and since when."""

    outage: Outage
    ended_at: datetime
    momentary: bool


@transaction.atomic
def restore_by_evidence(*, endings: Sequence[Ending], by: Actor, at: datetime) -> None:
    """Close outages, which the caller holds, because meters or SCADA say that power is back.

    The interruptions are the caller's. Raises StepRefused where one is closed already.
    """
    changes, moves, lines = [], [], []
    for ending in endings:
        outage, before = ending.outage, ending.outage.facts()
        before_status = Status(outage.status)
        check_step(before_status, Status.RESTORED)
        outage.status, outage.updated_at = Status.RESTORED, at
        outage.restored_at = max(ending.ended_at, outage.first_detected_at)
        outage.is_momentary, outage.ended_by_evidence = ending.momentary, True
        text = MOMENTARY_TEXT if ending.momentary else BACK_TEXT
        lines.append(trail.line(outage, "restored", text, by, outage.restored_at))
        changes.append((outage.id, before, outage.facts()))
        moves.append(
            OutageMoved(
                outage_id=outage.id,
                before=before_status.value,
                after=Status.RESTORED.value,
                by=by.label,
                at=outage.restored_at,
            )
        )
    writing.save_outages([ending.outage for ending in endings])
    trail.write(lines)
    audit.record_all(
        by=by, action="outage_restored", resource="outage", changes=changes, at=at
    )
    publish_all(moves)


@transaction.atomic
def _move(
    outage_id: UUID,
    status: Status,
    notes: str,
    by: Actor,
    at: datetime,
    *,
    action: str,
) -> Outage:
    outage = trail.hold(outage_id)
    before_status = Status(outage.status)
    check_step(before_status, status)
    before = outage.facts()
    outage.status = status
    outage.updated_at = at
    moment = max(at, outage.first_detected_at)
    match status:
        case Status.CONFIRMED:
            outage.confirmed_at = moment
        case Status.IN_PROGRESS:
            outage.in_progress_at = moment
        case Status.RESTORED:
            outage.restored_at = moment
        case Status.CANCELLED:
            outage.cancelled_at = moment
    outage.save()
    if not outage.is_open:
        _end_interruptions(outage, moment)
    text = f"{status.label}" + (f": {notes}" if notes else "")
    trail.tell(outage, status.value, text, by, at)
    trail.record(outage, action, before, by, at, notes)
    publish(
        OutageMoved(
            outage_id=outage.id,
            before=before_status.value,
            after=status.value,
            by=by.label,
            at=at,
        )
    )
    return outage


def _end_interruptions(outage: Outage, moment: datetime) -> None:
    rows = Interruption.objects.filter(outage=outage, ended_at=None)
    if outage.status == Status.CANCELLED:
        rows.delete()
        return
    rows.filter(started_at__gt=moment).delete()
    rows.update(ended_at=moment)
