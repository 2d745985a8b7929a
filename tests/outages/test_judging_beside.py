"""What others do on a feeder while it is judged: nothing waits that need not, nothing is lost."""

from collections import Counter
from datetime import timedelta

import pytest

from apps.core.actor import system
from apps.outages.models import CorrelationWork, Interruption, Outage, TimelineEntry
from apps.outages.rules import EtrSource, Status, read_report
from apps.outages.services import (
    change_status,
    judge,
    judging,
    publish_etr,
    settling,
    take_reports,
)
from tests.unfinished import beside

pytestmark = pytest.mark.django_db(transaction=True)

SENDER = system("test")
_count = iter(range(1, 1_000_000))


def take(clock, *meters, seconds=0, kind="last_gasp", come_in=0):
    events = [
        {
            "event_type": kind,
            "source_type": "smart_meter",
            "source_event_id": f"b{next(_count)}",
            "timestamp": (clock.at + timedelta(seconds=seconds)).isoformat(),
            "meter_id": meter,
        }
        for meter in meters
    ]
    reports = [(SENDER, read_report(e, at=clock.at + timedelta(days=1))) for e in events]
    return take_reports(reports=reports, at=clock.at + timedelta(seconds=come_in))


def judge_all(clock):
    for key in CorrelationWork.objects.values_list("key", flat=True):
        judge(key=key, at=clock.at)
    return list(Outage.objects.standing().order_by("number"))


@pytest.fixture
def once(monkeypatch):
    """Have something done after (or before) a step of the judgement, the first time only."""

    def arrange(owner, name, work, *, before=False):
        step, left = getattr(owner, name), [work]

        def stepped(*args):
            if before and left:
                left.pop()()
            found = step(*args)
            if left:
                left.pop()()
            return found

        monkeypatch.setattr(owner, name, stepped)

    return arrange


def test_events_come_in_while_the_judge_writes(town, clock, once):
    take(clock, "m1", "m2", "m4", "m5")

    def come_in():
        thread, faults = beside(
            lambda: take(clock, "m7", "m8", "m10", seconds=2, come_in=1)
        )
        thread.join(20)
        assert not thread.is_alive(), "the intake waits for the judge"
        assert faults == []

    once(settling.Plan, "begin", come_in)
    judge(key=CorrelationWork.objects.get().key, at=clock.at)
    assert CorrelationWork.objects.get().waiting == 3
    (outage,) = judge_all(clock)
    assert (outage.device_code, outage.sources) == ("CB-1", {"smart_meter": 7})


def test_an_estimate_that_is_made_meanwhile_keeps_nothing_open(town, clock, once):
    take(clock, "m1", "m2")
    (outage,) = judge_all(clock)
    take(clock, "m1", "m2", kind="power_up", seconds=900)

    def estimate():
        publish_etr(
            outage_id=outage.id,
            estimate_at=clock.at + timedelta(hours=2),
            source=EtrSource.OPERATOR,
            by=SENDER,
            at=clock.at + timedelta(seconds=1),
        )

    def beside_the_judge():
        thread, faults = beside(estimate)
        thread.join(20)
        assert (thread.is_alive(), faults) == (False, [])

    once(settling.Plan, "begin", beside_the_judge, before=True)
    (outage,) = judge_all(clock)
    assert outage.etr_source == EtrSource.OPERATOR
    assert (outage.status, outage.restored_at) == (
        "restored",
        clock.at + timedelta(seconds=900),
    )


def test_what_joined_meanwhile_keeps_the_outage_open(town, clock, once):
    take(clock, "m1", "m2")
    (outage,) = judge_all(clock)
    take(clock, "m1", "m2", seconds=600, kind="power_up")

    def come_in():
        thread, faults = beside(lambda: take(clock, "m3", seconds=60, come_in=1))
        thread.join(20)
        assert (thread.is_alive(), faults) == (False, [])

    once(settling.Plan, "begin", come_in)
    judge(key=CorrelationWork.objects.get().key, at=clock.at)
    outage.refresh_from_db()
    assert (outage.is_open, outage.sources) == (True, {"smart_meter": 3})
    (late,) = Interruption.objects.filter(meter_code="m3")
    assert (late.outage_id, late.ended_at) == (outage.id, None)


def test_who_ends_an_outage_waits_until_it_is_judged(town, clock, once, operator):
    take(clock, "m1", "m2")
    (outage,) = judge_all(clock)
    take(clock, "m4", "m5", seconds=1)
    threads = []

    def end():
        threads.append(
            beside(
                lambda: change_status(
                    outage_id=outage.id,
                    status=Status.RESTORED,
                    notes="",
                    by=operator,
                    at=clock.at + timedelta(hours=1),
                )
            )
        )
        threads[0][0].join(0.5)
        assert threads[0][0].is_alive(), "it should wait for the judge"

    once(settling.Plan, "begin", end)
    judge(key=CorrelationWork.objects.get().key, at=clock.at)
    ((thread, faults),) = threads
    thread.join(20)
    assert (thread.is_alive(), faults) == (False, [])
    outage.refresh_from_db()
    assert (outage.status, outage.device_code) == (Status.RESTORED, "FU-1")
    rows = Interruption.objects.filter(outage=outage)
    assert Counter(rows.values_list("ended_at", flat=True)) == {outage.restored_at: 6}


def test_what_was_written_for_an_outage_that_changed_is_taken_back(
    town, clock, once, operator, monkeypatch
):
    looks, look = [], judging._look

    def seen(*args):
        sight = look(*args)
        looks.append({event.id: event.outage for event in sight.plan.heard.events})
        return sight

    monkeypatch.setattr(judging, "_look", seen)
    take(clock, "m1", "m2")
    (outage,) = judge_all(clock)
    take(clock, "m4", "m5", "m6", seconds=1)
    looks.clear()

    def confirm():
        change_status(
            outage_id=outage.id,
            status=Status.CONFIRMED,
            notes="",
            by=operator,
            at=clock.at,
        )

    def come_between():
        thread, faults = beside(confirm)
        thread.join(20)
        assert (thread.is_alive(), faults) == (False, [])

    once(judging, "keep_judges_out", come_between, before=True)
    found = judge_all(clock)
    assert [(o.device_code, o.status) for o in found] == [
        ("T-1", Status.CONFIRMED),
        ("T-2", Status.DETECTED),
    ]
    assert len(looks) == 2
    assert looks[0] == looks[1]
    assert Interruption.objects.count() == 6
    told = TimelineEntry.objects.filter(outage=found[1]).values_list("kind", flat=True)
    assert Counter(told)["detected"] == 1
