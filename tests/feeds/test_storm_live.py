"""A storm through the public door of a running portal."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from apps.accounts.rules import Scope
from apps.accounts.services import issue_service_token
from apps.core.actor import system
from apps.crews.rules import CrewType, Profile
from apps.crews.services import create_crew
from apps.feeds.simulator import ground
from apps.feeds.simulator.client import Portal, Refused
from apps.feeds.simulator.incident import Pace
from apps.feeds.simulator.runner import Runner
from apps.feeds.simulator.simulation import Simulation
from apps.feeds.storms import Cause, Fault, Habits, Speaker
from apps.outages import selectors as outages
from apps.outages.services import judge

US = system("tests")
HABITS = Habits(last_gasp=1, gasp_delay=1, longest_delay=2, retry=0.3, scada_late=0)


@pytest.fixture
def portal(live_portal, town):
    _, secret = issue_service_token(
        name="head-end", scopes=Scope.values, by=US, at=datetime.now(UTC)
    )
    found = Portal(live_portal, lambda: secret)
    yield found
    found.close()


def judge_all(at):
    for number in {row.feeder_number for row in outages.open_outages(viewer=US)}:
        judge(key=f"feeder:{number}", at=at)


def test_a_storm_gives_outages_at_the_right_devices(portal):
    world = ground.world()
    speaker = Speaker(world, Random(2), HABITS, "storm-live")
    at = datetime.now(UTC) - timedelta(minutes=10)
    said = []
    for number, (cause, device) in enumerate(
        [(Cause.FEEDER, "CB-2"), (Cause.TRANSFORMER, "T-3")], start=1
    ):
        meters = tuple(world.below(device))
        said += speaker.loss(Fault(number, cause, device, at, meters))
    events = [signal.event for signal in sorted(said, key=lambda s: s.arrives_at)]
    results = portal.report(events)
    assert not any("error" in result for result in results)
    judge_all(datetime.now(UTC))
    shown = {row["device_id"]: row for row in portal.outages()["outages"]}
    assert set(shown) == {"CB-2", "T-3"}
    assert shown["CB-2"]["affected_customers_count"] == 3
    assert shown["T-3"]["affected_customers_count"] == 3

    again = portal.report(events)
    assert all(result["duplicate"] for result in again)
    assert {row["device_id"] for row in portal.outages()["outages"]} == {"CB-2", "T-3"}


def test_the_simulator_breaks_something_and_repairs_it(portal):
    """A fault, its outage, the dispatcher's crew, and power again, as fast as it goes."""
    profile = Profile(name="Line Crew Alpha", crew_type=CrewType.LINE_CREW)
    create_crew(profile=profile, by=US, at=datetime.now(UTC))
    from_the_registry = ground.world()
    start = datetime.now(UTC) - timedelta(minutes=20)
    day = Simulation(from_the_registry, seed=5, run="sim-t", pace=Pace(), starts_at=start)
    day.next_fault_at = start + timedelta(days=1)
    runner = Runner(day, portal, lambda _: None)
    fault = Fault(1, Cause.TRANSFORMER, "T-4", start, (9, 10, 11))
    fault = Fault(1, Cause.TRANSFORMER, "T-4", start, tuple(from_the_registry.below("T-4")))
    day.calm.habits = HABITS
    day._begin(fault)
    statuses = []
    for second in range(2, 600, 4):
        runner.turn(start + timedelta(seconds=second))
        row = outages.outages(viewer=US).first()
        if row is not None and row.status not in statuses:
            statuses.append(row.status)
        if not day.incidents:
            break
    judge_all(datetime.now(UTC))
    assert not day.dark
    assert statuses[-1] == "restored"
    assert {"confirmed", "in_progress"} & set(statuses)
    assert outages.outages(viewer=US).get().device_code == "T-4"
    assert portal.outages()["outages"] == []


def test_what_an_earlier_run_left_is_taken_over(portal):
    world = ground.world()
    at = datetime.now(UTC) - timedelta(minutes=2)
    speaker = Speaker(world, Random(2), HABITS, "sim-1a")
    fault = Fault(1, Cause.FEEDER, "CB-2", at, tuple(world.below("CB-2")))
    portal.report([signal.event for signal in speaker.loss(fault)])
    judge_all(datetime.now(UTC))
    day = Simulation(world, seed=1, run="sim-2b", pace=Pace(), starts_at=at)
    assert ground.take_over(day, portal, datetime.now(UTC)) == 1
    (incident,) = day.incidents.values()
    assert (incident.fault.device, incident.fault.cause) == ("CB-2", Cause.FEEDER)
    assert ground.left_open(day, "sim-2b", at) == []
    day.incidents.clear()
    (event,) = ground.left_open(day, "sim-2b", at)
    assert (event["device_id"], event["event_type"]) == ("CB-2", "breaker_close")


def test_an_unknown_token_is_refused(live_portal):
    with pytest.raises(Refused):
        Portal(live_portal, lambda: "oms_nobody").outages()
