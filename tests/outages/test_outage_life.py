"""The verbs on an outage: rows, timeline, audit and event; a refused step changes nothing."""

import contextlib
import itertools
import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.audit.models import AuditEntry
from apps.core.actor import Actor, ActorKind, system
from apps.core.errors import Forbidden
from apps.core.models import OutboxRow
from apps.network.models import Feeder
from apps.outages import services
from apps.outages.models import CorrelationWork, EtrEstimate, Outage, SourceEvent
from apps.outages.rules import (
    FINAL,
    OPEN,
    EtrSource,
    Status,
    StepRefused,
    check_step,
    read_report,
)
from apps.outages.selectors import OutageNotFound
from apps.outages.services.etr import EtrOutranked
from apps.outages.services.holding import lock_part
from tests.unfinished import unfinished

OPERATOR = Actor(
    kind=ActorKind.PERSON,
    label="olga@example.org",
    permissions=frozenset({"outages.operate_outage", "outages.record_field_work"}),
    on_behalf_of="",
)
_latitudes = (-60 + n * 0.1 for n in itertools.count())
NOBODY = Actor(kind=ActorKind.PERSON, label="nobody")


def report(clock, name, **place):
    data = {
        "event_type": "outage",
        "source_type": "call_center",
        "source_event_id": name,
        "timestamp": clock.at.isoformat(),
        **place,
    }
    return read_report(data, at=clock.at)


def new_outage(clock, latitude=31.0):
    place = {"latitude": latitude, "longitude": 35.0}
    (receipt,) = services.take_reports(
        reports=[(system("test"), report(clock, uuid4().hex, **place))], at=clock.at
    )
    return Outage.objects.get(id=receipt.outage_id)


def facts():
    return (
        Outage.objects.values_list("status", "updated_at").get(),
        AuditEntry.objects.count(),
        OutboxRow.objects.count(),
    )


@pytest.mark.django_db
def test_a_step_writes_the_row_the_timeline_the_trail_and_the_event(clock):
    outage = new_outage(clock)
    at = clock.forward(minutes=3)
    services.change_status(
        outage_id=outage.id, status=Status.CONFIRMED, notes="seen", by=OPERATOR, at=at
    )
    outage.refresh_from_db()
    assert (outage.status, outage.confirmed_at) == ("confirmed", at)
    entry = outage.timeline.order_by("id").last()
    assert (entry.kind, entry.actor_label, entry.at) == ("confirmed", OPERATOR.label, at)
    assert "seen" in entry.text
    trail = AuditEntry.objects.get(action="outage_confirmed")
    assert trail.resource_id == str(outage.id)
    assert (trail.before["status"], trail.after["status"]) == ("detected", "confirmed")
    row = OutboxRow.objects.order_by("id").last()
    assert row.name == "outages.moved"
    assert (row.payload["before"], row.payload["after"]) == ("detected", "confirmed")


@pytest.mark.django_db
@pytest.mark.parametrize("final", FINAL)
def test_a_refused_step_changes_nothing(clock, final):
    outage = new_outage(clock)
    services.change_status(
        outage_id=outage.id, status=final, notes="", by=OPERATOR, at=clock.at
    )
    before = facts()
    with pytest.raises(StepRefused):
        services.change_status(
            outage_id=outage.id, status=Status.CONFIRMED, notes="", by=OPERATOR, at=clock.at
        )
    assert facts() == before


@pytest.mark.django_db(transaction=True)
def test_who_may_not_is_refused_and_that_is_on_record(clock):
    outage = new_outage(clock)
    denied = AuditEntry.objects.filter(action="access_denied")
    before = denied.count()
    with pytest.raises(Forbidden):
        services.change_status(
            outage_id=outage.id, status=Status.CONFIRMED, notes="", by=NOBODY, at=clock.at
        )
    outage.refresh_from_db()
    assert outage.status == "detected"
    assert denied.count() == before + 1


@pytest.mark.django_db
def test_an_unknown_outage_is_not_found(clock):
    with pytest.raises(OutageNotFound):
        services.change_status(
            outage_id=uuid4(), status=Status.CONFIRMED, notes="", by=OPERATOR, at=clock.at
        )


