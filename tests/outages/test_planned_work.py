"""Planned work: two people, a window, an outage of its own, and an end."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from apps.audit.models import AuditEntry
from apps.core.actor import Actor, ActorKind, system
from apps.core.errors import Conflict, Forbidden, Invalid, NotFound
from apps.core.models import OutboxRow
from apps.network import selectors as network
from apps.network import services as switching
from apps.notifications import services as notices
from apps.notifications.models import Notice, NoticeRecipient
from apps.outages import selectors, services
from apps.outages.models import Outage, PlannedWork, SourceEvent
from apps.outages.rules import Status
from tests.outages.test_judging import judge_all, take

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
MAY = frozenset(
    {"outages.operate_outage", "outages.approve_work", "notifications.send_notice"}
)


@pytest.fixture
def maker():
    return Actor(ActorKind.PERSON, "Mona", user_id=uuid4(), permissions=MAY)


@pytest.fixture
def checker():
    return Actor(ActorKind.PERSON, "Chris", user_id=uuid4(), permissions=MAY)


@pytest.fixture
def plan(clock):
    return services.WorkPlan(
        title=" New cable ",
        device_code="FU-1",
        starts_at=clock.at + HOUR,
        ends_at=clock.at + 3 * HOUR,
    )


@pytest.fixture
def work(town, clock, plan, maker):
    return services.plan_work(plan=plan, by=maker, at=clock.at)


@pytest.fixture
def approved(work, clock, checker):
    return services.approve_work(work_id=work.pk, by=checker, at=clock.at)


def state(work):
    return PlannedWork.objects.get(pk=work.pk).state


def test_a_plan_says_what_it_takes_from_whom(work, maker):
    assert (work.title, work.customers_count, work.critical_count) == ("New cable", 6, 0)
    assert (work.feeder_code, work.region_code, work.device_kind) == ("F1", "north", "fuse")
    found = selectors.customers_below(device_code="FU-1", viewer=system())
    assert [row.customer_code for row in found] == [f"c{n}" for n in range(1, 7)]
    assert AuditEntry.objects.get(action="work_plan").actor_label == "Mona"
    assert OutboxRow.objects.get(name="outages.planned_work_changed").payload["state"] == (
        "proposed"
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": "  "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "a\0"}, "title"),
        ({"description": "x" * 2_001}, "description"),
        ({"device_code": "nothing"}, "device_code"),
        ({"device_code": ""}, "device_code"),
        ({"device_code": "TIE-1"}, "device_code"),
        ({"starts_at": -HOUR}, "starts_at"),
        ({"ends_at": HOUR}, "ends_at"),
        ({"ends_at": timedelta(days=91)}, "ends_at"),
    ],
)
def test_an_impossible_plan_is_refused(town, clock, plan, maker, changes, field):
    moved = {
        name: clock.at + value if isinstance(value, timedelta) else value
        for name, value in changes.items()
    }
    with pytest.raises(Invalid) as refusal:
        services.plan_work(plan=replace(plan, **moved), by=maker, at=clock.at)
    assert refusal.value.fields == {"field": field}
    assert not PlannedWork.objects.exists()


def test_who_planned_it_does_not_agree_to_it(work, clock, maker, checker, operator):
    for by in (maker, operator):
        with pytest.raises(Forbidden):
            services.approve_work(work_id=work.pk, by=by, at=clock.at)
    with pytest.raises(IntegrityError), transaction.atomic():
        PlannedWork.objects.update(
            state="approved", approved_by=maker.user_id, approved_at=clock.at
        )
    done = services.approve_work(work_id=work.pk, by=checker, at=clock.at)
    assert (done.state, done.approver) == ("approved", "Chris")
    with pytest.raises(Conflict):
        services.approve_work(work_id=work.pk, by=checker, at=clock.at)
    with pytest.raises(NotFound):
        services.approve_work(work_id=10**9, by=checker, at=clock.at)


def test_it_begins_by_itself_and_what_goes_dark_is_the_plan(approved, clock, maker):
    assert services.run_planned_work(at=clock.at) == 0
    clock.forward(minutes=60)
    assert services.run_planned_work(at=clock.at) == 1
    work = PlannedWork.objects.get()
    outage = work.outage
    assert (work.state, outage.device_code, outage.is_planned) == (
        "under_way",
        "FU-1",
        True,
    )
    assert outage.planned_until == work.ends_at == outage.estimated_restoration_at
    assert services.run_planned_work(at=clock.at) == 0
    take(clock, "m1", "m2", "m4", "m5", seconds=300)
    assert [row.id for row in judge_all(clock)] == [outage.id]
    told = SourceEvent.objects.filter(meter_code="m1").get()
    assert (told.disposition, told.outage_id) == ("planned", outage.id)
    clock.forward(minutes=90)
    services.end_work(work_id=work.pk, by=maker, at=clock.at)
    outage.refresh_from_db()
    assert (state(work), outage.status) == ("done", "restored")


def test_ended_at_the_outage_it_is_done_too(approved, clock, maker):
    services.begin_work(work_id=approved.pk, by=maker, at=clock.at)
    outage = Outage.objects.get()
    services.change_status(
        outage_id=outage.id, status=Status.RESTORED, notes="", by=maker, at=clock.at + HOUR
    )
    assert services.run_planned_work(at=clock.at + HOUR) == 1
    assert state(approved) == "done"


def test_the_end_is_moved_with_that_of_the_outage(approved, clock, maker):
    with pytest.raises(Conflict):
        services.extend_work(
            work_id=approved.pk, ends_at=clock.at + 9 * HOUR, by=maker, at=clock.at
        )
    services.begin_work(work_id=approved.pk, by=maker, at=clock.at)
    later = clock.at + 9 * HOUR
    services.extend_work(work_id=approved.pk, ends_at=later, by=maker, at=clock.at)
    outage = Outage.objects.get()
    assert outage.planned_until == outage.estimated_restoration_at == later
    with pytest.raises(Invalid):
        services.extend_work(work_id=approved.pk, ends_at=clock.at, by=maker, at=clock.at)


@pytest.mark.parametrize("verb", [services.reject_work, services.cancel_work])
def test_it_is_closed_with_a_reason(work, clock, checker, verb):
    for reason in (" ", "x" * 2_001):
        with pytest.raises(Invalid):
            verb(work_id=work.pk, reason=reason, by=checker, at=clock.at)
    closed = verb(work_id=work.pk, reason="Rain.", by=checker, at=clock.at)
    assert closed.reason == "Rain."
    for step in (services.approve_work, services.begin_work, services.end_work):
        with pytest.raises(Conflict):
            step(work_id=work.pk, by=checker, at=clock.at)


def test_what_nobody_agreed_to_never_begins(work, clock):
    clock.forward(minutes=60)
    assert services.run_planned_work(at=clock.at) == 0
    assert not Outage.objects.exists()
    clock.forward(minutes=120)
    assert services.run_planned_work(at=clock.at) == 1
    assert state(work) == "cancelled"


def test_what_happens_on_the_same_feeder_meanwhile_is_shown(work, clock, plan, maker):
    beside = replace(plan, device_code="T-3", ends_at=plan.starts_at + HOUR / 2)
    other = services.plan_work(plan=beside, by=maker, at=clock.at)
    later = replace(
        plan, starts_at=plan.ends_at, ends_at=plan.ends_at + HOUR, device_code="R-1"
    )
    services.plan_work(plan=later, by=maker, at=clock.at)
    elsewhere = replace(plan, device_code="T-5")
    services.plan_work(plan=elsewhere, by=maker, at=clock.at)
    assert list(selectors.conflicts_of(work=work, viewer=system())) == [other]
    between = selectors.works_between(
        start=plan.ends_at, end=plan.ends_at + HOUR, viewer=system()
    )
    assert [row.device_code for row in between] == ["R-1"]


def test_customers_are_told_once_before_it_begins(approved, clock, maker, nobody):
    told = {"work_id": approved.pk, "channel": "sms", "message": "Power off at noon."}
    with pytest.raises(Forbidden):
        notices.announce(**told, by=nobody, at=clock.at)
    sent = notices.announce(**told, by=maker, at=clock.at)
    assert sent.notified == 6
    again = notices.announce(**told, by=maker, at=clock.at)
    assert (again.notice.id, Notice.objects.count()) == (sent.notice.id, 1)
    assert (sent.notice.work, sent.notice.outage) == (approved, None)
    assert NoticeRecipient.objects.count() == 6


def test_a_device_that_left_the_network_is_said(approved, clock, maker):
    switching.set_device_state(
        code="CB-1", closed=False, by=system(), at=clock.at, reason="test"
    )
    assert network.grid(fresh=True).edge_index("FU-1") is not None
    begun = services.begin_work(work_id=approved.pk, by=maker, at=clock.at)
    assert begun.outage.device_code == "FU-1"
