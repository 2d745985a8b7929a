"""When judging waits: events pour in, or a large batch is on its way."""

import threading
from datetime import timedelta

import pytest
from django.db import transaction

from apps.core.actor import system
from apps.core.models import OutboxRow
from apps.outages import selectors, services, tasks
from apps.outages.models import CorrelationWork, SourceEvent
from apps.outages.rules import read_report
from apps.outages.rules.judgement import MANY_WAITING
from apps.outages.selectors.flood import FEW, LARGE_BATCH, MANY
from apps.outages.services import batch, telling
from apps.outages.services.telling import Telling

FEEDER = system("test")


def send(clock, count, name="e", **place):
    reports = [
        (
            FEEDER,
            read_report(
                {
                    "event_type": "last_gasp",
                    "source_type": "smart_meter",
                    "source_event_id": f"{name}-{n}",
                    "timestamp": clock.at.isoformat(),
                    **(place or {"meter_id": f"m{n % 15 + 1}"}),
                },
                at=clock.at,
            ),
        )
        for n in range(count)
    ]
    return services.take_reports(reports=reports, at=clock.at)


def test_some_events_are_calm_and_hardly_any_is_quiet(town, clock):
    send(clock, FEW - 1)
    assert selectors.is_quiet(at=clock.at)
    send(clock, 1, "one-more")
    assert selectors.is_calm(at=clock.at)
    assert not selectors.is_quiet(at=clock.at)
    assert selectors.is_quiet(at=clock.forward(seconds=3))


def test_many_events_are_no_calm(town, clock):
    send(clock, 3)
    (event,) = SourceEvent.objects.all()[:1]
    SourceEvent.objects.bulk_create(
        SourceEvent(
            source_type="smart_meter",
            source_event_id=f"copy-{n}",
            kind=event.kind,
            occurred_at=clock.at,
            received_at=clock.at,
            accepted_at=clock.at,
            disposition=event.disposition,
        )
        for n in range(MANY)
    )
    assert not selectors.is_calm(at=clock.at)
    assert selectors.is_calm(at=clock.forward(seconds=3))


def test_a_batch_that_is_being_taken_in_is_no_calm_however_long_it_takes(
    transactional_db, town, clock
):
    with transaction.atomic():
        send(clock, LARGE_BATCH)
        later = clock.at + timedelta(minutes=1)
        assert not selectors.is_calm(at=later)
        assert not selectors.is_quiet(at=later)
    assert selectors.is_quiet(at=later)


def test_what_rests_is_judged_when_nothing_comes_in(town, clock):
    send(clock, 2)
    work = CorrelationWork.objects.get(key__startswith="feeder:")
    for took, rests, woken in ((0.1, 3, 1), (0.1, 60, 0), (2.0, 13, 0), (0.05, 5, 1)):
        later = clock.at + timedelta(seconds=rests)
        CorrelationWork.objects.update(took_seconds=took, run_at=later, waiting=2)
        assert services.wake(at=clock.at) == woken, (took, rests)
        work.refresh_from_db()
        assert work.run_at == (clock.at if woken else later)


def test_once_it_is_calm_others_help_and_what_rests_is_judged_too(town, clock, monkeypatch):
    monkeypatch.setattr(tasks.timezone, "now", lambda: clock.at)
    helpers = []
    monkeypatch.setattr(
        tasks.judge_waiting, "apply_async", lambda **words: helpers.append(words)
    )
    send(clock, 15)
    parts = CorrelationWork.objects.filter(waiting__gt=0)
    count = parts.count()
    assert count > 1
    clock.forward(seconds=3)
    rests = clock.at + timedelta(seconds=4)
    resting = parts.order_by("id")[0].id
    CorrelationWork.objects.filter(id=resting).update(run_at=rests, took_seconds=0.05)
    assert tasks.judge_waiting() == count
    assert not parts.exists()
    assert len(helpers) == count - 1


