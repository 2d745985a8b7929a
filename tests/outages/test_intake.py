"""Events in, outages out: the immediate match, identity, dispositions, what is written."""

import math
import random
from datetime import timedelta
from time import monotonic
from uuid import uuid4

import pytest

from apps.core.actor import Actor, ActorKind, system
from apps.core.errors import Forbidden
from apps.core.models import OutboxRow
from apps.network import selectors as network
from apps.outages.correlation.matching import Candidate, Matcher, Reach, Spot
from apps.outages.models import CorrelationWork, EventConflict, Outage, SourceEvent
from apps.outages.rules import PlaceKind, Status, distance_meters, read_report
from apps.outages.services import nearby, reading, take_reports

pytestmark = pytest.mark.django_db

SENDER = system("test")
_count = iter(range(1, 1_000_000))


def event(clock, *, seconds=0, kind="outage", source="smart_meter", **place):
    return {
        "event_type": kind,
        "source_type": source,
        "source_event_id": f"e{next(_count)}",
        "timestamp": (clock.at + timedelta(seconds=seconds)).isoformat(),
        **place,
    }


def take(clock, *events, by=SENDER):
    reports = [(by, read_report(e, at=clock.at)) for e in events]
    return take_reports(reports=reports, at=clock.at)


def test_a_single_report_stays_at_its_service_point(town, clock):
    (receipt,) = take(clock, event(clock, meter_id="m1"))
    outage = Outage.objects.get()
    assert (receipt.created, receipt.matched_by, receipt.outage_id) == (
        True,
        "new",
        outage.id,
    )
    assert (outage.place_kind, outage.device_code) == ("service_point", "m1")
    assert (outage.feeder_code, outage.substation_code, outage.region_code) == (
        "F1", "SS1", "north",
    )  # fmt: skip
    assert (outage.customers_count, outage.confidence, outage.status) == (
        1,
        0.4,
        "detected",
    )
    assert outage.estimated_restoration_at == clock.at + timedelta(minutes=120)
    assert list(outage.timeline.values_list("kind", flat=True)) == ["detected"]


def test_the_same_transformer_twice_moves_up_to_the_transformer(town, clock):
    take(clock, event(clock, meter_id="m1"))
    (receipt,) = take(clock, event(clock, meter_id="m2", seconds=20))
    outage = Outage.objects.get()
    assert (receipt.created, receipt.matched_by) == (False, "topology")
    assert (outage.place_kind, outage.device_code) == ("device", "T-1")
    assert outage.device_kind == "transformer"
    assert outage.customers_count == 3
    assert outage.sources == {"smart_meter": 2}


def test_within_one_batch_it_is_the_same(town, clock):
    first, second = take(
        clock, event(clock, meter_id="m1"), event(clock, meter_id="m2", seconds=20)
    )
    assert first.outage_id == second.outage_id
    assert Outage.objects.get().device_code == "T-1"


def test_another_transformer_is_another_outage(town, clock):
    first, second = take(clock, event(clock, meter_id="m1"), event(clock, meter_id="m4"))
    assert first.outage_id != second.outage_id


def test_behind_an_open_device_a_report_joins(town, clock):
    trip = event(clock, kind="breaker_trip", source="scada", device_id="CB-1")
    (opened,) = take(clock, trip)
    (joined,) = take(clock, event(clock, meter_id="m7", seconds=10))
    outage = Outage.objects.get()
    assert joined.outage_id == opened.outage_id == outage.id
    assert (outage.device_code, outage.customers_count) == ("CB-1", 12)
    assert outage.confidence == 0.7


def test_behind_an_open_device_a_report_joins_however_late(town, clock):
    trip = event(clock, kind="breaker_trip", source="scada", device_id="CB-1")
    (opened,) = take(clock, trip)
    clock.forward(hours=7)
    (joined,) = take(clock, event(clock, meter_id="m7", seconds=10))
    assert joined.outage_id == opened.outage_id
    take(clock, event(clock, kind="breaker_close", source="scada", device_id="CB-1"))
    clock.forward(hours=1)
    (later,) = take(clock, event(clock, meter_id="m7", seconds=20))
    assert later.outage_id != opened.outage_id


