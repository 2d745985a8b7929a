"""Whole nights played again: calls beside the outages of feeders, and anything at random."""

import contextlib
import random

import pytest

from apps.core.errors import Conflict
from apps.outages.models import Outage
from apps.outages.rules import Status
from apps.outages.services import change_status, merge_outages
from tests.outages.test_replay_space import (
    VIEWER,
    assert_same,
    event,
    going,
    judge_waiting,
    played,
    tell,
)

pytestmark = pytest.mark.django_db


def test_who_calls_near_an_outage_of_a_feeder_belongs_to_it(town, clock):
    begin = clock.at
    close = (31.9531, 35.9105)
    tell(clock, event(clock, close))
    clock.forward(minutes=40)
    tell(clock, event(clock, None, "last_gasp", source="smart_meter", meter_id="m1"))
    # Each call counts: the next one is still waited for, long after the meter told.
    for minutes in (4, 29, 20):
        clock.forward(minutes=minutes)
        tell(clock, event(clock, close))
    clock.forward(minutes=2)
    tell(clock, event(clock, None, "power_up", source="smart_meter", meter_id="m1"))
    clock.forward(seconds=20)
    tell(clock, event(clock, close))
    clock.forward(minutes=1)
    places = Outage.objects.standing().order_by("number").values_list("place_kind")
    assert [kind for (kind,) in places] == ["coordinates", "service_point", "coordinates"]
    found = played(begin, clock)
    assert_same(found)
    assert going(found, 40) == ["31.9531, 35.9105", "m1"]
    assert going(found, 96) == ["31.9531, 35.9105", "31.9531, 35.9105"]


def test_who_calls_before_the_feeder_is_heard_of_in_the_same_minute_stands_alone(
    town, clock
):
    begin = clock.at
    close = (31.9531, 35.9105)
    tell(clock, event(clock, close))
    clock.forward(seconds=20)
    tell(clock, event(clock, None, "last_gasp", source="smart_meter", meter_id="m1"))
    clock.forward(minutes=1)
    assert Outage.objects.standing().count() == 2
    found = played(begin, clock)
    assert_same(found)
    assert going(found, 0) == ["31.9531, 35.9105", "m1"]


def test_what_a_feeder_is_told_later_in_the_minute_counts_later(town, clock):
    begin = clock.at
    tell(clock, event(clock, None, "last_gasp", source="smart_meter", meter_id="m1"))
    clock.forward(minutes=31)
    tell(clock, event(clock, (31.9531, 35.9105)))
    clock.forward(seconds=20)
    answer = event(clock, None, "ping_dark", source="smart_meter", meter_id="m1")
    tell(clock, answer)
    clock.forward(minutes=1)
    assert Outage.objects.standing().count() == 2
    found = played(begin, clock)
    assert_same(found)
    assert going(found, 31) == ["31.9531, 35.9105", "m1"]


@pytest.mark.parametrize("seed", [1, 9])
def test_a_night_of_anything_is_the_same_again(town, clock, seed):
    begin, draw = clock.at, random.Random(seed)
    for _ in range(120):
        clock.forward(seconds=draw.choice([2, 5, 20, 60, 200, 900]))
        if draw.random() < 0.12:
            decide_something(clock, draw)
            continue
        at = (31.95 + draw.randrange(12) * 0.003, 35.91 + draw.randrange(8) * 0.004)
        source = draw.choice(["call_center", "onu", "scada", "operator"])
        word = draw.choice(["no_power", "no_power", "power_restored"])
        spot = {"substation_id": "SS1"} if draw.random() < 0.05 else {}
        ago = draw.choice([0, 0, 30, 300])
        told = event(clock, None if spot else at, word, ago=ago, source=source, **spot)
        tell(clock, told)
    clock.forward(minutes=1)
    found = played(begin, clock)
    assert_same(found)
    assert len(found.recorded) > 20


def decide_something(clock, draw):
    """Do with one of the open outages what people do."""
    rows = list(Outage.objects.open().order_by("number"))
    steps = [Status.CONFIRMED, Status.IN_PROGRESS, Status.CANCELLED, Status.RESTORED, None]
    step = draw.choice(steps)
    if not rows:
        return
    one, other = draw.choice(rows), draw.choice(rows)
    with contextlib.suppress(Conflict):
        if step is None:
            merge_outages(outage_id=one.id, into_id=other.id, by=VIEWER, at=clock.at)
        else:
            change_status(outage_id=one.id, status=step, notes="", by=VIEWER, at=clock.at)
    judge_waiting(clock)
