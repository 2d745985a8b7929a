"""What is off the network is played again as it came in: the same outages, the same ends."""

import random
from datetime import timedelta

import pytest

from apps.core.actor import system
from apps.network import selectors as network
from apps.outages import selectors
from apps.outages.models import CorrelationWork, Outage, SourceEvent
from apps.outages.rules import Status, read_report
from apps.outages.services import (
    change_status,
    judge,
    merge_outages,
    set_storm_mode,
    take_reports,
)

pytestmark = pytest.mark.django_db
VIEWER = system("test")
HERE, THERE, FAR = (31.0, 35.0), (31.0, 35.1), (31.2, 35.0)
_count = iter(range(1, 1_000_000))


def event(clock, at=None, word="no_power", *, ago=0, source="call_center", **more):
    """Return what somebody says, at coordinates or at a named place."""
    spot = {} if at is None else {"latitude": at[0], "longitude": at[1]}
    return {
        "event_type": word,
        "source_type": source,
        "source_event_id": f"s{next(_count)}",
        "timestamp": (clock.at - timedelta(seconds=ago)).isoformat(),
        **spot,
        **more,
    }


def tell(clock, *events, judged=True):
    """Take the events in at once, and have all of it judged."""
    taken = take_reports(
        reports=[(VIEWER, read_report(e, at=clock.at)) for e in events], at=clock.at
    )
    if judged:
        judge_waiting(clock)
    return taken


def judge_waiting(clock):
    """Have judged what waits, as the worker does."""
    for key in CorrelationWork.objects.filter(waiting__gt=0).values_list("key", flat=True):
        judge(key=key, at=clock.at)


def decide(clock, status, receipt):
    change_status(
        outage_id=receipt.outage_id, status=status, notes="", by=VIEWER, at=clock.at
    )


def played(begin, clock):
    """Play from then until now; what came in just now counts, too."""
    end = clock.at + timedelta(minutes=1)
    return selectors.replay(start=begin, end=end, viewer=VIEWER)


def going(found, minute):
    return sorted(one.device for one in found.frames[minute].outages if not one.is_over)


def assert_same(found):
    """Assert that the last frame says what the record says: how many, where, how they ended."""
    assert (found.missing, found.surplus) == ([], [])
    rows = Outage.objects.standing().filter(feeder_number=None)
    last = [one for one in found.frames[-1].outages if one.feeder is None]

    def told(since, over, momentary, customers):
        return since, over, momentary, customers

    assert sorted(
        told(one.since, one.is_over, one.momentary, one.customers) for one in last
    ) == sorted(
        told(row.first_detected_at, not row.is_open, row.is_momentary, row.customers_count)
        for row in rows
    )


def test_what_is_known_by_coordinates_is_grouped_and_ended_as_it_was(town, clock):
    begin = clock.at
    tell(clock, event(clock, HERE), event(clock, FAR))
    clock.forward(minutes=10)
    tell(clock, event(clock, (31.002, 35.0)), event(clock, THERE, source="onu"))
    clock.forward(minutes=10)
    tell(clock, event(clock, HERE, "power_restored"))
    clock.forward(minutes=2)
    tell(clock, event(clock, THERE))
    clock.forward(minutes=6)
    tell(clock, event(clock, HERE))
    clock.forward(minutes=2)
    tell(clock, event(clock, HERE, "power_restored"))
    clock.forward(minutes=2)
    assert Outage.objects.count() == 4
    found = played(begin, clock)
    assert_same(found)
    here, there, far = "31.0000, 35.0000", "31.0000, 35.1000", "31.2000, 35.0000"
    assert sorted(found.recorded) == [here, here, there, far]
    assert [going(found, minute) for minute in (0, 9, 10, 19, 20, 28, 30)] == [
        [here, far], [here, far], [here, there, far], [here, there, far],
        [there, far], [here, there, far], [there, far],
    ]  # fmt: skip
    last = {(one.device, one.since): one for one in found.frames[-1].outages}
    assert last[here, begin].momentary is False
    assert last[here, begin + timedelta(minutes=28)].momentary is True
    (one,) = {(o.kind, o.latitude, o.longitude) for o in last.values() if o.device == far}
    assert one == ("coordinates", *FAR)


def test_who_calls_later_than_the_window_opens_another_one(db, clock):
    begin = clock.at
    for minutes in (0, 29, 31, 5):
        clock.forward(minutes=minutes)
        tell(clock, event(clock, HERE))
    found = played(begin, clock)
    assert Outage.objects.count() == 2
    assert_same(found)
    assert [len(going(found, minute)) for minute in (0, 59, 60, 65)] == [1, 1, 2, 2]


