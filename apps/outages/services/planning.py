"""Planned work: proposed, agreed to by somebody else, begun, ended."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from apps.accounts.services import require
from apps.audit import services as audit
from apps.core.actor import Actor, system
from apps.core.errors import Conflict
from apps.core.outbox import publish
from apps.outages.events import PlannedWorkChanged
from apps.outages.models import Outage, PlannedWork
from apps.outages.rules import FINAL, Status, read_report
from apps.outages.rules.planning import (
    TEXT_LENGTH,
    TITLE_LENGTH,
    WorkState,
    check_second,
    check_window,
    check_work_step,
    words_of,
)
from apps.outages.selectors.planning import WorkNotFound, scope_of
from apps.outages.services.intake import take_reports
from apps.outages.services.life import change_status

OPERATE, APPROVE = "outages.operate_outage", "outages.approve_work"
PLANNER = system("planned work")


@dataclass(frozen=True, slots=True)
class WorkPlan:
    """What is planned: where, from when to when, and why. Times have a zone."""

    title: str
    device_code: str
    starts_at: datetime
    ends_at: datetime
    description: str = ""


@transaction.atomic
def plan_work(*, plan: WorkPlan, by: Actor, at: datetime) -> PlannedWork:
    """Propose work at a device. Raises Forbidden or Invalid."""
    require(by, OPERATE)
    check_window(plan.starts_at, plan.ends_at, at)
    scope = scope_of(plan.device_code)
    work = PlannedWork.objects.create(
        title=words_of(plan.title, TITLE_LENGTH, "title"),
        description=words_of(plan.description, TEXT_LENGTH, "description", required=False),
        device_code=scope.device_code,
        device_kind=scope.device_kind,
        feeder_number=scope.feeder_number,
        feeder_code=scope.feeder_code,
        region_code=scope.region_code,
        customers_count=scope.customers,
        critical_count=scope.critical,
        starts_at=plan.starts_at,
        ends_at=plan.ends_at,
        made_by=by.user_id,
        maker=by.label,
        made_at=at,
    )
    _tell(work, "work_plan", None, by, at)
    return work


@transaction.atomic
def approve_work(*, work_id: int, by: Actor, at: datetime) -> PlannedWork:
    """Agree to work that somebody else planned.

    Raises Forbidden, also for who planned it, WorkNotFound, or Conflict where it is decided or
    its time is over.
    """
    require(by, APPROVE)
    work = _held(work_id)
    check_second(work.made_by, by.user_id)
    if work.ends_at <= at:
        raise Conflict("Its time is over.")

    def approve() -> None:
        work.approved_by, work.approver, work.approved_at = by.user_id, by.label, at

    return _step(work, WorkState.APPROVED, approve, by, at)


@transaction.atomic
def reject_work(*, work_id: int, reason: str, by: Actor, at: datetime) -> PlannedWork:
    """Say no to planned work. Raises Forbidden, WorkNotFound, Invalid or Conflict."""
    require(by, APPROVE)
    return _close(_held(work_id), WorkState.REJECTED, reason, by, at)


@transaction.atomic
def cancel_work(*, work_id: int, reason: str, by: Actor, at: datetime) -> PlannedWork:
    """Take planned work back before it begins. Raises as `reject_work`."""
    require(by, OPERATE)
    return _close(_held(work_id), WorkState.CANCELLED, reason, by, at)


@transaction.atomic
def begin_work(*, work_id: int, by: Actor, at: datetime) -> PlannedWork:
    """Begin approved work: what goes dark below its device is the plan until its end.

    Raises Forbidden, WorkNotFound, or Conflict where it is not approved or its time is over.
    """
    require(by, OPERATE)
    work = _held(work_id)
    check_work_step(work.state, WorkState.UNDER_WAY)
    if work.ends_at <= at:
        raise Conflict("Its time is over.")
    report = read_report(
        {
            "event_type": "planned_outage",
            "source_type": "operator",
            "source_event_id": f"planned-work-{work.pk}",
            "timestamp": at.isoformat(),
            "device_id": work.device_code,
            "planned_until": work.ends_at.isoformat(),
            "description": work.title,
        },
        at=at,
    )
    (receipt,) = take_reports(reports=[(PLANNER, report)], at=at)
    if receipt.outage_id is None:
        raise Conflict(f"The device {work.device_code} is not on the network any more.")

    def begin() -> None:
        work.outage_id, work.begun_at = receipt.outage_id, at

    return _step(work, WorkState.UNDER_WAY, begin, by, at)


@transaction.atomic
def end_work(*, work_id: int, by: Actor, at: datetime) -> PlannedWork:
    """End work that is under way: power is back. Raises Forbidden, WorkNotFound, Conflict."""
    require(by, OPERATE)
    work = _held(work_id)
    check_work_step(work.state, WorkState.DONE)
    outage = work.outage
    if outage is not None and outage.is_open:
        change_status(
            outage_id=outage.id,
            status=Status.RESTORED,
            notes=f"{work.label} {work.title}",
            by=by,
            at=at,
        )
    return _done(work, by, at)


@transaction.atomic
def extend_work(*, work_id: int, ends_at: datetime, by: Actor, at: datetime) -> PlannedWork:
    """Let work that is under way last longer, or end earlier. Raises as `end_work`, Invalid."""
    require(by, OPERATE)
    work = _held(work_id)
    if work.state != WorkState.UNDER_WAY:
        raise Conflict("The work is not under way.")
    check_window(at, ends_at, at)
    before = work.facts()
    work.ends_at = ends_at
    work.save(update_fields=["ends_at"])
    if work.outage is not None and work.outage.is_planned:
        Outage.objects.filter(pk=work.outage.pk).update(
            planned_until=ends_at, estimated_restoration_at=ends_at, updated_at=at
        )
    _tell(work, "work_extend", before, by, at)
    return work


def run_planned_work(*, at: datetime) -> int:
    """Begin what is due, close what ended by itself or never began; return how many."""
    due = Q(state=WorkState.APPROVED, starts_at__lte=at)
    late = Q(state=WorkState.PROPOSED, ends_at__lte=at)
    over = Q(state=WorkState.UNDER_WAY, outage__status__in=[s.value for s in FINAL])
    found = PlannedWork.objects.filter(due | late | over)
    return sum(_run(pk, at) for pk in found.values_list("pk", flat=True)[:100])


@transaction.atomic
def _run(pk: int, at: datetime) -> bool:
    work = PlannedWork.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
    if work is None:
        return False
    if work.state == WorkState.UNDER_WAY:
        _done(work, PLANNER, at)
    elif work.ends_at <= at:
        _close(work, WorkState.CANCELLED, "Its time passed.", PLANNER, at)
    elif work.state == WorkState.APPROVED:
        begin_work(work_id=work.pk, by=PLANNER, at=at)
    return True


def _held(work_id: int) -> PlannedWork:
    work = PlannedWork.objects.select_for_update().filter(pk=work_id).first()
    if work is None:
        raise WorkNotFound(f"There is no planned work {work_id}.")
    return work


def _done(work: PlannedWork, by: Actor, at: datetime) -> PlannedWork:
    def close() -> None:
        work.closed_at = at

    return _step(work, WorkState.DONE, close, by, at)


def _close(
    work: PlannedWork, state: WorkState, reason: str, by: Actor, at: datetime
) -> PlannedWork:
    said = words_of(reason, TEXT_LENGTH, "reason")

    def close() -> None:
        work.reason, work.closed_at = said, at

    return _step(work, state, close, by, at)


def _step(
    work: PlannedWork,
    state: WorkState,
    change: Callable[[], None],
    by: Actor,
    at: datetime,
) -> PlannedWork:
    check_work_step(work.state, state)
    before = work.facts()
    work.state = state
    change()
    work.save()
    _tell(work, f"work_{state.value}", before, by, at)
    return work


def _tell(
    work: PlannedWork, action: str, before: dict[str, Any] | None, by: Actor, at: datetime
) -> None:
    after = work.facts() | ({"reason": work.reason} if work.reason else {})
    audit.record(
        by=by,
        action=action,
        resource="planned_work",
        resource_id=work.pk,
        before=before,
        after=after,
        at=at,
    )
    publish(PlannedWorkChanged(work_id=work.pk, state=work.state, at=at))