@pytest.mark.django_db
def test_the_more_trusted_estimate_stands_and_each_is_kept(clock):
    outage = new_outage(clock)

    def publish(source, hours):
        services.publish_etr(
            outage_id=outage.id, estimate_at=clock.at + timedelta(hours=hours),
            source=source, by=OPERATOR, at=clock.at,
        )  # fmt: skip

    publish(EtrSource.OPERATOR, 3)
    publish(EtrSource.CREW, 2)
    with pytest.raises(EtrOutranked):
        publish(EtrSource.OPERATOR, 5)
    outage.refresh_from_db()
    assert outage.estimated_restoration_at == clock.at + timedelta(hours=2)
    sources = EtrEstimate.objects.order_by("id").values_list("source", flat=True)
    assert list(sources) == ["default", "operator", "crew"]


@pytest.mark.django_db
def test_field_work_begins_the_outage_once(clock):
    outage = new_outage(clock)
    for text in ("on the way", "arrived"):
        services.record_field_work(
            outage_id=outage.id, text=text, begins_work=True, by=OPERATOR, at=clock.at
        )
    outage.refresh_from_db()
    assert outage.status == "in_progress"
    assert OutboxRow.objects.filter(name="outages.moved").count() == 1


@pytest.mark.django_db
@settings(max_examples=40)
@given(st.lists(st.sampled_from(list(Status)), min_size=1, max_size=6))
def test_service_and_database_refuse_exactly_what_the_table_refuses(steps):
    from tests.fixtures.database import Clock

    clock = Clock()
    outage = new_outage(clock, latitude=next(_latitudes))
    state = Status.DETECTED
    for step in steps:
        try:
            check_step(state, step)
            allowed = True
        except StepRefused:
            allowed = False
        if step is not state:
            assert raw_step_works(outage, step) is allowed
        try:
            services.change_status(
                outage_id=outage.id, status=step, notes="", by=OPERATOR, at=clock.at
            )
            assert allowed
            state = step
        except StepRefused:
            assert not allowed
    assert Outage.objects.get(id=outage.id).status == state


def raw_step_works(outage, step):
    """Try the step with plain SQL, past the service, and take it back."""
    final = {Status.RESTORED: "restored_at", Status.CANCELLED: "cancelled_at"}.get(step)
    extra = f", {final} = first_detected_at" if final else ""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    f"UPDATE outages_outage SET status = %s{extra} WHERE id = %s",
                    [step.value, outage.id],
                )
            raise Undo
    except Undo:
        return True
    except DatabaseError:
        return False


class Undo(Exception):
    """Takes the transaction back."""


@pytest.mark.django_db(transaction=True)
def test_pairs_that_arrive_at_once_open_one_outage_each(town, clock):
    """64 senders at once: of each pair one event opens the outage and the other joins."""
    pairs = 64
    barrier = threading.Barrier(8)
    failures = []

    def send(worker):
        barrier.wait()
        try:
            for n in range(worker, pairs * 2, 8):
                pair, half = n % pairs, n // pairs
                lat = 10 + pair * 0.1
                one = report(clock, f"p{pair}-{half}", latitude=lat, longitude=20.0)
                meter = report(clock, f"q{n}", meter_id=f"m{n % 3 + 1}")
                services.take_reports(
                    reports=[(system("t"), one), (system("t"), meter)], at=clock.at
                )
        except Exception as fault:
            failures.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert SourceEvent.objects.count() == pairs * 4
    placed = Outage.objects.filter(place_kind="coordinates")
    assert placed.count() == pairs
    assert Outage.objects.filter(feeder_code="F1").count() == 1
    work = CorrelationWork.objects.filter(key__startswith="feeder").get()
    assert work.waiting == pairs * 2