def test_once_it_is_calm_what_takes_longest_is_judged_first(town, clock, monkeypatch):
    monkeypatch.setattr(tasks.timezone, "now", lambda: clock.at)
    monkeypatch.setattr(tasks.judge_waiting, "apply_async", lambda **_words: None)
    send(clock, 15)
    clock.forward(seconds=3)
    parts = CorrelationWork.objects.filter(waiting__gt=0)
    for number, part in enumerate(parts.order_by("id")):
        when = clock.at - timedelta(seconds=number)
        parts.filter(id=part.id).update(waiting=1 + number % 2, run_at=when)
    wanted = list(parts.order_by("-waiting", "run_at").values_list("key", flat=True))
    assert len(wanted) > 1
    judged = []
    judge = services.judge
    monkeypatch.setattr(
        tasks.services, "judge", lambda key, at: (judged.append(key), judge(key=key, at=at))
    )
    tasks.judge_waiting()
    assert judged == wanted


def test_in_a_flood_only_what_has_waited_is_judged(town, clock, monkeypatch):
    monkeypatch.setattr(tasks.timezone, "now", lambda: clock.at)
    send(clock, 2)
    calm = [False]
    monkeypatch.setattr(tasks.selectors, "is_calm", lambda at: calm[0])
    key = CorrelationWork.objects.get(key__startswith="feeder:").key
    CorrelationWork.objects.update(waiting=MANY_WAITING)
    clock.forward(seconds=2)
    assert not tasks.judge_part(key)
    clock.forward(seconds=5)
    assert tasks.judge_part(key)
    for calm[0], waiting in ((True, MANY_WAITING), (False, 1)):
        send(clock, 2, f"again-{waiting}")
        CorrelationWork.objects.update(waiting=waiting, run_at=clock.forward(seconds=2))
        assert tasks.judge_part(key)


@pytest.mark.parametrize(("took", "waits"), [(0.01, False), (0.5, True)])
def test_what_is_short_does_not_wait_for_what_is_long(
    town, clock, monkeypatch, took, waits
):
    judged = []
    monkeypatch.setattr(tasks, "_judge_now", judged.append)
    send(clock, 2)
    row = CorrelationWork.objects.get(key__startswith="feeder:")
    row.took_seconds = took
    with tasks._seat:
        other = threading.Thread(target=tasks._judge, args=[row], kwargs={"calm": False})
        other.start()
        other.join(0.2 if waits else 10)
        assert bool(judged) is not waits
    other.join()
    assert judged == [row]


def test_who_may_wait_for_long_is_told_at_once(town, clock, monkeypatch):
    monkeypatch.setattr(batch, "telling", Telling(0))
    send(clock, 1, "first", meter_id="m1")
    send(clock, 1, "second", meter_id="m1")
    assert OutboxRow.objects.filter(name="outages.events_matched").count() == 1
    CorrelationWork.objects.update(waiting=MANY_WAITING)
    send(clock, 1, "third", meter_id="m1")
    rows = OutboxRow.objects.filter(name="outages.events_matched").order_by("id")
    outage = str(SourceEvent.objects.get(source_event_id="first-0").outage_id)
    assert [row.payload["changed"] for row in rows] == [[], [outage]]


@pytest.mark.parametrize(("took", "told"), [(0.001, 2), (0.1, 3)])
def test_screens_are_told_at_once_where_the_judgement_rests(
    town, clock, monkeypatch, took, told
):
    monkeypatch.setattr(batch, "telling", Telling(0))
    send(clock, 1, "first", meter_id="m1")
    CorrelationWork.objects.update(took_seconds=took, state="done", waiting=0)
    for n in range(2):
        send(clock, 1, f"later-{n}", meter_id="m1")
    assert OutboxRow.objects.filter(name="outages.events_matched").count() == told


@pytest.mark.parametrize(("most", "told"), [(2, 3), (100, 6)])
def test_screens_are_told_at_once_of_what_joins_but_not_of_every_event_of_many(
    town, clock, monkeypatch, most, told
):
    monkeypatch.setattr(batch, "telling", Telling(most))
    for n in range(6):
        send(clock, 1, f"turn-{n}", meter_id="m1")
    rows = OutboxRow.objects.filter(name="outages.events_matched").order_by("id")
    outage = str(SourceEvent.objects.get(source_event_id="turn-0-0").outage_id)
    changed = [row.payload["changed"] for row in rows]
    assert changed == [[], *[[outage]] * (told - 1)]


def test_each_second_begins_with_none_told(monkeypatch):
    now = 100.0
    monkeypatch.setattr(telling.time, "monotonic", lambda: now)
    some = Telling(2)
    assert [some.may() for _ in range(3)] == [True, True, False]
    now = 100.9
    assert not some.may()
    now = 101.0
    assert some.may()
