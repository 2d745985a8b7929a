"""A period played again gives the same outages, minute by minute, and writes nothing."""

from datetime import timedelta

import pytest

from apps.audit.models import AuditEntry
from apps.core.actor import system
from apps.core.errors import Forbidden, Invalid
from apps.core.models import OutboxRow
from apps.outages import selectors
from apps.outages.models import Outage, SourceEvent
from apps.outages.rules import Status, read_report
from apps.outages.services import change_status, take_reports
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


def test_impossible_periods_are_refused(town, clock, nobody, monkeypatch):
    for minutes in (0, -1, 24 * 60 + 1):
        with pytest.raises(Invalid):
            selectors.replay(
                start=clock.at, end=clock.at + timedelta(minutes=minutes), viewer=VIEWER
            )
    with pytest.raises(Forbidden):
        selectors.replay(start=clock.at, end=clock.at + timedelta(minutes=1), viewer=nobody)
    begin = night(clock)
    monkeypatch.setattr("apps.outages.selectors.replaying.MOST_EVENTS", 5)
    with pytest.raises(Invalid, match="Choose less time"):
        played(begin, clock)