@pytest.mark.django_db(transaction=True)
def test_who_does_not_wait_takes_in_only_what_nobody_holds(town, clock):
    """A feeder is held meanwhile: its events are left, whatever else comes with them."""
    events = [
        (system("t"), report(clock, "held", meter_id="m1")),
        (system("t"), report(clock, "free", latitude=50.0, longitude=20.0)),
        (system("t"), report(clock, "nowhere", meter_id="unheard-of")),
    ]
    with unfinished(lambda: lock_part([Feeder.objects.get(code="F1").pk])):
        first = services.take_free_reports(reports=events, at=clock.at)
        assert [taken is not None for taken in first] == [False, True, True]
        names = SourceEvent.objects.values_list("source_event_id", flat=True)
        assert sorted(names) == ["free", "nowhere"]
        assert not Outage.objects.filter(feeder_code="F1").exists()
    again = services.take_free_reports(reports=events, at=clock.at)
    assert [taken.duplicate for taken in again] == [False, True, True]
    assert Outage.objects.get(feeder_code="F1").id == again[0].outage_id


@pytest.mark.django_db(transaction=True)
def test_pairs_of_impatient_senders_open_one_outage_each(town, clock):
    """Those who try again and those who wait are in the same race."""
    pairs, failures, barrier = 24, [], threading.Barrier(4)

    def send_one(event, *, wait):
        taken = None
        while taken is None:
            take = services.take_reports if wait else services.take_free_reports
            (taken,) = take(reports=[(system("t"), event)], at=clock.at)

    def send(worker):
        barrier.wait()
        try:
            for n in range(worker, pairs * 2, 4):
                place = {"latitude": 10 + n % pairs * 0.1, "longitude": 20.0}
                send_one(report(clock, f"p{n}", **place), wait=worker == 0)
                send_one(report(clock, f"q{n}", meter_id="m1"), wait=worker == 1)
        except Exception as fault:
            failures.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=[n]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert SourceEvent.objects.count() == pairs * 4
    assert Outage.objects.filter(place_kind="coordinates").count() == pairs
    assert Outage.objects.filter(feeder_code="F1").count() == 1


def trip(clock, device, n):
    told = {"source_type": "scada", "event_type": "trip", "device_id": device}
    one = report(clock, f"{device}-{n}", **told)
    services.take_reports(reports=[(system("t"), one)], at=clock.at)


def end(clock, device, n):
    status = Status.CANCELLED if n % 2 else Status.RESTORED
    for outage in Outage.objects.open().filter(device_code=device):
        with contextlib.suppress(StepRefused):
            services.change_status(
                outage_id=outage.id, status=status, notes="", by=OPERATOR, at=clock.at
            )


def judge_all(clock, _device, _n):
    for key in CorrelationWork.objects.values_list("key", flat=True):
        services.judge(key=key, at=clock.at)


@pytest.mark.django_db(transaction=True)
def test_ending_outages_while_scada_switches_and_the_judge_looks_never_deadlocks(
    town, clock
):
    failures = []

    def run(device, worker):
        try:
            for n, verb in itertools.product(range(6), (trip, end, judge_all)):
                verb(clock, device, worker * 100 + n)
        except Exception as fault:
            failures.append(fault)
        finally:
            connection.close()

    works = itertools.product(("FU-1", "T-1", "CB-2"), range(2))
    threads = [threading.Thread(target=run, args=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert Outage.objects.exclude(status__in=OPEN).exists()


@pytest.mark.django_db
def test_a_verb_on_a_merged_outage_reaches_the_one_it_went_into(clock):
    first, middle, last = (new_outage(clock, latitude=30.0 + n) for n in range(3))
    Outage.objects.filter(id=first.id).update(merged_into=middle)
    Outage.objects.filter(id=middle.id).update(merged_into=last)
    changed = services.change_status(
        outage_id=first.id, status=Status.CONFIRMED, notes="", by=OPERATOR, at=clock.at
    )
    assert changed.id == last.id
    worked = services.record_field_work(
        outage_id=middle.id, text="x", begins_work=True, by=OPERATOR, at=clock.at
    )
    assert (worked.id, worked.status) == (last.id, Status.IN_PROGRESS)
    states = dict(Outage.objects.values_list("id", "status"))
    assert [states[o.id] for o in (first, middle)] == [Status.DETECTED] * 2
    assert not first.timeline.exclude(kind="detected").exists()
