"""What is read of crews, by whom, and with how many queries."""

from uuid import uuid4

import pytest

from apps.core.errors import Forbidden, NotFound
from apps.crews import selectors, services
from apps.crews.rules import AssignmentStatus as S
from apps.crews.rules import CrewType

pytestmark = pytest.mark.django_db


def test_active_crews_are_open_assignments(assigned, operator, clock):
    first = assigned("Alpha", notes="bucket truck")
    clock.forward(minutes=1)
    second = assigned("Beta")
    services.move_assignment(
        assignment_id=second.id, status=S.WORK_COMPLETED, notes="", by=operator, at=clock.at
    )
    clock.forward(minutes=1)
    third = assigned("Gamma")
    found = selectors.active_crews(viewer=operator)
    assert [view.assignment_id for view in found] == [third.id, first.id]
    view = found[1]
    assert (view.crew_name, view.crew_type, view.status) == (
        "Alpha",
        "line_crew",
        "assigned",
    )
    assert (view.outage_id, view.outage_number) == (first.outage_id, first.outage.label)
    assert (view.notes, view.assigned_by, view.arrived_at) == (
        "bucket truck",
        "Olga Operator",
        None,
    )


def test_available_crews_are_on_shift_and_free(crew, assigned, operator, clock):
    crew("Beta")
    crew("alpha")
    crew("Off", on_shift=False)
    crew("Busy")
    assigned("Busy")
    found = selectors.available_crews(viewer=operator)
    assert [view.name for view in found] == ["alpha", "Beta"]
    assert {view.availability for view in found} == {"available"}
    counts = selectors.counts(viewer=operator)
    assert (counts.active, counts.available, counts.total) == (1, 2, 4)
    every = {view.name: view.availability for view in selectors.crews(viewer=operator)}
    assert every == {
        "alpha": "available", "Beta": "available", "Busy": "assigned", "Off": "off_shift",
    }  # fmt: skip


def test_one_busy_crew_counts_once(assigned, operator):
    assigned("Busy")
    assigned("Busy")
    counts = selectors.counts(viewer=operator)
    assert (counts.active, counts.available, counts.total) == (1, 0, 1)


def test_a_crew_sees_its_own_assignments_only(crew, assigned, member, operator, clock):
    mike, alpha, target = member("Mike"), crew("Alpha"), None
    services.join_crew(crew_id=alpha.id, user_id=mike.user_id, by=operator, at=clock.at)
    own = assigned("Alpha")
    other = assigned("Beta", target=own.outage)
    assert [v.assignment_id for v in selectors.active_crews(viewer=mike)] == [own.id]
    views = selectors.assignments_of(outage_id=own.outage_id, viewer=mike)
    assert [v.assignment_id for v in views] == [own.id]
    assert len(selectors.assignments_of(outage_id=own.outage_id, viewer=operator)) == 2
    assert selectors.assignment(assignment_id=own.id, viewer=mike).crew_name == "Alpha"
    with pytest.raises(NotFound):
        selectors.assignment(assignment_id=other.id, viewer=mike)
    assert selectors.may_work(assignment_id=own.id, viewer=mike)
    assert not selectors.may_work(assignment_id=other.id, viewer=mike)
    assert target is None


@pytest.mark.django_db(transaction=True)
def test_strangers_see_nothing(assigned, stranger):
    row = assigned()
    for call in (
        lambda: selectors.active_crews(viewer=stranger),
        lambda: selectors.available_crews(viewer=stranger),
        lambda: selectors.crews(viewer=stranger),
        lambda: selectors.counts(viewer=stranger),
        lambda: selectors.assignment(assignment_id=row.id, viewer=stranger),
        lambda: selectors.assignments_of(outage_id=row.outage_id, viewer=stranger),
        lambda: selectors.suggestions(outage=row.outage, viewer=stranger),
    ):
        with pytest.raises(Forbidden):
            call()


