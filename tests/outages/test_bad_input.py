"""Signals that contradict each other or the network: right or refused, never stuck."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from apps.core.actor import system
from apps.network import selectors as network
from apps.network.services import import_network, set_device_state
from apps.outages.models import CorrelationWork, Interruption, Outage, SourceEvent
from apps.outages.rules import read_report
from apps.outages.services import judge, take_reports
from tests.fixtures.network import town_document

pytestmark = pytest.mark.django_db
SENDER = system("test")
_count = iter(range(1, 1_000_000))


def told(clock, word, seconds=0.0, name="", **place):
    return {
        "event_type": word,
        "source_type": "scada" if "device_id" in place else "smart_meter",
        "source_event_id": name or f"bad{next(_count)}",
        "timestamp": (clock.at + timedelta(seconds=seconds)).isoformat(),
        **place,
    }


def take(clock, *events, later=0):
    at = clock.at + timedelta(seconds=later)
    reports = [(SENDER, read_report(event, at=at)) for event in events]
    return take_reports(reports=reports, at=at)


def settle(clock, minutes=30):
    at = clock.at + timedelta(minutes=minutes)
    for _ in range(3):
        for key in CorrelationWork.objects.filter(waiting__gt=0).values_list(
            "key", flat=True
        ):
            judge(key=key, at=at)
    assert not CorrelationWork.objects.filter(waiting__gt=0).exists(), "it is stuck"
    return list(Outage.objects.standing().order_by("number"))


def overlapping():
    """Return how many pairs of interruptions of one meter overlap; the database allows none."""
    rows = list(Interruption.objects.order_by("meter_code", "started_at"))
    return sum(
        a.meter_code == b.meter_code and (a.ended_at is None or a.ended_at > b.started_at)
        for a, b in zip(rows, rows[1:], strict=False)
    )


@pytest.mark.parametrize("order", [("last_gasp", "power_up"), ("power_up", "last_gasp")])
def test_out_and_on_in_the_same_second(town, clock, order):
    for meter in ("m1", "m2", "m3"):
        take(clock, *[told(clock, word, meter_id=meter) for word in order])
    rows = settle(clock)
    assert all(row.status in ("restored", "detected") for row in rows)
    assert overlapping() == 0
    times = Interruption.objects.exclude(ended_at=None)
    assert all(row.ended_at >= row.started_at for row in times)
    again = [(row.id, row.status, row.device_code) for row in rows]
    assert [(r.id, r.status, r.device_code) for r in settle(clock, 31)] == again


@pytest.mark.parametrize(("hours", "said"), [(-47, "late"), (-6, ""), (6, "ahead")])
def test_a_clock_that_is_hours_off(town, clock, hours, said):
    take(clock, *[told(clock, "last_gasp", n, meter_id=f"m{n}") for n in (1, 2, 3)])
    (receipt,) = take(clock, told(clock, "last_gasp", hours * 3600, meter_id="m4"), later=5)
    event = SourceEvent.objects.get(id=receipt.event_id)
    assert event.occurred_at <= clock.at + timedelta(minutes=6)
    assert event.clock == said
    devices = {row.device_code for row in settle(clock)}
    assert devices & {"T-1", "FU-1"}, "those whose clocks are right are found all the same"
    assert overlapping() == 0


def test_events_of_devices_that_do_not_exist_wait_in_the_queue(town, clock):
    take(
        clock,
        told(clock, "breaker_trip", device_id="CB-99"),
        told(clock, "last_gasp", meter_id="m99"),
    )
    assert settle(clock) == []
    assert set(SourceEvent.objects.values_list("disposition", flat=True)) == {"unresolved"}


def test_a_meter_that_moved_reports_from_where_it_is_now(town, clock):
    take(clock, told(clock, "last_gasp", meter_id="m13"))
    document = town_document()
    moved = next(meter for meter in document["meters"] if meter["id"] == "m13")
    moved["node"] = "t1"
    import_network(document=document, by=SENDER, at=clock.at)
    network.look_again()
    take(clock, *[told(clock, "last_gasp", 1, meter_id=m) for m in ("m13", "m1", "m2")])
    rows = settle(clock)
    assert "T-1" in {row.device_code for row in rows}
    assert overlapping() == 0


def test_a_network_changed_in_the_middle_of_a_storm(town, clock):
    take(clock, *[told(clock, "last_gasp", n, meter_id=f"m{n}") for n in (1, 2, 4, 5)])
    (before,) = settle(clock)
    assert before.device_code == "FU-1"
    document = town_document()
    document["edges"] = [e for e in document["edges"] if e["id"] != "FU-1"]
    template = next(e for e in town_document()["edges"] if e["id"] == "FU-1")
    document["edges"].append({**template, "id": "RC-1", "kind": "recloser"})
    import_network(document=document, by=SENDER, at=clock.at)
    network.look_again()
    take(clock, *[told(clock, "last_gasp", 10 + n, meter_id=f"m{n}") for n in (3, 6, 7, 8)])
    rows = settle(clock)
    assert SourceEvent.objects.filter(outage=None).count() == 0
    assert overlapping() == 0
    assert {row.device_code for row in rows} & {"RC-1", "CB-1", "T-1", "T-2"}


def test_a_loop_closed_while_a_feeder_is_out(town, clock):
    take(clock, told(clock, "breaker_trip", device_id="R-1"))
    take(clock, *[told(clock, "last_gasp", 1, meter_id=f"m{n}") for n in (7, 8, 10, 11)])
    settle(clock)
    set_device_state(
        code="TIE-1",
        closed=True,
        by=SENDER,
        at=clock.at + timedelta(minutes=1),
        reason="tie",
    )
    network.look_again()
    take(
        clock,
        *[told(clock, "power_up", 70, meter_id=f"m{n}") for n in range(7, 13)],
        later=80,
    )
    settle(clock, 2)
    set_device_state(
        code="R-1",
        closed=True,
        by=SENDER,
        at=clock.at + timedelta(minutes=2),
        reason="loop",
    )
    network.look_again()
    take(clock, told(clock, "last_gasp", 180, meter_id="m7"), later=190)
    rows = settle(clock)
    assert [(row.device_code, row.status) for row in rows][:1] == [("R-1", "restored")]
    assert rows[0].restored_at == clock.at + timedelta(seconds=70)
    times = Interruption.objects.filter(outage=rows[0])
    assert {row.meter_code for row in times} == {f"m{n}" for n in range(7, 13)}
    assert all(row.ended_at == clock.at + timedelta(seconds=70) for row in times)
    assert overlapping() == 0


@pytest.mark.django_db(transaction=True)
def test_a_network_imported_while_a_storm_is_judged(town, clock):
    names = [f"m{n}" for n in range(1, 16)]

    def storm(round_):
        try:
            for n, meter in enumerate(names):
                take(clock, told(clock, "last_gasp", round_ * 60 + n, meter_id=meter))
            for key in CorrelationWork.objects.values_list("key", flat=True):
                judge(key=key, at=clock.at + timedelta(minutes=5))
        finally:
            connection.close()

    def load(round_):
        try:
            document = town_document()
            if round_ % 2:
                document["edges"][1] = {**document["edges"][1], "kind": "recloser"}
            import_network(document=document, by=SENDER, at=clock.at)
            network.look_again()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(storm, n) for n in range(3)]
        jobs += [pool.submit(load, n) for n in range(3)]
        for job in jobs:
            job.result(timeout=120)
    settle(clock)
    assert SourceEvent.objects.count() == 45
    assert not SourceEvent.objects.filter(outage=None, disposition="outage").exists()
    assert overlapping() == 0


def test_ten_thousand_repeats_of_one_event_change_nothing(town, clock):
    event = told(clock, "last_gasp", name="again", meter_id="m1")
    (first,) = take(clock, event)
    for _ in range(10):
        for receipt in take(clock, *[event] * 1_000):
            assert (receipt.duplicate, receipt.outage_id) == (True, first.outage_id)
    (outage,) = settle(clock)
    assert (outage.sources, SourceEvent.objects.count()) == ({"smart_meter": 1}, 1)
