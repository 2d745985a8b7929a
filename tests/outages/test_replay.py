"""A period played again gives the same outages, minute by minute, and writes nothing."""

import json
from datetime import timedelta

import pytest

from apps.audit.models import AuditEntry
from apps.core.actor import system
from apps.core.errors import Forbidden, Invalid
from apps.core.models import OutboxRow
from apps.outages import selectors
from apps.outages.models import Outage, SourceEvent
from apps.outages.rules import Status, read_report
from apps.outages.rules.replaying import packed, unpacked
from apps.outages.services import (
    WorkPlan,
    approve_work,
    begin_work,
    change_status,
    plan_work,
    take_reports,
)
from tests.outages.test_judging import judge_all

pytestmark = pytest.mark.django_db
VIEWER = system("test")
_count = iter(range(1, 1_000_000))


def tell(clock, word, *meters, device=""):
    """Report now, as it happens."""
    places = [{"device_id": device}] if device else [{"meter_id": m} for m in meters]
    events = [
        {
            "event_type": word,
            "source_type": "scada" if device else "smart_meter",
            "source_event_id": f"r{next(_count)}",
            "timestamp": clock.at.isoformat(),
            **place,
        }
        for place in places
    ]
    take_reports(
        reports=[(VIEWER, read_report(e, at=clock.at)) for e in events], at=clock.at
    )
    judge_all(clock)


def night(clock):
    """A trip and its end, a lateral that stays dark, a single meter; return when it began."""
    begin = clock.at
    tell(clock, "breaker_trip", device="R-1")
    tell(clock, "last_gasp", "m7", "m8", "m10")
    clock.forward(minutes=5)
    tell(clock, "last_gasp", "m1", "m2", "m4")
    clock.forward(minutes=20)
    tell(clock, "breaker_close", device="R-1")
    tell(clock, "power_up", "m7", "m8", "m9", "m10", "m11", "m12")
    clock.forward(minutes=10)
    tell(clock, "last_gasp", "m14")
    clock.forward(minutes=10)
    return begin


def played(begin, clock):
    return selectors.replay(start=begin, end=clock.at, viewer=VIEWER)


def test_it_gives_the_same_outages_minute_by_minute(town, clock):
    begin = night(clock)
    found = played(begin, clock)
    assert (found.missing, found.surplus) == ([], [])
    recorded = {o.device_code: o for o in Outage.objects.standing()}
    assert set(found.replayed) == set(recorded)
    assert (len(found.frames), found.events) == (45, SourceEvent.objects.count())

    def going(minute):
        return {one.device for one in found.frames[minute].outages if not one.is_over}

    assert going(0) == {"R-1"}
    assert going(6) == {"R-1", "FU-1"}
    assert going(26) == {"FU-1"}
    assert going(44) == {"FU-1", "m14"}
    first = found.frames[0]
    assert first.events == {"scada": 1, "smart_meter": 3}
    assert (first.outages[0].customers, first.outages[0].since) == (6, begin)
    assert found.frames[-1].at == clock.at


def test_it_writes_nothing(town, clock):
    begin = night(clock)
    before = [
        list(Outage.objects.order_by("id").values()),
        AuditEntry.objects.count(),
        OutboxRow.objects.count(),
    ]
    played(begin, clock)
    assert before == [
        list(Outage.objects.order_by("id").values()),
        AuditEntry.objects.count(),
        OutboxRow.objects.count(),
    ]


def test_what_people_decided_counts_from_then_on(town, clock):
    begin = clock.at
    tell(clock, "last_gasp", "m1", "m2")
    clock.forward(minutes=5)
    (outage,) = Outage.objects.standing()
    change_status(
        outage_id=outage.id, status=Status.CONFIRMED, notes="", by=VIEWER, at=clock.at
    )
    clock.forward(minutes=1)
    tell(clock, "last_gasp", "m4", "m5")
    clock.forward(minutes=5)
    found = played(begin, clock)
    assert (found.missing, found.surplus) == ([], [])
    assert sorted(found.replayed) == ["T-1", "T-2"]


def test_nothing_happened_is_no_fault(town, clock):
    found = selectors.replay(
        start=clock.at, end=clock.at + timedelta(minutes=3), viewer=VIEWER
    )
    assert [frame.outages for frame in found.frames] == [(), (), ()]


def test_impossible_periods_are_refused(town, clock, nobody):
    for minutes in (0, -1, 24 * 60 + 1):
        with pytest.raises(Invalid):
            selectors.replay(
                start=clock.at, end=clock.at + timedelta(minutes=minutes), viewer=VIEWER
            )
    with pytest.raises(Forbidden):
        selectors.replay(start=clock.at, end=clock.at + timedelta(minutes=1), viewer=nobody)


def test_planned_work_is_shown_where_nothing_came_in(town, clock):
    begin = clock.at
    plan = WorkPlan("Cable", "FU-1", clock.at, clock.at + timedelta(minutes=10))
    work = plan_work(plan=plan, by=VIEWER, at=clock.at)
    approve_work(work_id=work.pk, by=system("other"), at=clock.at)
    begin_work(work_id=work.pk, by=VIEWER, at=clock.forward(minutes=1))
    found = played(begin, clock.forward(minutes=3) and clock)
    assert [(one.device, one.customers) for one in found.frames[-1].outages] == [
        ("FU-1", 6)
    ]
    assert (found.missing, found.surplus) == ([], [])


def test_it_says_how_far_it_is(town, clock):
    begin, shares = night(clock), []
    selectors.replay(start=begin, end=clock.at, viewer=VIEWER, pace=shares.append)
    assert shares == sorted(shares)
    assert (shares[0] > 0, shares[-1]) == (True, 1.0)


def test_what_is_kept_says_the_same(town, clock):
    found = played(night(clock), clock)
    film = unpacked(json.loads(json.dumps(packed(found))))
    shown = set()
    for scene, frame in zip(film.scenes, found.frames, strict=True):
        shown = shown - set(scene.went) | set(scene.came)
        assert {film.cast[place] for place in shown} == set(frame.outages)
        assert (scene.at, scene.events) == (frame.at, frame.events)
    assert (film.replayed, film.recorded) == (len(found.replayed), len(found.recorded))
    assert sum(len(scene.came) for scene in film.scenes) < 12