def test_assignments_of_a_merged_outage_stay_in_sight(assigned, outage, operator, clock):
    first, second = outage(), outage()
    row = assigned("Alpha", first)
    services.move_assignment(
        assignment_id=row.id, status=S.WORK_COMPLETED, notes="", by=operator, at=clock.at
    )
    first.refresh_from_db()
    first.merged_into = second
    first.save()
    views = selectors.assignments_of(outage_id=second.id, viewer=operator)
    assert [v.assignment_id for v in views] == [row.id]


def test_steps_are_told_in_order(assigned, operator, clock):
    row = assigned()
    services.move_assignment(
        assignment_id=row.id, status=S.ON_SITE, notes="there", by=operator, at=clock.at
    )
    steps = selectors.steps_of(assignment_id=row.id, viewer=operator)
    assert [(s.before, s.after, s.notes) for s in steps] == [
        ("", "assigned", ""), ("assigned", "on_site", "there"),
    ]  # fmt: skip
    with pytest.raises(NotFound):
        selectors.steps_of(assignment_id=uuid4(), viewer=operator)


def test_the_soonest_of_the_right_type_is_suggested_first(crew, assigned, outage, operator):
    target = outage(latitude=31.95, longitude=35.93)
    crew("Far", place=(32.05, 35.93))
    crew("Near", place=(31.96, 35.93))
    crew("Nowhere")
    crew("Trees", crew_type=CrewType.TREE_CREW, place=(31.95, 35.93))
    crew("Off", place=(31.95, 35.93), on_shift=False)
    crew("Busy", place=(31.95, 35.93))
    assigned("Busy")
    found = selectors.suggestions(outage=target, viewer=operator)
    assert [s.crew.name for s in found] == ["Near", "Far", "Nowhere"]
    near, far, nowhere = found
    assert near.distance_m == pytest.approx(1112, abs=1)
    assert (near.minutes, far.minutes) == (3, 23)
    assert (nowhere.distance_m, nowhere.minutes) == (None, None)


def test_equals_stand_by_name_whatever_the_order_of_rows(crew, outage, operator):
    for name in ("Charlie", "alpha", "Bravo"):
        crew(name, place=(31.96, 35.93))
    found = selectors.suggestions(outage=outage(), viewer=operator)
    assert [s.crew.name for s in found] == ["alpha", "Bravo", "Charlie"]


def test_a_critical_outage_is_proposed_emergency_crews_too(crew, outage, operator):
    crew("E", crew_type=CrewType.EMERGENCY_CREW, place=(31.96, 35.93))
    crew("L", place=(31.97, 35.93))
    names = [
        [
            s.crew.name
            for s in selectors.suggestions(outage=outage(severity=word), viewer=operator)
        ]
        for word in ("critical", "low")
    ]
    assert names == [["E", "L"], ["L"]]


def test_an_outage_without_a_place_gets_crews_by_name(crew, outage, operator):
    crew("B", place=(31.96, 35.93))
    crew("A")
    target = outage(latitude=None, longitude=None)
    found = selectors.suggestions(outage=target, viewer=operator)
    assert [(s.crew.name, s.minutes) for s in found] == [("A", None), ("B", None)]


@pytest.mark.parametrize("count", [1, 12])
def test_queries_do_not_grow_with_rows(
    crew, assigned, outage, operator, django_assert_num_queries, count
):
    target = outage()
    for number in range(count):
        assigned(f"Crew {number}", target)
        crew(f"Free {number}", place=(31.9, 35.9))
    selectors.suggestions(outage=target, viewer=operator)
    with django_assert_num_queries(1):
        assert len(selectors.active_crews(viewer=operator)) == count
    with django_assert_num_queries(1):
        assert len(selectors.available_crews(viewer=operator)) == count
    with django_assert_num_queries(1):
        assert len(selectors.assignments_of(outage_id=target.id, viewer=operator)) == count
    with django_assert_num_queries(1):
        assert len(selectors.suggestions(outage=target, viewer=operator)) == count
    with django_assert_num_queries(1):
        assert selectors.counts(viewer=operator).total == 2 * count
