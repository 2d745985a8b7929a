"""Events and interruptions name outages that exist: the database keeps both sides to it."""

import threading
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from apps.core.actor import system
from apps.outages import services
from apps.outages.models import (
    EtrEstimate,
    Interruption,
    Outage,
    SourceEvent,
    TimelineEntry,
)
from apps.outages.rules import read_report
from tests.unfinished import beside, unfinished

SENDER = system("test")
DELETE = "DELETE FROM outages_outage WHERE id = %s"
ISOLATION = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"


def take(clock, name, meter="m1"):
    told = {
        "event_type": "last_gasp",
        "source_type": "smart_meter",
        "source_event_id": name,
        "timestamp": clock.at.isoformat(),
        "meter_id": meter,
    }
    services.take_reports(reports=[(SENDER, read_report(told, at=clock.at))], at=clock.at)
    return SourceEvent.objects.get(source_event_id=name)


def nobody_names(outage_id):
    """Let go of all that names the outage but events and interruptions."""
    for model in (TimelineEntry, EtrEstimate):
        model.objects.filter(outage_id=outage_id).delete()


def interrupt(outage_id, at):
    return Interruption.objects.create(
        outage_id=outage_id, meter_number=7, meter_code="m7", started_at=at
    )


def delete(outage_id, *, in_isolation=False):
    with connection.cursor() as cursor:
        if in_isolation:
            cursor.execute(ISOLATION)
        cursor.execute(DELETE, [outage_id])
        return cursor.rowcount


def waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0] > 0


def until(condition):
    pause = threading.Event()
    for _ in range(1000):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("That did not happen.")


def test_an_event_names_no_outage_that_does_not_exist(town, clock):
    event = take(clock, "first")
    event.outage_id = uuid4()
    with pytest.raises(IntegrityError, match="names the outage"), transaction.atomic():
        event.save(update_fields=["outage"])
    event.id, event.source_event_id = uuid4(), "second"
    with pytest.raises(IntegrityError, match="names the outage"), transaction.atomic():
        event.save(force_insert=True)
    event.outage_id = None
    event.save(force_insert=True)


def test_an_interruption_names_no_outage_that_does_not_exist(town, clock):
    with pytest.raises(IntegrityError, match="names the outage"), transaction.atomic():
        interrupt(uuid4(), clock.at)
    row = interrupt(take(clock, "first").outage_id, clock.at)
    row.outage_id = uuid4()
    with pytest.raises(IntegrityError, match="names the outage"), transaction.atomic():
        row.save()


def test_one_wrong_name_of_many_refuses_all(town, clock):
    event = take(clock, "first")
    rows = [
        SourceEvent(
            source_type="smart_meter",
            source_event_id=f"many-{n}",
            kind=event.kind,
            occurred_at=clock.at,
            received_at=clock.at,
            accepted_at=clock.at,
            disposition=event.disposition,
            outage_id=uuid4() if n == 60 else event.outage_id,
        )
        for n in range(100)
    ]
    with pytest.raises(IntegrityError, match="names the outage"), transaction.atomic():
        SourceEvent.objects.bulk_create(rows)
    assert SourceEvent.objects.count() == 1


def test_an_outage_that_an_event_names_is_not_deleted(town, clock):
    event = take(clock, "first")
    nobody_names(event.outage_id)
    with pytest.raises(IntegrityError, match="name the outage"), transaction.atomic():
        delete(event.outage_id)
    with pytest.raises(IntegrityError, match="name the outage"), transaction.atomic():
        Outage.objects.filter(id=event.outage_id).update(id=uuid4())
    SourceEvent.objects.update(outage=None)
    interrupt(event.outage_id, clock.at)
    with pytest.raises(IntegrityError, match="name the outage"), transaction.atomic():
        delete(event.outage_id)
    Interruption.objects.all().delete()
    assert delete(event.outage_id) == 1


@pytest.mark.django_db(transaction=True)
def test_who_deletes_waits_for_who_names(town, clock):
    event = take(clock, "first")
    nobody_names(event.outage_id)
    SourceEvent.objects.update(outage=None)

    def name():
        SourceEvent.objects.update(outage=event.outage_id)

    with unfinished(name):
        thread, faults = beside(lambda: delete(event.outage_id))
        until(waits_for_a_lock)
    thread.join()
    assert isinstance(faults[0], IntegrityError)
    assert SourceEvent.objects.get().outage_id == event.outage_id
    assert Outage.objects.filter(id=event.outage_id).exists()


@pytest.mark.django_db(transaction=True)
def test_who_names_waits_for_who_deletes(town, clock):
    event = take(clock, "first")
    nobody_names(event.outage_id)
    SourceEvent.objects.update(outage=None)
    with unfinished(lambda: delete(event.outage_id)):
        thread, faults = beside(lambda: SourceEvent.objects.update(outage=event.outage_id))
        until(waits_for_a_lock)
    thread.join()
    assert isinstance(faults[0], IntegrityError)
    assert SourceEvent.objects.get().outage_id is None


@pytest.mark.django_db(transaction=True)
def test_nobody_deletes_who_does_not_see_what_others_committed(town, clock):
    event = take(clock, "first")
    nobody_names(event.outage_id)
    SourceEvent.objects.update(outage=None)
    with pytest.raises(IntegrityError, match="is seen"), transaction.atomic():
        delete(event.outage_id, in_isolation=True)
    assert delete(event.outage_id) == 1
