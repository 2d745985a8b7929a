"""Planned outages: whom they suppress, and what they do not."""

from datetime import timedelta

import pytest

from apps.core.actor import system
from apps.outages.models import CorrelationWork, Interruption, Outage, SourceEvent
from apps.outages.rules import BadReport, read_report
from apps.outages.services import judge, take_reports

pytestmark = pytest.mark.django_db
SENDER = system("test")
_count = iter(range(1, 1_000_000))


def tell(clock, word, minutes=0.0, source="smart_meter", **place):
    event = {
        "event_type": word,
        "source_type": source,
        "source_event_id": f"p{next(_count)}",
        "timestamp": (clock.at + timedelta(minutes=minutes)).isoformat(),
        **place,
    }
    report = read_report(event, at=clock.at + timedelta(days=1))
    (receipt,) = take_reports(reports=[(SENDER, report)], at=clock.at)
    return receipt


def gone(clock, minutes, *meters):
    for n, meter in enumerate(meters):
        tell(clock, "last_gasp", minutes + n / 60, meter_id=meter)


def settle(clock):
    later = clock.at + timedelta(hours=9)
    for key in CorrelationWork.objects.values_list("key", flat=True):
        judge(key=key, at=later)
    return {o.device_code: o for o in Outage.objects.standing()}


def words(meter):
    rows = SourceEvent.objects.filter(meter_code=meter, kind="outage")
    return sorted(rows.values_list("disposition", flat=True))


@pytest.fixture
def planned(town, clock):
    """Plan work at FU-1 from now on."""
    receipt = tell(clock, "planned_outage", source="operator", device_id="FU-1")
    return Outage.objects.get(id=receipt.outage_id)


def test_all_that_goes_dark_in_scope_and_window_is_the_plan(planned, clock):
    gone(clock, 20, "m1", "m2", "m3", "m4", "m5")
    assert set(settle(clock)) == {"FU-1"}
    assert words("m1") == ["planned"]


def test_work_that_starts_late_or_early_by_a_clock_is_still_the_plan(planned, clock):
    gone(clock, -0.3, "m1", "m2")
    gone(clock, 200, "m4", "m5")
    assert set(settle(clock)) == {"FU-1"}


def test_who_was_dark_long_before_the_window_has_an_outage(planned, clock):
    gone(clock, -60, "m1", "m2", "m3")
    found = settle(clock)
    assert set(found) == {"FU-1", "T-1"}
    assert not found["T-1"].is_planned
    assert words("m1") == ["outage"]


def test_what_goes_dark_after_the_window_is_an_outage(planned, clock):
    gone(clock, 20, "m1", "m2", "m3", "m4")
    gone(clock, 300, "m1", "m2", "m3")
    found = settle(clock)
    assert set(found) == {"FU-1", "T-1"}
    assert not found["T-1"].is_planned
    assert words("m1") == ["outage", "planned"]


def test_neighbours_and_what_lies_above_are_no_part_of_the_plan(planned, clock):
    gone(clock, 20, "m1", "m2", "m4", "m5")
    gone(clock, 60, "m7", "m8", "m9", "m10", "m11", "m12")
    found = settle(clock)
    assert set(found) == {"FU-1", "R-1"}
    assert (words("m1"), words("m7")) == (["planned"], ["outage"])
    assert Interruption.objects.filter(outage=found["R-1"]).count() == 6


def test_a_breaker_that_trips_above_takes_only_who_had_power(planned, clock):
    gone(clock, 20, "m1", "m2", "m4", "m5")
    tell(clock, "breaker_trip", 60, source="scada", device_id="CB-1")
    gone(clock, 60, "m7", "m8", "m10", "m11")
    found = settle(clock)
    assert set(found) == {"FU-1", "CB-1"}
    window = {"started_at__lt": clock.at + timedelta(hours=2)}
    assert Interruption.objects.filter(outage=found["FU-1"], **window).count() == 6
    assert Interruption.objects.filter(outage=found["CB-1"], **window).count() == 6


def test_a_device_that_trips_inside_is_an_outage_beside_the_plan(planned, clock):
    gone(clock, 20, "m1", "m2", "m4", "m5")
    tell(clock, "trip", 60, source="scada", device_id="T-1")
    found = settle(clock)
    assert set(found) == {"FU-1", "T-1"}
    assert not found["T-1"].is_planned
    assert found["FU-1"].is_planned


def test_a_plan_may_say_until_when(town, clock):
    until = (clock.at + timedelta(minutes=90)).isoformat()
    tell(clock, "planned_outage", source="operator", device_id="FU-1", planned_until=until)
    gone(clock, 80, "m1")
    gone(clock, 100, "m4", "m5", "m6")
    found = settle(clock)
    assert set(found) == {"FU-1", "T-2"}
    assert (words("m1"), words("m4")) == (["planned"], ["outage"])


@pytest.mark.parametrize("until", ["soon", 5, "2020-01-01T00:00:00+00:00"])
def test_an_end_that_is_none_is_refused(town, clock, until):
    with pytest.raises(BadReport):
        tell(
            clock,
            "planned_outage",
            source="operator",
            device_id="FU-1",
            planned_until=until,
        )
