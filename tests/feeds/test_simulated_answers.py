"""What the simulated meters say when they are asked: the truth of their world, if reached."""

from datetime import UTC, datetime, timedelta

from apps.feeds.simulator.incident import Pace
from apps.feeds.simulator.runner import Runner
from apps.feeds.simulator.simulation import UNREACHED, Simulation
from apps.feeds.storms import Cause, Fault

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
METERS = [{"meter_id": f"m{n}", "state": "pending"} for n in range(1, 25)]
WANTED = {"verification_id": "v1", "outage_id": "o1", "meters": METERS}


class HeadEnd:
    """A portal that wants meters asked."""

    def __init__(self, *wanted):
        self.wanted, self.told = wanted, []

    def report(self, events):
        return [{"outage_id": None} for _ in events]

    def outages(self):
        return {"outages": []}

    def crews(self):
        return {"active_crews": [], "available_crews": []}

    def verifications(self):
        return list(self.wanted)

    def post(self, path, body):
        self.told.append((path, body["answers"]))
        return True


def day(world, seed=4):
    made = Simulation(world, seed=seed, run="sim-1", pace=Pace(), starts_at=START)
    made.next_fault_at = START + timedelta(days=1)
    made.adopt(Fault(1, Cause.TRANSFORMER, "e3", START, tuple(range(6))), "o1", "detected")
    return made


def said(found):
    return {one["meter_id"]: one["result"] for one in found}


def test_dark_meters_say_so_and_a_few_are_not_reached(world):
    found = said(day(world).answers(WANTED, START))
    dark = {meter for meter, result in found.items() if result == "dark"}
    powered = {meter for meter, result in found.items() if result == "powered"}
    assert dark <= {f"m{n}" for n in range(1, 7)}
    assert powered <= {f"m{n}" for n in range(7, 25)}
    reached = 0
    for seed in range(50):
        reached += len(METERS)
        reached -= list(said(day(world, seed).answers(WANTED, START)).values()).count(
            "no_answer"
        )
    assert abs(1 - reached / (50 * len(METERS)) - UNREACHED) < 0.03


def test_of_the_outages_of_others_it_says_nothing(world):
    assert day(world).answers({**WANTED, "outage_id": "o9"}, START) == []


def test_a_meter_that_it_does_not_know_does_not_answer(world):
    wanted = {**WANTED, "meters": [{"meter_id": "m999"}]}
    assert said(day(world).answers(wanted, START)) == {"m999": "no_answer"}


def test_what_is_asked_changes_nothing_of_the_day(world):
    plain, asked = day(world), day(world)
    asked.answers(WANTED, START)
    at = START + timedelta(days=2)
    assert plain.advance(at) == asked.advance(at)


def test_the_runner_answers_what_waits(world):
    portal = HeadEnd(WANTED, {**WANTED, "verification_id": "v2", "outage_id": "o9"})
    runner = Runner(day(world), portal, lambda _: None)
    for tenth in range(15):
        runner.turn(START + timedelta(seconds=tenth / 10))
    ((path, answers),) = portal.told
    assert path == "/api/oms/verifications/v1/answer"
    assert len(answers) == len(METERS)
    runner.turn(START + timedelta(seconds=3))
    assert len(portal.told) == 2


def test_what_was_restored_is_still_its_own(world):
    made = day(world)
    (incident,) = made.incidents.values()
    incident.is_repaired = True
    made.advance(START + timedelta(seconds=1))
    found = set(said(made.answers(WANTED, START)).values())
    assert found <= {"powered", "no_answer"}