def test_a_scada_trip_opens_the_device_in_the_actual_network(town, clock):
    from apps.network import selectors as network

    take(clock, event(clock, kind="breaker_trip", source="scada", device_id="R-1"))
    grid = network.grid(fresh=True)
    assert not grid.closed[grid.edge_index("R-1")]
    take(
        clock,
        event(clock, kind="breaker_close", source="scada", device_id="R-1", seconds=9),
    )
    grid = network.grid(fresh=True)
    assert grid.closed[grid.edge_index("R-1")]


def test_a_report_from_before_the_trip_stays_its_own_outage(town, clock):
    before = event(clock, meter_id="m7", seconds=-1200)
    (own,) = take(clock, before)
    (trip,) = take(clock, event(clock, kind="trip", source="scada", device_id="CB-1"))
    (late,) = take(clock, event(clock, meter_id="m4", seconds=-900))
    assert len({own.outage_id, trip.outage_id, late.outage_id}) == 3


@pytest.mark.parametrize(
    "place",
    [
        {"meter_id": "m5"},
        {"asset_mrid": "mrid-m5"},
        {"customer_id": "c5"},
        {"phone": "+9627900000005"},
        {"onu_id": "onu-m5"},
        {"device_id": "m5"},
    ],
)
def test_the_registry_gives_the_place(town, clock, place):
    (receipt,) = take(clock, event(clock, source="call_center", **place))
    stored = SourceEvent.objects.get()
    assert (stored.meter_code, stored.disposition) == ("m5", "outage")
    assert receipt.outage_id == Outage.objects.get().id


def test_the_device_wins_over_coordinates_and_coordinates_over_nothing(town, clock):
    take(clock, event(clock, meter_id="m5", latitude=10.0, longitude=10.0))
    take(clock, event(clock, meter_id="unheard-of", latitude=10.0, longitude=10.0))
    kinds = Outage.objects.order_by("number").values_list("place_kind", flat=True)
    assert list(kinds) == ["service_point", "coordinates"]


def test_what_resolves_to_nothing_is_kept_as_unresolved(town, clock):
    (receipt,) = take(clock, event(clock, meter_id="unheard-of"))
    assert (receipt.outage_id, receipt.created, receipt.disposition) == (
        None, False, "unresolved",
    )  # fmt: skip
    assert SourceEvent.objects.get().told_place == {"meter_id": "unheard-of"}


def test_words_that_say_nothing_about_power_are_kept_as_ignored(town, clock):
    (receipt,) = take(clock, event(clock, kind="comm_fail", meter_id="m1"))
    assert (receipt.disposition, receipt.outage_id) == ("ignored", None)
    assert not Outage.objects.exists()


def test_the_same_event_twice_changes_nothing(town, clock):
    sent = event(clock, meter_id="m1")
    (first,) = take(clock, sent)
    outbox = OutboxRow.objects.count()
    (again,) = take(clock, sent)
    inside = take(clock, sent, sent)
    assert (again.event_id, again.outage_id, again.duplicate, again.created) == (
        first.event_id, first.outage_id, True, False,
    )  # fmt: skip
    assert [r.event_id for r in inside] == [first.event_id] * 2
    assert Outage.objects.get().sources == {"smart_meter": 1}
    assert (SourceEvent.objects.count(), OutboxRow.objects.count()) == (1, outbox)
    assert not EventConflict.objects.exists()


def test_the_same_name_with_other_content_is_set_aside_once(town, clock):
    sent = event(clock, meter_id="m1")
    take(clock, sent)
    for _ in range(2):
        (receipt,) = take(clock, {**sent, "meter_id": "m9"})
    assert receipt.duplicate
    assert EventConflict.objects.get().content["place"]["meter_id"] == "m9"
    assert Outage.objects.get().device_code == "m1"


def test_twins_inside_one_batch_are_one_event(town, clock):
    sent = event(clock, meter_id="m1")
    first, second = take(clock, sent, sent)
    assert (first.duplicate, second.duplicate) == (False, True)
    assert SourceEvent.objects.count() == 1


