"""How the figures of the overview went over the last hour."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.outages import selectors as outages
from apps.outages.models import Outage
from apps.portal import overview

AT = datetime(2026, 11, 27, 3, 14, 30, tzinfo=UTC)
NOW = {"active_outages": 7, "total_affected_customers": 90, "high_confidence_outages": 0}


def courses(at, changes=(), points=()):
    now = outages.Situation(**NOW, unconfirmed=0, by_severity={}, backlog=0)
    return overview.courses(now, list(changes), list(points), at)


def test_a_course_ends_with_what_is_and_knows_what_was():
    at = AT
    changes = [
        outages.Change(at - timedelta(minutes=50), 1, 10),
        outages.Change(at - timedelta(minutes=12), -2, -30),
        outages.Change(at - timedelta(minutes=3), 4, 60),
    ]
    found = courses(at, changes)
    assert len(found["outages"]) == 13
    assert found["outages"] == [4, 4, *[5] * 8, 3, 3, 7]
    assert found["customers"] == [50, 50, *[60] * 8, 30, 30, 90]


def test_events_are_counted_once_and_all_of_them():
    at = AT
    begin = at.replace(second=0) - timedelta(minutes=59)
    points = [
        outages.RatePoint(begin + timedelta(minutes=n), "scada", 2) for n in range(60)
    ]
    found = courses(at, points=points)["events"]
    assert len(found) == 12
    assert sum(found) == 120


@pytest.fixture
def evening(city):
    city.crews()
    city.evening()
    return city


def test_changes_are_what_was_opened_and_what_ended(evening, city):
    at = city.at
    before = outages.situation(viewer=city.portal)
    opened = sum(one.outages for one in outages.changes(viewer=city.portal, at=at))
    customers = sum(one.customers for one in outages.changes(viewer=city.portal, at=at))
    assert opened == before.active_outages > 3
    assert customers == before.total_affected_customers > 10
    ended = city.open()[0]
    Outage.objects.filter(pk=ended.pk).update(status="restored", restored_at=at)
    later = outages.changes(viewer=city.portal, at=at)
    after = outages.situation(viewer=city.portal)
    assert sum(one.outages for one in later) == after.active_outages
    assert sum(one.customers for one in later) == after.total_affected_customers
    assert outages.changes(viewer=city.portal, at=at + timedelta(hours=3)) == []


def test_the_overview_draws_them(evening, as_role):
    told = as_role("operator").get("/").content.decode()
    assert told.count("<polyline") == 3
    assert f"{len(evening.open()):+d}" in told
