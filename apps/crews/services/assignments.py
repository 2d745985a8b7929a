"""Sending crews to outages, and what they report from there."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.accounts.services import grant_object, require
from apps.audit import services as audit
from apps.core.actor import Actor
from apps.core.outbox import publish
from apps.crews.events import AssignmentMoved, CrewAssigned
from apps.crews.models import Assignment, AssignmentStep
from apps.crews.rules import (
    OPEN,
    AssignmentStatus,
    OutageClosed,
    check_step,
    crew_type_of,
    name_of,
    notes_of,
)
from apps.crews.selectors import WORK, AssignmentNotFound, may_work
from apps.crews.services.roster import find_or_create
from apps.outages import selectors as outages
from apps.outages.services import record_field_work

TIMES = {
    AssignmentStatus.EN_ROUTE: "en_route_at",
    AssignmentStatus.ON_SITE: "on_site_at",
    AssignmentStatus.WORK_COMPLETED: "completed_at",
    AssignmentStatus.CANCELLED: "cancelled_at",
}


@transaction.atomic
def assign(
    *,
    outage_id: UUID | str,
    crew_name: str,
    crew_type: str,
    estimated_arrival_at: datetime | None = None,
    notes: str = "",
    by: Actor,
    at: datetime,
) -> Assignment:
    """Send a crew to an outage; a name that no crew has makes an ad-hoc crew.

    Raises Forbidden, Invalid for an impossible name, type or notes, OutageNotFound, or
    OutageClosed where the outage is restored or cancelled.
    """
    require(by, "crews.assign_crew")
    name, kind, remark = name_of(crew_name), crew_type_of(crew_type), notes_of(notes)
    found = outages.outage(outage_id=outage_id, viewer=by)
    crew = find_or_create(name=name, crew_type=kind, by=by, at=at)
    # This holds the outage, so that it cannot be restored between the look and the write.
    text = _sentence(f"{crew.name} assigned", remark)
    outage = record_field_work(
        outage_id=found.id, text=text, begins_work=False, by=by, at=at
    )
    if not outage.is_open:
        raise OutageClosed(f"The outage is {outage.status}; no crew can be sent there.")
    row = Assignment.objects.create(
        outage_id=outage.id,
        crew=crew,
        crew_type=kind,
        assigned_at=at,
        updated_at=at,
        estimated_arrival_at=estimated_arrival_at,
        notes=remark,
        assigned_by=by.label[:200],
        on_behalf_of=by.on_behalf_of[:200],
    )
    _step(row, "", remark, by, at)
    for user_id in crew.users.values_list("id", flat=True):
        grant_object(user_id=user_id, permission=WORK, target=row, by=by, at=at)
    _audit(row, "crew_assign", None, by, at)
    publish(
        CrewAssigned(
            assignment_id=row.id,
            outage_id=row.outage_id,
            crew_id=crew.id,
            by=by.label,
            at=at,
        )
    )
    return row


@transaction.atomic
def move_assignment(
    *, assignment_id: UUID, status: AssignmentStatus, notes: str, by: Actor, at: datetime
) -> Assignment:
    """Report that a crew is on its way, there, or done. The first such report starts the work.

    Raises Forbidden, Invalid for impossible notes, AssignmentNotFound (also for an assignment
    of another crew), or StepRefused.
    """
    if status is AssignmentStatus.CANCELLED:
        return cancel_assignment(assignment_id=assignment_id, notes=notes, by=by, at=at)
    row, remark = _lock(assignment_id, by, at), notes_of(notes)
    row.notes = remark or row.notes
    _move(row, status, remark, by, at)
    text = _sentence(f"{row.crew.name}: {status.label}", remark)
    record_field_work(outage_id=row.outage_id, text=text, begins_work=True, by=by, at=at)
    return row


@transaction.atomic
def cancel_assignment(
    *, assignment_id: UUID, notes: str, by: Actor, at: datetime
) -> Assignment:
    """Call a crew back. Raises Forbidden, Invalid, AssignmentNotFound, or StepRefused."""
    require(by, "crews.assign_crew")
    row, remark = _lock(assignment_id, by, at), notes_of(notes)
    row.notes = remark or row.notes
    _move(row, AssignmentStatus.CANCELLED, remark, by, at)
    text = _sentence(f"{row.crew.name} called back", remark)
    record_field_work(outage_id=row.outage_id, text=text, begins_work=False, by=by, at=at)
    return row


@transaction.atomic
def note_assignment(
    *, assignment_id: UUID, notes: str, by: Actor, at: datetime
) -> Assignment:
    """Write down what a crew found. Raises Forbidden, Invalid, or AssignmentNotFound."""
    row, remark = _lock(assignment_id, by, at), notes_of(notes)
    before = row.facts()
    row.notes, row.updated_at = remark, max(at, row.updated_at)
    row.save(update_fields=["notes", "updated_at"])
    record_field_work(
        outage_id=row.outage_id,
        text=_sentence(row.crew.name, remark),
        begins_work=False,
        by=by,
        at=at,
    )
    _audit(row, "crew_note", before, by, at)
    return row


@transaction.atomic
def close_with_outages(
    *, outcomes: Mapping[UUID, AssignmentStatus], by: Actor, at: datetime
) -> int:
    """Close the open assignments of outages that are over; return how many. Idempotent.

    `outcomes` says what becomes of those of each outage. Raises Forbidden.
    """
    require(by, "crews.assign_crew")
    rows = Assignment.objects.select_related("crew").select_for_update(of=("self",))
    found = list(rows.filter(outage_id__in=list(outcomes), status__in=OPEN).order_by("id"))
    for row in found:
        _move(row, outcomes[row.outage_id], "Closed with the outage.", by, at)
    return len(found)


@transaction.atomic
def follow_merges(*, outage_ids: Iterable[UUID], by: Actor, at: datetime) -> int:
    """Bring open assignments of merged outages to the outage that stands; return how many.

    Idempotent: what was brought is no longer found at a merged outage.
    """
    require(by, "crews.assign_crew")
    rows = Assignment.objects.select_related("outage").select_for_update(of=("self",))
    found = rows.filter(
        outage_id__in=list(outage_ids), outage__merged_into__isnull=False, status__in=OPEN
    )
    moved = list(found.order_by("id"))
    for row in moved:
        _follow(row, by, at)
    return len(moved)


def _follow(row: Assignment, by: Actor, at: datetime) -> None:
    before, target = row.facts(), row.outage
    while target.merged_into is not None:
        target = target.merged_into
    row.outage, row.updated_at = target, max(at, row.updated_at)
    row.save(update_fields=["outage", "updated_at"])
    _audit(row, "crew_follow_merge", before, by, at)


def _lock(assignment_id: UUID, by: Actor, at: datetime) -> Assignment:
    if not by.may("crews.assign_crew"):
        require(by, WORK)
    row = (
        Assignment.objects.select_related("crew", "outage")
        .select_for_update(of=("self",))
        .filter(id=assignment_id)
        .first()
    )
    if row is None or not may_work(assignment_id=assignment_id, viewer=by):
        raise AssignmentNotFound(f"There is no assignment {assignment_id}.")
    if row.outage.merged_into_id is not None:
        _follow(row, by, at)
    return row


def _move(
    row: Assignment, status: AssignmentStatus, notes: str, by: Actor, at: datetime
) -> None:
    now = AssignmentStatus(row.status)
    check_step(now, status)
    # Two machines' clocks may differ: a later step never bears an earlier time.
    moment = max(at, row.updated_at)
    row.status, row.updated_at = status, moment
    setattr(row, TIMES[status], moment)
    row.save(update_fields=["status", "updated_at", "notes", TIMES[status]])
    _step(row, now, notes, by, moment)
    _audit(row, "crew_status", {"status": now}, by, at)
    publish(
        AssignmentMoved(
            assignment_id=row.id,
            outage_id=row.outage_id,
            crew_id=row.crew_id,
            before=now.value,
            after=status.value,
            by=by.label,
            at=at,
        )
    )


def _step(row: Assignment, before: str, notes: str, by: Actor, at: datetime) -> None:
    AssignmentStep.objects.create(
        assignment=row,
        at=at,
        before=before,
        after=row.status,
        notes=notes,
        actor_label=by.label[:200],
        on_behalf_of=by.on_behalf_of[:200],
    )


def _audit(
    row: Assignment, action: str, before: dict[str, object] | None, by: Actor, at: datetime
) -> None:
    audit.record(
        by=by,
        action=action,
        resource="assignment",
        resource_id=row.id,
        before=before,
        after=row.facts(),
        at=at,
    )


def _sentence(said: str, remark: str) -> str:
    return f"{said}: {remark}" if remark else said
