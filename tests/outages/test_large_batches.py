"""Batches that are taken in by parts, and what of them is seen as a whole first."""

import threading
from datetime import timedelta
from time import monotonic, sleep
from types import SimpleNamespace

import pytest
from django.db import connection, transaction

from apps.core.actor import system
from apps.network import selectors as network
from apps.outages import services
from apps.outages.models import CorrelationWork, EventConflict, Outage, SourceEvent
from apps.outages.rules import read_report
from apps.outages.services.holding import lock_part
from apps.outages.services.intake import SPLIT_FROM

FEEDER = system("test")
BOTH, BELOW_CB1 = range(1, 16), range(1, 13)


def event(name, at, word="last_gasp", **place):
    return {
        "event_type": word,
        "source_type": "smart_meter",
        "source_event_id": name,
        "timestamp": at.isoformat(),
        **place,
    }


def send(clock, events):
    reports = [(FEEDER, read_report(one, at=clock.at)) for one in events]
    return services.take_reports(reports=reports, at=clock.at)


def judge_all(clock):
    for work in CorrelationWork.objects.order_by("key"):
        services.judge(key=work.key, at=clock.at)


def test_a_large_batch_is_answered_in_its_order(town, clock):
    places = (
        {"meter_id": "m1"},
        {"meter_id": "m14"},
        {"meter_id": "nobody-knows"},
        {"latitude": 10.0, "longitude": 20.0},
        {"device_id": "CB-1"},
    )
    events = [
        event(f"e{n}", clock.at, **places[n % len(places)]) for n in range(SPLIT_FROM + 7)
    ]
    receipts = send(clock, events)
    stored = {row.id: row for row in SourceEvent.objects.all()}
    assert len(stored) == len(events)
    for told, receipt in zip(events, receipts, strict=True):
        row = stored[receipt.event_id]
        assert row.source_event_id == told["source_event_id"]
        assert row.outage_id == receipt.outage_id
        assert (receipt.outage_id is None) == (told.get("meter_id") == "nobody-knows")
    assert [one.duplicate for one in send(clock, events)] == [True] * len(events)
    assert SourceEvent.objects.count() == len(events)


@pytest.mark.parametrize("turns", range(4))
def test_of_two_with_one_name_the_first_is_kept_wherever_they_happened(town, clock, turns):
    for _ in range(turns):
        send(clock, [event("apart", clock.at, meter_id="m2")] * SPLIT_FROM)
    events = [event(f"e{n}", clock.at, meter_id="m1") for n in range(SPLIT_FROM)]
    events[3] = event("twice", clock.at, meter_id="m1")
    events[900] = event("twice", clock.at, meter_id="m13")
    receipts = send(clock, events)
    assert (receipts[3].duplicate, receipts[900].duplicate) == (False, True)
    assert receipts[3].event_id == receipts[900].event_id
    row = SourceEvent.objects.get(source_event_id="twice")
    assert row.meter_code == "m1"
    assert EventConflict.objects.get().event_id == row.id


def cycles(clock, count=5):
    """Return what is heard when the feeder of twelve meters trips and comes back, repeatedly."""
    events = []
    for cycle in range(count):
        began = clock.at - timedelta(minutes=40 * (count - cycle))
        for word, later in (("last_gasp", 0), ("power_restored", 20)):
            events += [
                event(
                    f"{cycle}-{word}-{n}",
                    began + timedelta(minutes=later, milliseconds=100 * n),
                    word,
                    meter_id=f"m{n}",
                )
                for n in BELOW_CB1
            ]
    return events


def outages():
    rows = Outage.objects.filter(merged_into=None).order_by("first_detected_at")
    return [(row.device_code, row.first_detected_at, row.events.count()) for row in rows]


def test_what_has_one_cause_is_one_outage_at_its_device_at_once(town, clock):
    receipts = send(clock, cycles(clock))
    found = outages()
    assert [(code, count) for code, _, count in found] == [("CB-1", 24)] * 5
    assert sum(one.created for one in receipts) == 5
    before = set(Outage.objects.values_list("id", flat=True))
    judge_all(clock)
    assert set(Outage.objects.values_list("id", flat=True)) == before
    assert [(code, count) for code, _, count in outages()] == [("CB-1", 24)] * 5
    assert not Outage.objects.open().exists()


def test_a_batch_at_once_and_piece_by_piece_come_to_the_same(town, clock):
    events = cycles(clock)
    for first in range(0, len(events), 10):
        send(clock, events[first : first + 10])
    judge_all(clock)
    by_pieces = outages()
    services_ran = {row.meter_code for row in SourceEvent.objects.all()}
    assert services_ran == {f"m{n}" for n in BELOW_CB1}
    assert [(code, count) for code, _, count in by_pieces] == [("CB-1", 24)] * 5


@pytest.mark.django_db(transaction=True)
def test_a_batch_that_waits_for_one_part_has_taken_in_the_others(town, clock):
    known = {m.code: m.feeder_pk for m in map(place_of, ("m1", "m14"))}
    assert known["m1"] != known["m14"]
    told = [
        event("held", clock.at, meter_id="m1"),
        event("free", clock.at, meter_id="m14"),
        event("held", clock.at, meter_id="m14"),
    ]
    answers = []

    def run():
        answers.extend(send(clock, told))
        connection.close()

    with transaction.atomic():
        lock_part([known["m1"]])
        waiting = threading.Thread(target=run)
        waiting.start()
        names = SourceEvent.objects.values_list("source_event_id", flat=True)
        until = monotonic() + 20
        while list(names.all()) != ["free"]:
            assert monotonic() < until, list(names.all())
            sleep(0.01)
        assert waiting.is_alive()
    waiting.join(20)
    assert sorted(names.all()) == ["free", "held"]
    assert [one.duplicate for one in answers] == [False, False, True]
    assert SourceEvent.objects.get(source_event_id="held").meter_code == "m1"


def place_of(meter):
    (place,) = network.resolve([network.PlaceRef(meter_id=meter)])
    return SimpleNamespace(code=meter, feeder_pk=place.feeder_pk)