def test_space_and_time_join_the_nearest_within_radius_and_window(db, clock):
    near = {"latitude": 31.0, "longitude": 35.0}
    (a,) = take(clock, event(clock, source="call_center", **near))
    (b,) = take(clock, event(clock, source="call_center", latitude=31.0, longitude=35.02))
    between = {"latitude": 31.0, "longitude": 35.008}
    (c,) = take(clock, event(clock, source="onu", seconds=60, **between))
    assert a.outage_id != b.outage_id
    assert (c.outage_id, c.matched_by) == (a.outage_id, "spatial")


@pytest.mark.parametrize(
    ("change", "joins"),
    [
        ({}, True),
        ({"longitude": 35.02}, False),
        ({"seconds": 31 * 60}, False),
        ({"seconds": -31 * 60}, False),
        ({"seconds": 31 * 60, "temporal_window_minutes": 45}, True),
        ({"longitude": 35.02, "correlation_params": {"spatial_radius_meters": 3000}}, True),
        ({"source": "scada", "longitude": 35.008}, False),
    ],
)
def test_radius_and_window_of_the_rule_and_of_the_request(db, clock, change, joins):
    clock.forward(hours=1)
    (first,) = take(clock, event(clock, source="onu", latitude=31.0, longitude=35.0))
    clock.forward(hours=1)
    place = {"latitude": 31.0, "longitude": 35.0, **change}
    seconds = place.pop("seconds", 0) - 3600
    (second,) = take(clock, event(clock, seconds=seconds, **place))
    assert (second.outage_id == first.outage_id) is joins


def test_the_few_outages_that_are_asked_for_hold_the_one_that_fits(db, clock):
    """What the database leaves out would not have been chosen among all of them."""
    grid = network.grid(fresh=True)
    dice = random.Random(8)
    clock.forward(hours=3)

    def somewhere():
        return {
            "latitude": 31 + dice.uniform(-0.003, 0.003),
            "longitude": 35 + dice.uniform(-0.003, 0.003),
        }

    apart = {"spatial_radius_meters": 1}
    for _ in range(80):
        kind = dice.choice(["outage", "outage", "planned_outage"])
        seconds = -dice.randrange(7200)
        take(
            clock,
            event(
                clock, kind=kind, seconds=seconds, correlation_params=apart, **somewhere()
            ),
        )
    rows = list(Outage.objects.order_by("id"))
    dice.shuffle(rows)
    Outage.objects.filter(id__in=[r.id for r in rows[:10]], is_planned=False).update(
        status="confirmed", confirmed_at=clock.at
    )
    every = reading._ask_where("o.feeder_number IS NULL")
    everywhere = [reading._candidate(grid, reading._Seats(None), row) for row in every]
    assert len(everywhere) == len(rows) > 70
    matched = 0
    for _ in range(150):
        kind = dice.choice(["outage", "power_restored", "ping_dark"])
        told = event(clock, kind=kind, seconds=-dice.randrange(7200), **somewhere())
        report = read_report(told, at=clock.at)
        spot = Spot(latitude=report.latitude, longitude=report.longitude)
        reach = Reach(timedelta(minutes=dice.choice([5, 30])), dice.choice([60, 500]))
        around = [nearby.seen_from(spot, report, reach)]
        near = reading.Questions([], reading.above(grid, (), ()), [], around)
        asked = near.open_candidates(grid)
        assert len(asked) <= nearby.NEAREST
        fits = Matcher(grid, everywhere).find(report, spot, reach)
        found = Matcher(grid, asked).find(report, spot, reach)
        assert (found and found.candidate.id) == (fits and fits.candidate.id)
        matched += fits is not None
    assert matched > 50


def test_a_confirmed_outage_waits_without_limit(town, clock):
    trip = event(clock, kind="trip", source="scada", device_id="CB-1")
    (opened,) = take(clock, trip)
    Outage.objects.update(status="confirmed", confirmed_at=clock.at)
    clock.forward(hours=5)
    (joined,) = take(clock, event(clock, meter_id="m1"))
    assert joined.outage_id == opened.outage_id


