"""What breaks in a world, and what is heard of one fault."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from apps.feeds.storms import (
    Cause,
    Fault,
    Habits,
    Speaker,
    Targets,
    Weather,
)

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FRANK = Habits(last_gasp=1, retry=0, onu=0, calls=0, scada_late=0, silent_return=0)


@pytest.mark.parametrize(
    ("device", "expected"), [("e0", 18), ("e2", 12), ("e3", 6), ("e7", 6)]
)
def test_a_fault_darkens_what_hangs_below_it(world, device, expected):
    assert len(world.interrupted(world.grid, device)) == expected


def test_what_is_dark_already_is_not_interrupted_again(world):
    grid = world.switched(world.grid, "e3", closed=False)
    assert len(world.interrupted(grid, "e2")) == 6


def test_a_share_of_last_gasps_is_lost(world):
    rng = Random(5)
    speaker = Speaker(world, rng, Habits(retry=0, onu=0, calls=0), "t")
    meters = tuple(range(24))
    heard = 0
    for number in range(200):
        fault = Fault(number, Cause.SECTION, "e2", START, meters)
        heard += sum(s.event["event_type"] == "last_gasp" for s in speaker.loss(fault))
    assert 0.59 < heard / (200 * 24) < 0.65


def test_scada_trips_and_closes_a_watched_breaker_only(world):
    speaker = Speaker(world, Random(1), FRANK, "t")
    watched = Fault(1, Cause.FEEDER, "e0", START, tuple(range(18)))
    words = Counter(s.event["event_type"] for s in speaker.loss(watched))
    assert words == {"breaker_trip": 1, "last_gasp": 18}
    back = speaker.back(watched, watched.meters, [], START + timedelta(minutes=5))
    assert Counter(s.event["event_type"] for s in back) == {
        "breaker_close": 1,
        "power_up": 18,
    }
    unwatched = Fault(2, Cause.TRANSFORMER, "e3", START, tuple(range(6)))
    words = Counter(s.event["event_type"] for s in speaker.loss(unwatched))
    assert words == {"last_gasp": 6}


def test_a_trip_may_be_lost_to_a_failed_line(world):
    speaker = Speaker(world, Random(1), Habits(last_gasp=0, onu=0, scada_lost=1), "t")
    said = speaker.loss(Fault(1, Cause.FEEDER, "e0", START, tuple(range(18))))
    words = {s.event["event_type"] for s in said if s.event["source_type"] == "scada"}
    assert words == {"comm_fail"}


def test_who_reported_the_loss_reports_the_return(world):
    silent = Habits(last_gasp=1, onu=0, calls=0, silent_return=1)
    speaker = Speaker(world, Random(1), silent, "t")
    fault = Fault(1, Cause.TRANSFORMER, "e3", START, tuple(range(6)))
    back = speaker.back(fault, fault.meters, [1, 4], START)
    assert sorted(s.meter for s in back) == [1, 4]


def test_a_fault_is_drawn_only_where_somebody_has_power(world):
    targets = Targets(world)
    everybody = set(range(24))
    drawn = targets.draw(Random(1), Weather(), world.grid, everybody, number=1, at=START)
    assert drawn is None


def test_what_feeds_a_spared_meter_never_breaks(world):
    targets = Targets(world, spared=["m1"])
    devices = {code for codes in targets.by_cause.values() for code in codes}
    assert devices.isdisjoint({"e0", "e2", "e3", "m1"})
    assert "e4" in devices
