"""Merged, divided and placed by hand: what people say stands, however often it is judged."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from apps.audit.models import AuditEntry
from apps.core.actor import system
from apps.core.errors import Conflict, Forbidden, Invalid, NotFound
from apps.core.models import OutboxRow
from apps.outages import selectors
from apps.outages.models import Interruption, Outage, SourceEvent, TimelineEntry
from apps.outages.rules import Status
from apps.outages.services import (
    change_status,
    merge_outages,
    place_outage,
    split_outage,
)
from tests.outages.test_judging import judge_all, take

pytestmark = pytest.mark.django_db


def world():
    """Return everything that a refused act must leave as it was."""
    return (
        list(Outage.objects.order_by("number").values()),
        list(SourceEvent.objects.order_by("id").values_list("id", "outage")),
        TimelineEntry.objects.count(),
        AuditEntry.objects.exclude(action="access_denied").count(),
        OutboxRow.objects.count(),
    )


def standing(clock, times=2):
    """Return where the outages are after they were judged some times."""
    for _ in range(times):
        clock.forward(minutes=1)
        rows = judge_all(clock)
    return [(o.device_code, o.status, o.customers_count) for o in rows]


def dark(outage):
    codes = Interruption.objects.filter(outage=outage, ended_at=None)
    return sorted(codes.values_list("meter_code", flat=True))


def test_merged_by_hand_they_stay_one_at_the_device_above_both(town, clock, operator):
    take(clock, "m1", "m2")
    take(clock, "m7", "m8", seconds=3600)
    first, second = judge_all(clock)
    kept = merge_outages(outage_id=second.id, into_id=first.id, by=operator, at=clock.at)
    assert (kept.id, kept.device_code, kept.customers_count) == (first.id, "CB-1", 12)
    assert standing(clock) == [("CB-1", "confirmed", 12)]
    second.refresh_from_db()
    assert second.merged_into_id == first.id
    assert set(SourceEvent.objects.values_list("outage", flat=True)) == {first.id}
    assert len(dark(first)) == 12
    assert dark(second) == []
    entries = AuditEntry.objects.filter(action="outage_merge")
    assert {e.resource_id for e in entries} == {str(first.id), str(second.id)}
    take(clock, "m4", seconds=3700)
    assert standing(clock) == [("CB-1", "confirmed", 12)]
    told = OutboxRow.objects.filter(name="outages.rejudged").order_by("id")
    assert any(
        set(row.payload["changed"]) == {str(first.id), str(second.id)} for row in told
    )


def test_an_outage_below_another_goes_into_it_where_it_stands(town, clock, operator):
    take(clock, device="R-1", kind="breaker_trip", source="scada")
    take(clock, "m1", "m2")
    trip, lateral = judge_all(clock)
    assert (trip.device_code, lateral.device_code) == ("R-1", "T-1")
    kept = merge_outages(outage_id=trip.id, into_id=lateral.id, by=operator, at=clock.at)
    assert (kept.device_code, kept.sources) == ("CB-1", {"scada": 1, "smart_meter": 2})


def test_divided_by_hand_they_stay_two(town, clock, operator):
    take(clock, "m1", "m2", "m4", "m5")
    (outage,) = judge_all(clock)
    assert outage.device_code == "FU-1"
    fresh = split_outage(outage_id=outage.id, device_code="T-2", by=operator, at=clock.at)
    assert (fresh.device_code, fresh.split_from_id, fresh.sources) == (
        "T-2", outage.id, {"smart_meter": 2},
    )  # fmt: skip
    assert standing(clock) == [("T-1", "confirmed", 3), ("T-2", "confirmed", 3)]
    outage.refresh_from_db()
    assert (dark(outage), dark(fresh)) == (["m1", "m2", "m3"], ["m4", "m5", "m6"])
    change_status(
        outage_id=fresh.id, status=Status.RESTORED, notes="", by=operator, at=clock.at
    )
    assert standing(clock)[0] == ("T-1", "confirmed", 3)


def test_placed_by_hand_it_stays_there(town, clock, operator):
    take(clock, "m1", "m2", "m3")
    (outage,) = judge_all(clock)
    place_outage(outage_id=outage.id, device_code="FU-1", by=operator, at=clock.at)
    assert standing(clock) == [("FU-1", "confirmed", 6)]
    assert len(dark(outage)) == 6
    take(clock, "m5", seconds=5)
    assert standing(clock) == [("FU-1", "confirmed", 6)]
    outage.refresh_from_db()
    assert outage.sources == {"smart_meter": 4}


@pytest.mark.parametrize(
    ("device", "kind"),
    [
        ("T-3", Conflict),
        ("CB-1", Conflict),
        ("FU-1", Conflict),
        ("T-5", Invalid),
        ("TIE-1", Invalid),
        ("nothing", Invalid),
        ("", Invalid),
        ("\0", Invalid),
    ],
)
def test_what_cannot_be_divided_is_refused(town, clock, operator, device, kind):
    take(clock, "m1", "m2", "m4", "m5")
    (outage,) = judge_all(clock)
    before = world()
    with pytest.raises(kind):
        split_outage(outage_id=outage.id, device_code=device, by=operator, at=clock.at)
    assert world() == before


def test_what_is_left_must_not_reach_past_the_device(town, clock, operator):
    take(clock, device="CB-1", kind="breaker_trip", source="scada")
    take(clock, "m1", "m2", seconds=1)
    (outage,) = judge_all(clock)
    before = world()
    with pytest.raises(Conflict, match="reach past"):
        split_outage(outage_id=outage.id, device_code="T-1", by=operator, at=clock.at)
    assert world() == before


def test_two_feeders_do_not_merge_nor_does_one_with_itself(town, clock, operator):
    take(clock, "m1", "m2", "m13", "m14")
    first, second = judge_all(clock)
    before = world()
    for into in (second, first):
        with pytest.raises(Conflict):
            merge_outages(outage_id=first.id, into_id=into.id, by=operator, at=clock.at)
    assert world() == before


@pytest.mark.parametrize("ended", [Status.RESTORED, Status.CANCELLED])
def test_what_is_over_is_left_alone(town, clock, operator, ended):
    take(clock, "m1", "m2")
    take(clock, "m7", "m8", seconds=3600)
    first, second = judge_all(clock)
    change_status(outage_id=first.id, status=ended, notes="x", by=operator, at=clock.at)
    before = world()
    for act in (
        lambda: merge_outages(
            outage_id=first.id, into_id=second.id, by=operator, at=clock.at
        ),
        lambda: merge_outages(
            outage_id=second.id, into_id=first.id, by=operator, at=clock.at
        ),
        lambda: split_outage(
            outage_id=first.id, device_code="T-1", by=operator, at=clock.at
        ),
        lambda: place_outage(
            outage_id=first.id, device_code="T-1", by=operator, at=clock.at
        ),
    ):
        with pytest.raises(Conflict):
            act()
    assert world() == before


@pytest.mark.parametrize(
    ("act", "more"),
    [
        (merge_outages, "into_id"),
        (split_outage, "device_code"),
        (place_outage, "device_code"),
    ],
)
def test_who_may_not_is_refused_and_the_missing_is_missing(
    town, clock, nobody, operator, act, more
):
    take(clock, "m1", "m2")
    (outage,) = judge_all(clock)
    before = world()
    for by, key, kind in ((nobody, outage.id, Forbidden), (operator, uuid4(), NotFound)):
        with pytest.raises(kind):
            act(outage_id=key, **{more: key}, by=by, at=clock.at)
    assert world() == before


def test_the_choices_say_what_would_come_of_them(town, clock, operator):
    take(clock, "m1", "m2", "m4", "m5")
    take(clock, "m7", "m8", seconds=3600)
    first, second = judge_all(clock)
    found = selectors.choices(outage_id=first.id, viewer=system("test"))
    (merge,) = found.merges
    assert (merge.outage.id, merge.device, merge.customers) == (second.id, "CB-1", 12)
    assert [(c.code, c.reports) for c in found.splits] == [("T-1", 2), ("T-2", 2)]
    assert {c.code: c.customers for c in found.places} == {"CB-1": 12, "T-1": 3, "T-2": 3}
    for choice in found.splits:
        assert choice.customers == 3


@pytest.mark.django_db(transaction=True)
def test_merged_by_many_at_once_nothing_is_lost(town, clock, operator):
    take(clock, "m1", "m2")
    take(clock, "m7", "m8", seconds=3600)
    first, second = judge_all(clock)
    barrier = threading.Barrier(8)

    def merge(number):
        one, other = (first, second) if number % 2 else (second, first)
        try:
            barrier.wait(30)
            merge_outages(outage_id=one.id, into_id=other.id, by=operator, at=clock.at)
        except Conflict:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(merge, range(8))) == 1
    (kept,) = Outage.objects.standing()
    assert SourceEvent.objects.filter(outage=kept).count() == 4
    assert kept.first_detected_at <= clock.at + timedelta(hours=1)
