"""How crews did: response, work, and the arrival against the time that was given."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.core.errors import Forbidden
from apps.crews import selectors, services
from apps.crews.rules import AssignmentStatus, Course, performance_of

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def minutes(number):
    return timedelta(minutes=number)


def course(crew, promised, arrived, done):
    def moment(after):
        return None if after is None else AT + minutes(after)

    return Course(crew, AT, moment(promised), moment(arrived), moment(done))


def test_medians_and_the_share_on_time():
    found = performance_of(
        [
            course("B", 30, 20, 80),
            course("A", None, None, None),
            course("B", 30, 35, 65),
            course("B", 30, 36, None),
            course("B", None, 60, 61),
        ]
    )
    first, second = found
    assert (first.crew_name, first.assignments) == ("A", 1)
    assert (first.response, first.work, first.late, first.on_time) == (None,) * 4
    assert (second.crew_name, second.assignments) == ("B", 4)
    assert (second.response, second.work) == (minutes(35.5), minutes(30))
    assert (second.late, second.on_time) == (minutes(5), 2 / 3)


@pytest.mark.django_db
def test_it_is_read_from_the_assignments_of_a_period(outage, operator, stranger, clock):
    given = services.assign(
        outage_id=outage().id,
        crew_name="Alpha",
        crew_type="line_crew",
        estimated_arrival_at=clock.at + minutes(30),
        by=operator,
        at=clock.at,
    )
    begun = clock.at
    for after, word in ((20, "on_site"), (50, "work_completed")):
        services.move_assignment(
            assignment_id=given.id,
            status=AssignmentStatus(word),
            notes="",
            by=operator,
            at=begun + minutes(after),
        )
    (one,) = selectors.performance(viewer=operator, since=begun)
    assert (one.crew_name, one.response, one.work, one.late, one.on_time) == (
        "Alpha", minutes(20), minutes(30), minutes(-10), 1.0,
    )  # fmt: skip
    assert selectors.performance(viewer=operator, since=begun + minutes(1)) == []
    with pytest.raises(Forbidden):
        selectors.performance(viewer=stranger, since=begun)