def test_a_planned_outage_suppresses_new_ones_for_its_customers(town, clock):
    planned = event(clock, kind="planned_outage", source="operator", device_id="FU-1")
    (opened,) = take(clock, planned)
    (joined,) = take(clock, event(clock, meter_id="m1", seconds=600))
    assert (joined.outage_id, joined.disposition) == (opened.outage_id, "planned")
    assert Outage.objects.get().is_planned


def test_a_feeder_means_its_breaker_and_a_substation_itself(town, clock):
    take(clock, event(clock, source="operator", feeder_id="F2"))
    take(clock, event(clock, source="operator", substation_id="SS1"))
    take(clock, event(clock, source="call_center", substation_id="SS1", seconds=5))
    rows = Outage.objects.order_by("number").values_list(
        "place_kind", "device_code", "substation_code", "customers_count"
    )
    assert list(rows) == [
        ("device", "CB-2", "SS1", 3), ("substation", "", "SS1", 15),
    ]  # fmt: skip


def test_work_is_counted_and_announced_once(town, clock):
    take(clock, event(clock, meter_id="m1"), event(clock, meter_id="m4"))
    take(clock, event(clock, meter_id="m7"))
    work = CorrelationWork.objects.get()
    assert (work.waiting, work.state) == (3, "pending")
    rows = OutboxRow.objects.filter(name="outages.events_matched").order_by("id")
    announced = [row.payload["work"] for row in rows]
    assert announced == [[work.key], []]


def test_who_may_not_report_is_refused_and_nothing_is_written(town, clock):
    nobody = Actor(kind=ActorKind.PERSON, label="nobody")
    with pytest.raises(Forbidden):
        take(clock, event(clock, meter_id="m1"), by=nobody)
    assert not SourceEvent.objects.exists()


@pytest.mark.parametrize(
    ("latitude", "longitude", "radius"),
    [
        (0.0, 0.0, 1_000),
        (31.95, 35.91, 500),
        (-33.0499, 18.05, 2_000),
        (10.0, 179.9999, 1_000),
        (10.0, -179.9999, 50_000),
        (89.99, 10.0, 2_000),
        (-70.0, 5.0, 50_000),
    ],
)
def test_the_cells_hold_all_that_is_within_the_radius(clock, latitude, longitude, radius):
    draw = random.Random(7)
    spread = radius / 111_195 * 3
    told = []
    for _ in range(300):
        north = max(-90.0, min(90.0, latitude + draw.uniform(-spread, spread)))
        east = longitude + draw.uniform(-spread, spread) / max(
            math.cos(math.radians(latitude)), 0.01
        )
        told.append((north, (east + 180) % 360 - 180))
    matcher = Matcher(None, [_placed(clock, *point) for point in told])
    report = read_report(event(clock, latitude=latitude, longitude=longitude), at=clock.at)
    spot = Spot(latitude=latitude, longitude=longitude)
    match = matcher.find(report, spot, Reach(timedelta(minutes=30), radius))
    away = [distance_meters(latitude, longitude, *point) for point in told]
    nearest = told[away.index(min(away))]
    assert min(away) <= radius
    assert match is not None
    assert (match.candidate.latitude, match.candidate.longitude) == nearest
    near = {
        (c.latitude, c.longitude) for c in matcher.placed.near(latitude, longitude, radius)
    }
    assert {p for p, far in zip(told, away, strict=True) if far <= radius} <= near


def test_a_full_batch_of_places_apart_is_matched_at_once(clock):
    matcher = Matcher(None, [])
    begun = monotonic()
    for number in range(5_000):
        place = {"latitude": -60 + number * 0.01, "longitude": 70.0}
        report = read_report(event(clock, **place), at=clock.at)
        reach = Reach(timedelta(minutes=30), 1_000)
        assert matcher.find(report, Spot(**place), reach) is None
        matcher.keep(_placed(clock, **place))
    assert monotonic() - begun < 15


def _placed(clock, latitude, longitude):
    return Candidate(
        id=uuid4(),
        status=Status.DETECTED,
        place_kind=PlaceKind.COORDINATES,
        node=-1,
        edge=-1,
        feeder_number=None,
        substation="",
        meter_code="",
        latitude=latitude,
        longitude=longitude,
        sources={"smart_meter": 1},
        first_detected_at=clock.at,
        last_event_at=clock.at,
    )
