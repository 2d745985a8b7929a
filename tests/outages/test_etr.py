"""When power is back: estimated where nobody said so, by what like outages took."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.audit.models import AuditEntry
from apps.core.models import OutboxRow
from apps.outages import services, subscribers
from apps.outages.events import EventsMatched
from apps.outages.models import EtrEstimate, Outage
from apps.outages.rules import EtrSource, Status


def ledger(outage):
    rows = EtrEstimate.objects.filter(outage=outage).order_by("id")
    return list(rows.values_list("source", "samples", "basis"))


def test_like_outages_speak_before_the_default(past, open_outage, clock, renew):
    for n in range(21):
        past(40 + n)
    outage = open_outage()
    at = clock.forward(seconds=2)
    assert renew() == 1
    outage.refresh_from_db()
    began = outage.first_detected_at
    assert outage.etr_source == "statistics"
    assert outage.estimated_restoration_at == began + timedelta(minutes=50)
    assert ledger(outage) == [
        ("default", None, ""),
        ("statistics", 21, "transformer, north"),
    ]
    row = outage.estimates.get(source="statistics")
    assert (row.low_at, row.high_at) == (
        began + timedelta(minutes=42),
        began + timedelta(minutes=58),
    )
    told = outage.timeline.get(kind="etr")
    assert (told.actor_label, told.at) == ("estimates", at)
    assert "as 21 like outages: transformer, north" in told.text
    assert AuditEntry.objects.get(action="outage_etr_renewed").after == {"statistics": 1}
    event = OutboxRow.objects.get(name="outages.estimates_published")
    assert event.payload["outage_ids"] == [str(outage.id)]


def test_nothing_is_estimated_twice(past, open_outage, clock, renew):
    for _ in range(20):
        past(40)
    outage = open_outage()
    assert renew() == 1
    clock.forward(minutes=10)
    assert renew() == 0
    assert len(ledger(outage)) == 2


def test_too_few_like_outages_leave_the_default(past, open_outage, clock, renew):
    for _ in range(19):
        past(40)
    outage = open_outage()
    before = OutboxRow.objects.count(), AuditEntry.objects.count()
    assert renew() == 1
    assert renew() == 0
    outage.refresh_from_db()
    assert outage.etr_source == "default"
    assert ledger(outage) == [("default", None, "")]
    assert (OutboxRow.objects.count(), AuditEntry.objects.count()) == before


@pytest.mark.parametrize(
    "unlike",
    [
        {"is_momentary": True},
        {"is_planned": True},
        {"status": Status.CANCELLED, "restored_at": None, "cancelled": True},
        {"device_kind": "fuse"},
        {"lasted": 4},
        {"days": 400},
    ],
    ids=str,
)
def test_only_sustained_outages_of_the_kind_count(past, open_outage, clock, unlike, renew):
    unlike = dict(unlike)
    if unlike.pop("cancelled", False):
        unlike["cancelled_at"] = clock.at
    if days := unlike.pop("days", 0):
        unlike["began"] = clock.at - timedelta(days=days)
    lasted = unlike.pop("lasted", 40)
    for _ in range(19):
        past(40)
    past(lasted, **unlike)
    outage = open_outage()
    renew()
    outage.refresh_from_db()
    assert outage.etr_source == "default"


def test_another_device_is_another_estimate(past, open_outage, clock, renew):
    for _ in range(20):
        past(40)
        past(90, device_kind="fuse")
    outage = open_outage()
    renew()
    Outage.objects.filter(id=outage.id).update(device_code="FU-1", device_kind="fuse")
    clock.forward(minutes=3)
    assert renew() == 1
    outage.refresh_from_db()
    assert outage.estimated_restoration_at == outage.first_detected_at + timedelta(
        minutes=90
    )
    assert [basis for *_, basis in ledger(outage)][1:] == [
        "transformer, north",
        "fuse, north",
    ]


def test_another_device_has_its_own_default(open_outage, clock, renew):
    outage = open_outage()
    renew()
    Outage.objects.filter(id=outage.id).update(device_code="CB-1", device_kind="breaker")
    renew()
    outage.refresh_from_db()
    assert outage.estimated_restoration_at == outage.first_detected_at + timedelta(
        minutes=60
    )
    assert ledger(outage) == [("default", None, "")] * 2


@pytest.mark.parametrize("source", [EtrSource.CREW, EtrSource.OPERATOR, EtrSource.STORM])
def test_what_was_said_of_the_outage_is_never_touched(
    past, open_outage, clock, source, renew, operator
):
    for _ in range(20):
        past(40)
    outage = open_outage()
    said = clock.at + timedelta(hours=5)
    services.publish_etr(
        outage_id=outage.id, estimate_at=said, source=source, by=operator, at=clock.at
    )
    assert renew() == 0
    clock.forward(hours=6)
    assert services.renew_overdue_estimates(at=clock.at) == 0
    outage.refresh_from_db()
    assert (outage.estimated_restoration_at, outage.etr_source) == (said, source)


def test_planned_outages_keep_their_plan(past, open_outage, clock, renew):
    for _ in range(20):
        past(40)
    outage = open_outage(event_type="planned_outage")
    assert renew() == 0
    assert ledger(outage) == [("default", None, "")]


def test_what_is_overdue_is_estimated_by_those_that_lasted_longer(
    past, open_outage, clock, renew
):
    for n in range(60):
        past(30 + n)
    outage = open_outage()
    renew()
    outage.refresh_from_db()
    first = outage.estimated_restoration_at
    clock.at = first - timedelta(seconds=1)
    assert services.renew_overdue_estimates(at=clock.at) == 0
    clock.at = first + timedelta(seconds=1)
    assert services.renew_overdue_estimates(at=clock.at) == 1
    outage.refresh_from_db()
    assert outage.estimated_restoration_at > clock.at
    clock.forward(hours=9)
    assert services.renew_overdue_estimates(at=clock.at) == 0


def test_a_storm_of_outages_costs_a_few_statements(past, open_outage, clock, renew):
    for _ in range(20):
        past(40)
    for number in range(60):
        past(
            1,
            status=Status.DETECTED,
            restored_at=None,
            began=clock.at,
            etr_source="default",
            device_code=f"T-{number}",
            estimated_restoration_at=clock.at + timedelta(hours=3),
        )
    with CaptureQueriesContext(connection) as queries:
        assert renew() == 60
    assert len(queries) <= 14
    assert Outage.objects.filter(etr_source="statistics").count() == 60


def test_many_events_ask_for_estimates_once_a_second(monkeypatch, clock):
    asked = []
    monkeypatch.setattr(
        subscribers.renew_estimates, "apply_async", lambda **how: asked.append(how)
    )
    monkeypatch.setattr(subscribers._nudge, "asked_until", 0.0)
    opened = EventsMatched(at=clock.at, opened=(uuid4(),), changed=(), work=(), count=1)
    for _ in range(50):
        subscribers.estimate_new_outages([opened])
    assert len(asked) == 1
    assert asked[0]["countdown"] == subscribers.GATHER_SECONDS
