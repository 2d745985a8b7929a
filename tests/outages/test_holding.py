"""Who holds what: a call near an outage of a held feeder, and what SCADA says of devices again."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from apps.core.actor import system
from apps.network.models import Edge, Feeder, SwitchingOperation
from apps.outages import services
from apps.outages.models import Outage, SourceEvent
from apps.outages.rules import read_report
from apps.outages.services.batch import Batch
from apps.outages.services.holding import lock_part
from tests.unfinished import unfinished

SENDER = system("test")
_count = iter(range(1, 1_000_000))


def report(clock, kind, source, seconds=0, **place):
    data = {
        "event_type": kind,
        "source_type": source,
        "source_event_id": f"h{next(_count)}",
        "timestamp": (clock.at + timedelta(seconds=seconds)).isoformat(),
        **place,
    }
    return SENDER, read_report(data, at=clock.at + timedelta(days=1))


@pytest.mark.django_db(transaction=True)
def test_a_call_near_an_outage_of_a_held_feeder_is_left(town, clock):
    services.take_reports(
        reports=[report(clock, "last_gasp", "smart_meter", meter_id="m1")], at=clock.at
    )
    outage = Outage.objects.get()
    there = {"latitude": outage.latitude, "longitude": outage.longitude}
    calls = [
        report(clock, "outage", "call_center", **there),
        report(clock, "outage", "call_center", latitude=-40.0, longitude=20.0),
        report(clock, "last_gasp", "smart_meter", meter_id="m14"),
    ]
    with unfinished(lambda: lock_part([Feeder.objects.get(code="F1").pk])):
        near, far, other = services.take_free_reports(reports=calls, at=clock.at)
        assert near is None
        # Both are placed by coordinates: what is off the network is judged as a whole.
        assert far is None
        assert other is not None
    near, far, other = services.take_free_reports(reports=calls, at=clock.at)
    assert (near.outage_id, other.duplicate) == (outage.id, True)
    assert Outage.objects.get(id=far.outage_id).latitude == -40.0
    assert SourceEvent.objects.count() == 4


def tell(clock, *told):
    """Let SCADA say these states: device, word, seconds."""
    services.take_reports(
        reports=[
            report(clock, word, "scada", at, device_id=code) for code, word, at in told
        ],
        at=clock.at,
    )


def state(code):
    edge = Edge.objects.get(code=code)
    return edge.is_closed, edge.state_at


@pytest.mark.django_db
def test_what_is_as_it_was_known_is_noted_with_its_latest_time(town, clock):
    tell(
        clock,
        ("CB-1", "breaker_close", 9),
        ("R-1", "breaker_close", 2),
        ("CB-1", "breaker_close", 4),
    )
    assert state("CB-1") == (True, clock.at + timedelta(seconds=9))
    assert state("R-1") == (True, clock.at + timedelta(seconds=2))
    tell(clock, ("CB-1", "breaker_close", 1))
    assert state("CB-1") == (True, clock.at + timedelta(seconds=9))
    assert not SwitchingOperation.objects.exists()


@pytest.mark.django_db
def test_what_somebody_else_switched_meanwhile_is_switched_again(town, clock):
    """The process still sees the breaker closed; the record says that it is open."""
    Edge.objects.filter(code="CB-1").update(is_closed=False, state_at=clock.at)
    tell(clock, ("CB-1", "breaker_close", 5), ("R-1", "breaker_close", 6))
    assert state("CB-1") == (True, clock.at + timedelta(seconds=5))
    assert state("R-1") == (True, clock.at + timedelta(seconds=6))
    assert [row.edge.code for row in SwitchingOperation.objects.all()] == ["CB-1"]


@pytest.mark.django_db
def test_what_turns_is_switched_beside_what_does_not(town, clock):
    tell(clock, ("CB-1", "breaker_trip", 5), ("R-1", "breaker_close", 6))
    assert state("CB-1") == (False, clock.at + timedelta(seconds=5))
    assert state("R-1") == (True, clock.at + timedelta(seconds=6))
    tell(clock, ("CB-1", "breaker_trip", 8), ("CB-1", "breaker_close", 7))
    assert state("CB-1") == (False, clock.at + timedelta(seconds=8))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("take", [services.take_reports, services.take_free_reports])
def test_what_somebody_else_stored_meanwhile_is_a_repetition(
    town, clock, monkeypatch, take
):
    """It names another place, so that neither waits for the other; the commit finds out."""
    here = report(clock, "last_gasp", "smart_meter", meter_id="m1")
    _, there = report(clock, "last_gasp", "smart_meter", meter_id="m14")
    there = (SENDER, there._replace(source_event_id=here[1].source_event_id))
    foresee, left = Batch.foresee, [there]

    def store():
        services.take_reports(reports=[left.pop()], at=clock.at)
        connection.close()

    def foreseen(batch):
        if left:
            other = threading.Thread(target=store)
            other.start()
            other.join(10)
        foresee(batch)

    monkeypatch.setattr(Batch, "foresee", foreseen)
    (taken,) = take(reports=[here], at=clock.at)
    stored = SourceEvent.objects.get()
    assert (taken.duplicate, taken.event_id) == (True, stored.id)
    assert Outage.objects.get().id == taken.outage_id == stored.outage_id
    (taken,) = take(
        reports=[report(clock, "last_gasp", "smart_meter", meter_id="m2")], at=clock.at
    )
    assert not taken.duplicate