def test_a_restoration_and_a_loss_that_follow_each_other_closely_are_ended_together(
    db, clock
):
    begin = clock.at
    tell(clock, event(clock, HERE))
    clock.forward(minutes=20)
    tell(clock, event(clock, HERE, "power_restored"), judged=False)
    clock.forward(seconds=0.1)
    tell(clock, event(clock, HERE), judged=False)
    clock.forward(seconds=1)
    judge_waiting(clock)
    assert Outage.objects.get().is_open
    clock.forward(minutes=1)
    assert_same(played(begin, clock))


def test_a_restoration_that_is_older_than_the_last_word_ends_nothing(db, clock):
    begin = clock.at
    clock.forward(minutes=10)
    tell(clock, event(clock, HERE))
    clock.forward(minutes=1)
    tell(clock, event(clock, HERE, "power_restored", ago=90))
    clock.forward(minutes=5)
    assert Outage.objects.get().is_open
    found = played(begin, clock)
    assert_same(found)
    assert going(found, 15) == ["31.0000, 35.0000"]


def test_a_substation_is_an_outage_of_its_own(town, clock):
    begin = clock.at
    tell(clock, event(clock, source="operator", substation_id="SS1"))
    clock.forward(minutes=3)
    tell(
        clock,
        event(clock, substation_id="SS1"),
        event(clock, source="operator", substation_id="SS9", latitude=31.9, longitude=36.0),
        event(clock, meter_id="unheard-of"),
    )
    clock.forward(minutes=7)
    tell(clock, event(clock, word="restored", source="operator", substation_id="SS1"))
    clock.forward(minutes=1)
    found = played(begin, clock)
    assert_same(found)
    assert [going(found, minute) for minute in (0, 3, 10)] == [
        ["SS1"], ["31.9000, 36.0000", "SS1"], ["31.9000, 36.0000"],
    ]  # fmt: skip
    first = found.frames[0].outages[0]
    assert (first.kind, first.customers, first.feeder) == ("substation", 15, None)
    assert (first.latitude, first.longitude) == (31.95, 35.91)


def test_what_people_decided_off_the_network_counts_from_then_on(db, clock):
    begin = clock.at
    (here, there, far) = tell(clock, *(event(clock, at) for at in (HERE, THERE, FAR)))
    clock.forward(minutes=5)
    decide(clock, Status.CONFIRMED, here)
    decide(clock, Status.CANCELLED, there)
    clock.forward(minutes=5)
    decide(clock, Status.RESTORED, far)
    clock.forward(minutes=50)
    # The confirmed one waits without limit; the others are over, so others open.
    tell(clock, *(event(clock, at) for at in (HERE, THERE, FAR)))
    assert Outage.objects.count() == 5
    clock.forward(minutes=1)
    found = played(begin, clock)
    assert_same(found)
    counts = [len(going(found, minute)) for minute in (4, 5, 9, 10, 59, 60)]
    assert counts == [3, 2, 2, 1, 1, 3]


def test_what_people_merged_is_one_from_then_on(db, clock):
    begin = clock.at
    (here,) = tell(clock, event(clock, HERE))
    clock.forward(minutes=1)
    (near,) = tell(clock, event(clock, (31.0, 35.02)))
    clock.forward(minutes=4)
    tell(clock, event(clock, FAR))
    clock.forward(seconds=20)
    merge_outages(outage_id=near.outage_id, into_id=here.outage_id, by=VIEWER, at=clock.at)
    clock.forward(seconds=20)
    # Near the one that went into the other, and too far from that.
    tell(clock, event(clock, (31.0, 35.02)))
    clock.forward(minutes=1)
    found = played(begin, clock)
    assert Outage.objects.standing().count() == 3
    assert_same(found)
    first, second, third = "31.0000, 35.0000", "31.0000, 35.0200", "31.2000, 35.0000"
    assert going(found, 4) == [first, second]
    assert {one.since for one in found.frames[5].outages if one.device == second} == {
        clock.at - timedelta(minutes=1)
    }
    assert going(found, 5) == [first, second, third]


def test_what_was_merged_twice_is_shown_where_it_was_in_between(db, clock):
    begin = clock.at
    places = [(31.0, 35.0), (31.0, 35.02), (31.0, 35.04)]
    first, second, third = tell(clock, *(event(clock, at) for at in places))
    for one, into in ((first, second), (second, third)):
        clock.forward(minutes=5)
        merge_outages(
            outage_id=one.outage_id, into_id=into.outage_id, by=VIEWER, at=clock.at
        )
    clock.forward(minutes=1)
    found = played(begin, clock)
    assert_same(found)
    assert [going(found, minute) for minute in (4, 5, 10)] == [
        ["31.0000, 35.0000", "31.0000, 35.0200", "31.0000, 35.0400"],
        ["31.0000, 35.0000", "31.0000, 35.0400"], ["31.0000, 35.0000"],
    ]  # fmt: skip


