"""Many at once: one crew a name, one winner a step, nobody sent to what is over."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from apps.core.errors import Conflict
from apps.crews import services
from apps.crews.models import Assignment, AssignmentStep, Crew
from apps.crews.rules import AssignmentStatus as S
from apps.outages import services as outages
from apps.outages.rules import Status

pytestmark = pytest.mark.django_db(transaction=True)


def together(calls):
    """Run the calls at once, each on a connection of its own; return results or refusals."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        try:
            connection.ensure_connection()
            barrier.wait(30)
            return call()
        except Conflict as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_one_unknown_name_becomes_one_crew(outage, operator, clock):
    target, places = outage(), [outage() for _ in range(8)]
    spellings = ["Night Crew", "night crew", " NIGHT  CREW ", "Night crew"]

    def assign(number):
        return services.assign(
            outage_id=(target if number % 2 else places[number % 8]).id,
            crew_name=spellings[number % 4], crew_type="line_crew", by=operator, at=clock.at,
        )  # fmt: skip

    found = together([lambda n=n: assign(n) for n in range(64)])
    assert Crew.objects.count() == 1
    assert {row.crew_id for row in found} == {Crew.objects.get().id}
    assert Assignment.objects.count() == 64


def test_one_step_has_one_winner(assigned, operator, clock):
    row = assigned()

    def arrive():
        return services.move_assignment(
            assignment_id=row.id, status=S.ON_SITE, notes="", by=operator, at=clock.at
        )

    found = together([arrive] * 16)
    assert sum(not isinstance(one, Conflict) for one in found) == 1
    assert AssignmentStep.objects.filter(after="on_site").count() == 1


def test_restoring_and_sending_at_once_leave_nobody_behind(
    outage, operator, clock, relay_now
):
    for _ in range(5):
        target = outage()

        def restore(target=target):
            return outages.change_status(
                outage_id=target.id,
                status=Status.RESTORED,
                notes="",
                by=operator,
                at=clock.at,
            )

        def send(target=target):
            return services.assign(
                outage_id=target.id,
                crew_name="A",
                crew_type="line_crew",
                by=operator,
                at=clock.at,
            )

        found = together([send, restore, send, send])
        relay_now()
        rows = Assignment.objects.filter(outage=target)
        assert rows.count() == sum(isinstance(one, Assignment) for one in found)
        assert not rows.filter(status__in=["assigned", "en_route", "on_site"]).exists()
