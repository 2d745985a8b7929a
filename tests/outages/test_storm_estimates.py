"""Estimates in a storm: the queue before the crews, played ahead."""

from datetime import timedelta

import pytest

from apps.core.actor import Actor, ActorKind
from apps.crews import services as crews
from apps.crews.models import Assignment, Crew
from apps.crews.rules import AssignmentStatus
from apps.outages import services
from apps.outages.models import EtrEstimate
from apps.outages.rules import EtrSource, Status, ZoneKind
from apps.outages.rules.queueing import Job, Place, Team, play_queue

HERE, FAR = Place(31.95, 35.91), Place(31.95, 36.01)
HOUR = 3600.0
SPEED = 30 / 3.6
MANAGER = Actor(
    ActorKind.PERSON,
    "Mona",
    permissions=frozenset({"outages.storm_mode", "outages.operate_outage"}),
)


def job(key, urgency, place=HERE, worked=0.0):
    return Job(key, place, [HOUR], (urgency,), worked)


def ends(jobs, teams):
    found = play_queue(jobs, teams, speed=SPEED)
    return {key: round(end.middle / HOUR, 2) for key, end in found.items()}


def test_one_team_takes_one_after_the_other_the_most_urgent_first():
    jobs = [job("c", 3.0), job("a", 1.0), job("b", 2.0)]
    assert ends(jobs, [Team(HERE)]) == {"a": 1.0, "b": 2.0, "c": 3.0}
    assert ends(jobs, [Team(HERE), Team(HERE)]) == {"a": 1.0, "b": 1.0, "c": 2.0}


def test_travel_counts_and_who_is_there_goes_on_where_they_are():
    assert ends([job("a", 1.0, FAR)], [Team(HERE)])["a"] == 1.31
    jobs = [job("a", 1.0), job("b", 2.0, worked=HOUR / 2)]
    assert ends(jobs, [Team(FAR, ("b",))]) == {"a": 1.5, "b": 0.5}


def test_without_a_team_nothing_is_said_and_the_same_queue_says_the_same():
    jobs = [
        Job(n, HERE, [HOUR * (1 + k) for k in range(20)], (float(n),)) for n in range(8)
    ]
    assert play_queue(jobs, [], speed=SPEED) == {}
    first = play_queue(jobs, [Team(HERE)] * 3, speed=SPEED)
    assert first == play_queue(jobs, [Team(HERE)] * 3, speed=SPEED)
    assert all(end.low <= end.middle <= end.high for end in first.values())
    assert first[0].middle < first[7].middle


@pytest.fixture
def crew(db, clock):
    return Crew.objects.create(
        code="L1",
        name="Line 1",
        name_key="line 1",
        crew_type="line_crew",
        latitude=HERE.latitude,
        longitude=HERE.longitude,
        position_at=clock.at,
        created_at=clock.at,
    )


@pytest.fixture
def storm(db, clock):
    services.set_storm_mode(on=True, by=MANAGER, at=clock.at)
    yield
    services.set_storm_mode(on=False, by=MANAGER, at=clock.at)


def test_in_a_storm_the_queue_speaks_and_the_ledger_scores_it(
    storm, crew, open_outage, clock
):
    first, second = open_outage("CB-1"), open_outage("T-5")
    assert crews.estimate_in_storm(at=clock.at) == 2
    first.refresh_from_db()
    second.refresh_from_db()
    assert {first.etr_source, second.etr_source} == {"storm"}
    wait = second.estimated_restoration_at - first.estimated_restoration_at
    assert wait > timedelta(minutes=85), "a transformer waits for the breaker's crew"
    row = EtrEstimate.objects.get(outage=second, source=EtrSource.STORM)
    assert row.low_at < row.estimate_at < row.high_at
    assert crews.estimate_in_storm(at=clock.forward(minutes=1)) == 2
    assert EtrEstimate.objects.filter(source=EtrSource.STORM).count() == 2, "no news"
    services.change_status(
        outage_id=first.id,
        status=Status.RESTORED,
        notes="",
        by=MANAGER,
        at=clock.forward(minutes=9),
    )
    services.score_estimates(outage_ids=[first.id], by=MANAGER)
    scored = EtrEstimate.objects.get(outage=first, source=EtrSource.STORM)
    assert scored.error_seconds == round((clock.at - scored.estimate_at).total_seconds())


def test_who_is_on_site_makes_the_wait_of_the_others_shorter(
    storm, crew, open_outage, clock
):
    outage = open_outage("T-1")
    crews.estimate_in_storm(at=clock.at)
    outage.refresh_from_db()
    Assignment.objects.create(
        outage=outage,
        crew=crew,
        crew_type="line_crew",
        status=AssignmentStatus.ON_SITE,
        assigned_at=clock.at,
        on_site_at=clock.at,
        updated_at=clock.at,
    )
    before = outage.estimated_restoration_at
    crews.estimate_in_storm(at=clock.forward(minutes=120))
    outage.refresh_from_db()
    assert outage.estimated_restoration_at < before + timedelta(minutes=120)


def test_what_people_said_stands_and_calm_is_not_simulated(crew, open_outage, clock):
    outage, zoned = open_outage("T-1"), open_outage("T-5")
    assert crews.estimate_in_storm(at=clock.at) == 0
    services.set_storm_mode(on=True, by=MANAGER, at=clock.at)
    said = clock.at + timedelta(hours=7)
    services.publish_etr(
        outage_id=outage.id, estimate_at=said, source=EtrSource.OPERATOR,
        by=MANAGER, at=clock.at,
    )  # fmt: skip
    services.set_zone_estimate(
        zone_kind=ZoneKind.FEEDER, zone_code="F2", estimate_at=said, by=MANAGER, at=clock.at
    )
    assert crews.estimate_in_storm(at=clock.at) == 0
    outage.refresh_from_db()
    zoned.refresh_from_db()
    assert (outage.estimated_restoration_at, zoned.estimated_restoration_at) == (said, said)
    services.set_storm_mode(on=False, by=MANAGER, at=clock.at)


def test_a_crew_off_shift_does_not_count(storm, crew, open_outage, clock):
    open_outage("T-1")
    Crew.objects.update(on_shift=False)
    assert crews.estimate_in_storm(at=clock.at) == 0
