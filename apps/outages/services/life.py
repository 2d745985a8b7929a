"""The life of an outage: every step that a person or a crew takes goes through here."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.accounts.services import require
from apps.audit import services as audit
from apps.core.actor import Actor
from apps.core.outbox import publish
from apps.outages.events import OutageMoved, OutageNoted
from apps.outages.models import Interruption, Outage, TimelineEntry
from apps.outages.rules import FINAL, Status, check_step
from apps.outages.services import devices, trail


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


@transaction.atomic
def restore_by_evidence(
    *,
    outage: Outage,
    ended_at: datetime,
    momentary: bool,
    text: str,
    by: Actor,
    at: datetime,
) -> None:
    """Close an outage because its meters or SCADA say that power is back."""
    outage.is_momentary, outage.ended_by_evidence = momentary, True
    outage.save(update_fields=["is_momentary", "ended_by_evidence"])
    _move(
        outage.id,
        Status.RESTORED,
        text,
        by,
        max(ended_at, outage.first_detected_at),
        action="outage_restored",
        written_at=at,
    )


@transaction.atomic
def _move(
    outage_id: UUID,
    status: Status,
    notes: str,
    by: Actor,
    at: datetime,
    *,
    action: str,
    written_at: datetime | None = None,
) -> Outage:
    outage = trail.hold(outage_id)
    before_status = Status(outage.status)
    check_step(before_status, status)
    before = outage.facts()
    outage.status = status
    outage.updated_at = written_at or at
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
    trail.record(outage, action, before, by, written_at or at, notes)
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