def test_a_plan_suppresses_what_comes_near_it_until_its_end(db, clock):
    begin = clock.at
    until = (clock.at + timedelta(minutes=50)).isoformat()
    plan = event(clock, HERE, "planned_outage", source="operator", planned_until=until)
    tell(clock, plan)
    for minutes in (45, 10):
        clock.forward(minutes=minutes)
        tell(clock, event(clock, HERE))
    clock.forward(minutes=1)
    assert Outage.objects.count() == 2
    assert_same(played(begin, clock))


@pytest.mark.parametrize("seed", range(4))
def test_how_a_batch_was_ordered_changes_nothing(db, clock, seed):
    begin = clock.at
    draw = random.Random(seed)

    def calls(count):
        places = [(31.0 + n % 3 * 0.1, 35.0 + n * 0.0005) for n in range(count)]
        return [event(clock, at, ago=n * 7) for n, at in enumerate(places)]

    batch = calls(9)
    draw.shuffle(batch)
    tell(clock, *batch)
    clock.forward(minutes=7)
    # The first and the third are over, the second is told of again.
    batch = [event(clock, (31.0 + n * 0.1, 35.002), "power_restored") for n in (0, 1, 2)]
    clock.forward(seconds=1)
    batch.append(event(clock, (31.1, 35.002)))
    draw.shuffle(batch)
    tell(clock, *batch)
    clock.forward(minutes=1)
    found = played(begin, clock)
    assert_same(found)
    assert len(found.replayed) == 3
    (second,) = going(found, 7)
    assert second.startswith("31.1000")


def test_of_one_moment_what_happened_first_is_played_first(db, clock):
    """The first and the last call are too far apart, and the one between is near both."""
    begin = clock.at
    calls = [
        event(clock, (20.0 + n, 35.0 + east), ago=ago)
        for n in range(8)
        for east, ago in ((0.0, 20), (0.016, 10), (0.007, 0))
    ]
    tell(clock, *calls)
    clock.forward(minutes=1)
    assert Outage.objects.count() == 16
    assert_same(played(begin, clock))


def test_another_grouping_under_the_same_names_is_not_the_same(db, clock):
    begin = clock.at
    (_, there) = tell(clock, event(clock, HERE), event(clock, THERE))
    clock.forward(minutes=1)
    (moved,) = tell(clock, event(clock, HERE))
    clock.forward(minutes=1)
    assert_same(played(begin, clock))
    SourceEvent.objects.filter(id=moved.event_id).update(outage=there.outage_id)
    found = played(begin, clock)
    both = ["31.0000, 35.0000", "31.0000, 35.1000"]
    assert (found.missing, found.surplus) == (both, both)


def test_a_storm_reaches_as_far_as_it_did(db, clock):
    begin = clock.at
    tell(clock, event(clock, HERE))
    clock.forward(minutes=1)
    set_storm_mode(on=True, reason="wind", by=VIEWER, at=clock.at)
    tell(clock, event(clock, (31.0, 35.015)))
    clock.forward(minutes=1)
    set_storm_mode(on=False, reason="calm", by=VIEWER, at=clock.at)
    tell(clock, event(clock, (31.0, 34.985)))
    clock.forward(minutes=1)
    assert Outage.objects.count() == 2
    assert_same(played(begin, clock))


def test_a_meter_and_a_device_that_no_feeder_feeds_are_played_too(town, clock, monkeypatch):
    """Their places are known, but not the feeder."""
    begin = clock.at
    resolve = network.resolve

    def unfed(refs, **more):
        return [p and p._replace(feeder_pk=None) for p in resolve(refs, **more)]

    monkeypatch.setattr(network, "resolve", unfed)
    tell(clock, event(clock, None, "last_gasp", source="smart_meter", meter_id="m1"))
    clock.forward(minutes=1)
    tell(clock, event(clock, None, "trip", source="scada", device_id="T-5"))
    clock.forward(minutes=1)
    assert set(Outage.objects.values_list("feeder_number", flat=True)) == {None}
    found = played(begin, clock)
    assert_same(found)
    assert [(o.device, o.kind) for o in found.frames[-1].outages] == [
        ("T-5", "transformer"), ("m1", "coordinates"),
    ]  # fmt: skip
