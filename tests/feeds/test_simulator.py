"""The simulator's day, step by step, without a portal."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from random import Random
from threading import Thread

import pytest

from apps.feeds.simulator.client import Away, Portal, Refused
from apps.feeds.simulator.ground import left_behind
from apps.feeds.simulator.incident import Incident, Pace
from apps.feeds.simulator.runner import Runner
from apps.feeds.simulator.sight import (
    Ask,
    FreeCrew,
    MoveCrew,
    OpenOutage,
    SendCrew,
    Sent,
    SetStatus,
    Sight,
    Tell,
)
from apps.feeds.simulator.simulation import Simulation
from apps.feeds.storms import Cause, Fault
from tests.fixtures.portal import free_port

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PACE = Pace(speed=20.0)
OUTAGE = OpenOutage("o1", "detected", "medium", "e3", 6, 31.95, 35.91)
NEAR = FreeCrew("Near", "line_crew", "N", 31.951, 35.911)
FAR = FreeCrew("Far", "line_crew", "F", 32.5, 35.911)
TREE = FreeCrew("Tree", "tree_crew", "T", 31.95, 35.91)


def incident(**values):
    fault = Fault(1, Cause.TRANSFORMER, "e3", START, tuple(range(6)), **values)
    found = Incident(fault, first_event={"source_event_id": "x"})
    found.add_outage("o1")
    return found


def sight(outage=OUTAGE, sent=(), free=(FAR, NEAR, TREE)):
    return Sight({outage.id: outage} if outage else {}, sent, free)


def look(found, seconds, seen):
    return found.look(START + timedelta(seconds=seconds), seen, PACE, Random(1))


def test_the_dispatcher_leaves_people_time(world):
    assert look(incident(), 20, sight()) == []


def test_an_unattended_outage_is_confirmed_and_the_nearest_crew_of_its_kind_sent():
    confirm, send, tell = look(incident(), 45, sight())
    assert confirm == SetStatus("o1", "confirmed", confirm.notes)
    assert isinstance(send, SendCrew)
    assert send.crew == NEAR
    assert isinstance(tell, Tell)


def test_who_acted_gets_more_time():
    found = incident()
    look(found, 10, sight())
    confirmed = sight(replace(OUTAGE, status="confirmed"))
    assert look(found, 20, confirmed) == []
    assert look(found, 60, confirmed) == []
    assert any(isinstance(act, SendCrew) for act in look(found, 210, confirmed))


def test_nobody_is_sent_while_all_crews_are_out():
    assert look(incident(), 60, sight(free=(TREE,))) == []


def test_a_crew_sent_by_anybody_travels_arrives_and_works():
    found, steps, at = incident(), [], 0
    status = "assigned"
    while status != "work_completed":
        at += 2
        for act in look(found, at, sight(sent=[Sent("a1", "o1", "Alpha", status)])):
            assert isinstance(act, MoveCrew)
            status = act.status
            steps.append(status)
        assert at < 400
    assert steps == ["en_route", "on_site", "work_completed"]
    assert at > 30


def test_power_returns_when_the_crew_is_no_longer_there():
    found = incident()
    look(found, 5, sight(sent=[Sent("a1", "o1", "Alpha", "on_site")]))
    assert not found.is_repaired
    look(found, 10, sight())
    assert found.is_repaired


def test_a_vanished_outage_is_asked_for_and_then_power_returns():
    found = incident()
    assert look(found, 10, sight(outage=None)) == []
    assert look(found, 17, sight(outage=None)) == [Ask({"source_event_id": "x"})]
    assert not found.is_repaired
    look(found, 23, sight(outage=None))
    assert found.is_repaired


def test_a_merged_outage_is_followed():
    found = incident()
    look(found, 10, sight(outage=None))
    found.add_outage("o2")
    look(found, 12, sight(replace(OUTAGE, id="o2")))
    assert found.absent_since is None
    assert not found.is_repaired


def test_a_passing_fault_clears_without_anybody():
    found = incident(clears_at=START + timedelta(seconds=30))
    assert look(found, 50, sight()) == []
    assert found.is_repaired


# --- The day ------------------------------------------------------------------------------


def simulation(world, seed=4, **values):
    return Simulation(world, seed=seed, run="sim-1", pace=PACE, starts_at=START, **values)


def play(day, seconds, step=0.5):
    events, at = [], START
    while at < START + timedelta(seconds=seconds):
        at += timedelta(seconds=step)
        events += day.advance(at)
    return events


def test_a_fault_comes_within_seconds_and_is_heard_of(world):
    day = simulation(world)
    events = play(day, 40)
    assert day.incidents
    assert any(event["event_type"] != "comm_fail" for event in events)
    assert all(event["source_event_id"].startswith("sim-1-") for event in events)


def test_the_same_seed_plays_the_same_day(world):
    assert play(simulation(world), 300) == play(simulation(world), 300)


def test_the_demo_never_piles_up_without_a_portal(world):
    day = simulation(world)
    play(day, 3600, step=1)
    assert len(day.incidents) <= 4


def test_receipts_tell_the_incident_its_outage(world):
    day = simulation(world)
    found = day.break_something(START)
    event = {"source_event_id": found.first_event["source_event_id"]}
    day.receive([event], [{"outage_id": "o9"}])
    assert found.outage_ids == ["o9"]


def test_a_repair_brings_everybody_back(world):
    day = simulation(world)
    found = day.break_something(START)
    assert day.dark == set(found.fault.meters)
    found.is_repaired = True
    events = play(day, 3)
    assert not day.dark
    assert found.fault.number not in day.incidents
    assert any(event["event_type"] == "power_up" for event in events)
    assert day.grid.energised_nodes().all()


def test_below_an_open_breaker_power_returns_with_the_breaker(world):
    day = simulation(world)
    day.next_fault_at = START + timedelta(days=1)
    small = Fault(1, Cause.TRANSFORMER, "e3", START, tuple(range(6)))
    large = Fault(2, Cause.FEEDER, "e0", START, tuple(range(6, 18)))
    day.adopt(small, "o1", "detected")
    day.adopt(large, "o2", "detected")
    first, second = day.incidents.values()
    first.is_repaired = True
    day.advance(START + timedelta(seconds=1))
    assert day.dark == set(range(18))
    second.is_repaired = True
    day.advance(START + timedelta(seconds=2))
    assert day.dark == set()


def test_a_storm_brings_its_faults_within_minutes(world):
    day = simulation(world)
    day.begin_storm(faults=3, now=START)
    play(day, 181)
    assert day.storm == []
    assert len(day.dark) > 0


def test_two_incidents_in_one_outage_are_served_once(world):
    day = simulation(world)
    for number, device in ((1, "e3"), (2, "e4")):
        fault = Fault(number, Cause.TRANSFORMER, device, START, (number,))
        day.adopt(fault, "o1", "detected")
    acts = day.look(START + timedelta(seconds=60), sight())
    assert sum(isinstance(act, SendCrew) for act in acts) == 1


def test_the_demo_restores_what_its_own_dispatcher_sent_a_crew_to(world):
    day = simulation(world)
    day.adopt(Fault(1, Cause.SERVICE, "m1", START, (0,)), "o1", "detected")
    day.look(START + timedelta(seconds=60), sight())
    there = sight(sent=[Sent("a1", "o1", "Near", "on_site")], free=())
    day.look(START + timedelta(seconds=61), there)
    done = MoveCrew("a1", "Near", "work_completed", "")
    assert day.done(done, accepted=True)[0].status == "restored"


def test_it_goes_on_with_what_an_earlier_run_left(world):
    source = {"source_event_id": "sim-9-1-gasp-m2", "meter_id": "m2"}
    outage = {"device_id": "e3", "first_detected_at": START.isoformat()}
    found = left_behind(world, {"sources": [source], "outage": outage}, START)
    assert found.device == "e3"
    assert found.meters == tuple(range(6))


def test_it_leaves_the_outages_of_others_alone(world):
    outage = {"device_id": "e3", "first_detected_at": START.isoformat()}
    sources = [
        {"source_event_id": "sim-9-1-gasp-m2", "meter_id": "m2"},
        {"source_event_id": "scada_001", "meter_id": None},
    ]
    assert left_behind(world, {"sources": sources, "outage": outage}, START) is None


def test_what_meters_answered_hides_no_outage_of_an_earlier_run(world):
    outage = {"device_id": "e3", "first_detected_at": START.isoformat()}
    gasp = {"source_event_id": "sim-9-1-gasp-m2", "meter_id": "m2"}
    ping = {"source_event_id": "ping-7", "meter_id": "m9", "event_type": "ping_powered"}
    found = left_behind(world, {"sources": [gasp, ping], "outage": outage}, START)
    assert found.meters == tuple(range(6))


# --- The portal is away -------------------------------------------------------------------


class Moody:
    """A portal that takes events only when it likes."""

    def __init__(self):
        self.is_there, self.batches = True, []

    def report(self, events):
        if not self.is_there:
            raise Away("gone")
        self.batches.append([event["source_event_id"] for event in events])
        return [{"outage_id": None} for _ in events]

    def outages(self):
        return {"outages": []}

    def crews(self):
        return {"active_crews": [], "available_crews": []}

    def verifications(self):
        return []


def test_what_the_portal_did_not_take_is_sent_again_under_the_same_names(world):
    portal, day = Moody(), simulation(world)
    runner = Runner(day, portal, lambda _: None)
    portal.is_there = False
    for second in range(1, 60):
        runner.turn(START + timedelta(seconds=second))
    kept = [event["source_event_id"] for event in runner.waiting]
    assert kept
    assert portal.batches == []
    portal.is_there = True
    runner.turn(START + timedelta(seconds=75))
    sent = [name for batch in portal.batches for name in batch]
    assert sent[: len(kept)] == kept
    assert not runner.waiting


def test_it_waits_longer_each_time(world):
    portal, day = Moody(), simulation(world)
    portal.is_there = False
    runner = Runner(day, portal, lambda _: None)
    runner.waiting.append({"source_event_id": "x"})
    pauses = []
    at = START
    for _ in range(7):
        runner.turn(at)
        pauses.append((runner.quiet_until - at).total_seconds())
        at = runner.quiet_until
    assert pauses == [0.5, 1, 2, 4, 8, 10, 10]


def test_a_storm_that_was_asked_for_begins(world):
    wishes = [3]
    day = simulation(world)
    runner = Runner(day, Moody(), lambda _: wishes.pop() if wishes else None)
    runner.turn(START)
    assert len(day.storm) == 3


@pytest.fixture
def server():
    """A portal that answers with a status."""

    class Handler(BaseHTTPRequestHandler):
        status = 200

        def do_GET(self):
            self.send_response(Handler.status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    listening = HTTPServer(("127.0.0.1", free_port()), Handler)
    Thread(target=listening.serve_forever, daemon=True).start()
    yield Handler, f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    listening.server_close()


@pytest.mark.parametrize(
    ("status", "raised"), [(401, Refused), (403, Refused), (429, Away), (503, Away)]
)
def test_refusals_and_faults_are_told_apart(server, status, raised):
    handler, address = server
    handler.status = status
    with pytest.raises(raised):
        Portal(address, lambda: "oms_x").outages()


def test_a_portal_that_is_not_there_is_away():
    with pytest.raises(Away):
        Portal("http://127.0.0.1:9", lambda: "oms_x").outages()


def test_the_token_is_read_again_after_a_refusal(server):
    handler, address = server
    tokens = iter(["oms_old", "oms_new"])
    portal = Portal(address, lambda: next(tokens))
    handler.status = 401
    with pytest.raises(Refused):
        portal.outages()
    handler.status = 200
    assert portal.outages() == {}
    assert next(tokens, None) is None
