"""Sending crews and what they report: rows, audit, events; a refusal changes nothing."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from apps.audit.models import AuditEntry
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Conflict, Forbidden, Invalid, NotFound
from apps.core.models import OutboxRow
from apps.crews import services
from apps.crews.models import Assignment, AssignmentStep, Crew
from apps.crews.rules import AssignmentStatus as S
from apps.crews.rules import OutageClosed, StepRefused
from apps.outages import services as outages
from apps.outages.models import TimelineEntry
from apps.outages.rules import Status

pytestmark = pytest.mark.django_db


def world():
    """Return everything that a refused step must leave as it was."""
    return (
        list(Crew.objects.order_by("id").values()),
        list(Assignment.objects.order_by("id").values()),
        AssignmentStep.objects.count(),
        TimelineEntry.objects.count(),
        AuditEntry.objects.exclude(action="access_denied").count(),
        OutboxRow.objects.count(),
    )


def names(subject=None):
    rows = OutboxRow.objects.order_by("id")
    return list(
        (rows.filter(subject=subject) if subject else rows).values_list("name", flat=True)
    )


def move(row, status, by, clock, notes=""):
    return services.move_assignment(
        assignment_id=row.id, status=status, notes=notes, by=by, at=clock.forward(minutes=1)
    )


def test_assign_writes_rows_audit_and_event(outage, operator, clock):
    target = outage()
    row = services.assign(
        outage_id=target.label, crew_name=" Line  Crew Alpha ", crew_type="line_crew",
        estimated_arrival_at=clock.at + timedelta(hours=1), notes=" bucket truck ",
        by=operator, at=clock.at,
    )  # fmt: skip
    row.refresh_from_db()
    assert (row.status, row.notes, row.crew.name) == (
        "assigned",
        "bucket truck",
        "Line Crew Alpha",
    )
    assert row.crew.is_ad_hoc
    assert (row.assigned_at, row.assigned_by) == (clock.at, "Olga Operator")
    step = row.steps.get()
    assert (step.before, step.after, step.notes) == ("", "assigned", "bucket truck")
    entry = AuditEntry.objects.get(action="crew_assign")
    assert (entry.user_id, entry.resource_id) == (operator.user_id, str(row.id))
    assert names(f"outage:{target.id}") == ["outages.noted", "crews.assigned"]
    assert names(f"crew:{row.crew_id}") == ["crews.changed"]
    said = TimelineEntry.objects.get(outage=target)
    assert said.text == "Line Crew Alpha assigned: bucket truck"
    target.refresh_from_db()
    assert target.status == "detected"


def test_a_known_name_finds_its_crew_in_any_spelling(crew, assigned):
    known = crew("Line Crew Alpha")
    row = assigned("  line crew ALPHA ", crew_type="tree_crew")
    assert row.crew_id == known.id
    assert row.crew_type == "tree_crew"
    assert row.crew.crew_type == "line_crew"
    assert Crew.objects.count() == 1


def test_a_crew_may_have_several_assignments(assigned, outage):
    target = outage()
    first, second = assigned(target=target), assigned(target=target)
    third = assigned()
    assert first.crew_id == second.crew_id == third.crew_id
    assert Assignment.objects.count() == 3


def test_on_whose_behalf_is_kept(outage, clock, operator):
    service = Actor(
        ActorKind.SERVICE,
        "scada bridge",
        permissions=operator.permissions,
        on_behalf_of="john",
    )
    row = services.assign(
        outage_id=outage().id, crew_name="A", crew_type="line_crew", by=service, at=clock.at
    )
    moved = move(row, S.EN_ROUTE, service, clock)
    assert row.on_behalf_of == "john"
    assert list(moved.steps.values_list("on_behalf_of", flat=True)) == ["john", "john"]


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"crew_type": "boat_crew"}, Invalid),
        ({"crew_name": " "}, Invalid),
        ({"notes": "x" * 2001}, Invalid),
        ({"outage_id": uuid4()}, NotFound),
        ({"outage_id": "OUT999999"}, NotFound),
    ],
)
def test_a_refused_assignment_changes_nothing(outage, operator, clock, values, refusal):
    given = {"outage_id": outage().id, "crew_name": "A", "crew_type": "line_crew"}
    before = world()
    with pytest.raises(refusal):
        services.assign(**{**given, **values}, by=operator, at=clock.at)
    assert world() == before


@pytest.mark.parametrize("status", ["restored", "cancelled"])
def test_nobody_is_sent_to_a_closed_outage(outage, operator, clock, status):
    target = outage(status)
    before = world()
    with pytest.raises(OutageClosed):
        services.assign(
            outage_id=target.id,
            crew_name="A",
            crew_type="line_crew",
            by=operator,
            at=clock.at,
        )
    assert world() == before


@pytest.mark.django_db(transaction=True)
def test_who_may_not_is_refused_and_recorded(outage, assigned, stranger, clock):
    row = assigned()
    before = world()
    with pytest.raises(Forbidden):
        services.assign(
            outage_id=row.outage_id,
            crew_name="B",
            crew_type="line_crew",
            by=stranger,
            at=clock.at,
        )
    with pytest.raises(Forbidden):
        move(row, S.EN_ROUTE, stranger, clock)
    with pytest.raises(Forbidden):
        services.cancel_assignment(assignment_id=row.id, notes="", by=stranger, at=clock.at)
    assert world() == before
    denied = AuditEntry.objects.filter(action="access_denied", user_id=stranger.user_id)
    assert denied.count() == 3


def test_the_first_report_of_work_moves_the_outage(assigned, outage, operator, clock):
    target = outage("confirmed")
    first, second = assigned("A", target), assigned("B", target)
    move(first, S.EN_ROUTE, operator, clock, "leaving")
    target.refresh_from_db()
    assert (target.status, target.in_progress_at) == ("in_progress", clock.at)
    move(second, S.ON_SITE, operator, clock)
    target.refresh_from_db()
    assert target.in_progress_at < clock.at
    assert names(f"outage:{target.id}").count("outages.moved") == 1


def test_a_full_day_stamps_every_time_once(assigned, operator, clock):
    row = assigned()
    times = {}
    for status, field in [
        (S.EN_ROUTE, "en_route_at"), (S.ON_SITE, "on_site_at"), (S.WORK_COMPLETED, "completed_at"),
    ]:  # fmt: skip
        row = move(row, status, operator, clock)
        times[field] = clock.at
    row.refresh_from_db()
    assert {field: getattr(row, field) for field in times} == times
    assert [s.after for s in row.steps.order_by("id")] == list(S.values[:4])
    assert AuditEntry.objects.filter(action="crew_status").count() == 3
    assert names(f"outage:{row.outage_id}").count("crews.assignment_moved") == 3


def test_skipping_leaves_the_skipped_times_empty(assigned, operator, clock):
    row = move(assigned(), S.WORK_COMPLETED, operator, clock)
    assert (row.en_route_at, row.on_site_at) == (None, None)


@pytest.mark.parametrize("status", [S.ASSIGNED, S.EN_ROUTE, S.ON_SITE])
def test_a_refused_step_changes_nothing(assigned, operator, clock, status):
    row = move(assigned(), S.ON_SITE, operator, clock)
    before = world()
    with pytest.raises(StepRefused):
        move(row, status, operator, clock)
    assert world() == before


def test_a_step_never_bears_an_earlier_time_than_the_one_before(assigned, operator, clock):
    row = move(assigned(), S.EN_ROUTE, operator, clock)
    late = services.move_assignment(
        assignment_id=row.id, status=S.ON_SITE, notes="", by=operator,
        at=clock.at - timedelta(hours=1),
    )  # fmt: skip
    assert late.on_site_at == row.en_route_at


def test_calling_a_crew_back(assigned, operator, clock):
    row = move(assigned(), S.EN_ROUTE, operator, clock)
    back = services.cancel_assignment(
        assignment_id=row.id, notes="false alarm", by=operator, at=clock.forward(minutes=5)
    )
    assert (back.status, back.cancelled_at, back.notes) == (
        "cancelled",
        clock.at,
        "false alarm",
    )
    with pytest.raises(Conflict):
        move(back, S.ON_SITE, operator, clock)


def test_notes_may_follow_after_the_work(assigned, operator, clock):
    row = move(assigned(), S.WORK_COMPLETED, operator, clock)
    noted = services.note_assignment(
        assignment_id=row.id,
        notes="spare fuse left",
        by=operator,
        at=clock.forward(minutes=5),
    )
    noted.refresh_from_db()
    assert (noted.notes, noted.status) == ("spare fuse left", "work_completed")
    assert AuditEntry.objects.filter(action="crew_note").count() == 1


def test_a_crew_works_only_its_own_assignments(assigned, crew, member, operator, clock):
    own, other = member("Mike"), member("Oscar")
    alpha = crew("Alpha")
    services.join_crew(crew_id=alpha.id, user_id=own.user_id, by=operator, at=clock.at)
    row = assigned("Alpha")
    before = world()
    with pytest.raises(NotFound):
        move(row, S.EN_ROUTE, other, clock)
    assert world() == before
    assert move(row, S.EN_ROUTE, own, clock).status == "en_route"
    with pytest.raises(Forbidden):
        services.cancel_assignment(assignment_id=row.id, notes="", by=own, at=clock.at)


def test_joining_and_leaving_reach_open_assignments(
    assigned, crew, member, operator, clock
):
    mike, alpha = member("Mike"), crew("Alpha")
    row = assigned("Alpha")
    with pytest.raises(NotFound):
        move(row, S.EN_ROUTE, mike, clock)
    services.join_crew(crew_id=alpha.id, user_id=mike.user_id, by=operator, at=clock.at)
    move(row, S.EN_ROUTE, mike, clock)
    services.leave_crew(crew_id=alpha.id, user_id=mike.user_id, by=operator, at=clock.at)
    with pytest.raises(NotFound):
        move(row, S.ON_SITE, mike, clock)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(Status.RESTORED, "work_completed"), (Status.CANCELLED, "cancelled")],
)
def test_a_closed_outage_closes_its_assignments(
    assigned, outage, operator, clock, relay_now, status, outcome
):
    target = outage()
    open_row, done = assigned("A", target), assigned("B", target)
    other = assigned("A")
    done = move(done, S.WORK_COMPLETED, operator, clock, "fixed")
    done_at = done.completed_at
    outages.change_status(
        outage_id=target.id,
        status=status,
        notes="",
        by=operator,
        at=clock.forward(minutes=5),
    )
    relay_now()
    for row in (open_row, done, other):
        row.refresh_from_db()
    assert (open_row.status, open_row.on_site_at) == (outcome, None)
    assert (done.status, done.completed_at, done.notes) == (
        "work_completed",
        done_at,
        "fixed",
    )
    assert other.status == "assigned"
    count = services.close_with_outages(
        outcomes={target.id: S.CANCELLED}, by=operator, at=clock.at
    )
    assert count == 0


def test_crews_follow_a_merged_outage(assigned, outage, operator, clock):
    first, second, third = outage(), outage(), outage()
    row, done = assigned("A", first), assigned("B", first)
    move(done, S.WORK_COMPLETED, operator, clock)
    second.merged_into = third
    second.save()
    first.refresh_from_db()
    first.merged_into = second
    first.save()
    ids = [first.id, second.id, third.id]
    assert services.follow_merges(outage_ids=ids, by=operator, at=clock.at) == 1
    assert services.follow_merges(outage_ids=ids, by=operator, at=clock.at) == 0
    row.refresh_from_db()
    done.refresh_from_db()
    assert (row.outage_id, done.outage_id) == (third.id, first.id)


def test_a_report_on_a_merged_outage_reaches_the_one_that_stands(
    assigned, outage, operator, clock
):
    first, second = outage(), outage()
    row = assigned("A", first)
    first.merged_into = second
    first.save()
    assert move(row, S.ON_SITE, operator, clock).outage_id == second.id
    second.refresh_from_db()
    assert second.status == "in_progress"


@pytest.mark.parametrize(
    "values",
    [
        {"status": "en_route"},
        {"status": "on_site"},
        {"status": "work_completed"},
        {"status": "cancelled"},
        {"status": "asleep"},
        {"on_site_at": "2026-11-21T12:00Z"},
        {"completed_at": "2026-11-21T12:00Z"},
        {"crew_type": "boat_crew"},
    ],
)
def test_the_database_ties_status_and_times(assigned, values):
    row = assigned()
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.filter(id=row.id).update(**values)


def test_the_database_refuses_steps_back_and_a_second_arrival(assigned, operator, clock):
    row = move(assigned(), S.ON_SITE, operator, clock)
    rows = Assignment.objects.filter(id=row.id)
    refused = [
        {"status": "assigned", "on_site_at": None},
        {"status": "en_route", "en_route_at": clock.at, "on_site_at": None},
        {"on_site_at": clock.at + timedelta(minutes=1)},
    ]
    for values in refused:
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**values)
    move(row, S.WORK_COMPLETED, operator, clock)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(status="cancelled", completed_at=None, cancelled_at=clock.at)


@pytest.mark.django_db(transaction=True)
def test_the_trigger_holds_for_replicas_too():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgenabled FROM pg_trigger WHERE tgname = 'crews_assignment_step'"
        )
        assert cursor.fetchone() == ("A",)
