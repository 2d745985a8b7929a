"""Asking for a notice: who is told, what is written; a refusal changes nothing."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from apps.audit.models import AuditEntry
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Forbidden, Invalid, NotFound
from apps.core.models import OutboxRow
from apps.network.models import Meter
from apps.notifications import selectors, services
from apps.notifications.models import CustomerPreference, Notice, NoticeRecipient
from apps.outages.models import TimelineEntry

pytestmark = pytest.mark.django_db

NIGHT = datetime(2026, 11, 21, 23, 0, tzinfo=UTC)


def world():
    """Return everything that a refused notice must leave as it was."""
    return (
        Notice.objects.count(),
        NoticeRecipient.objects.count(),
        TimelineEntry.objects.count(),
        AuditEntry.objects.exclude(action="access_denied").count(),
        OutboxRow.objects.count(),
    )


def test_all_customers_of_the_outage_are_told(customers, outage, notify, clock, operator):
    target = outage(customers(3))
    sent = notify(target, "  Crew is on site.  ")
    assert (sent.notified, sent.unknown) == (3, [])
    row = Notice.objects.get()
    assert (row.message, row.channel, row.requested_by) == (
        "Crew is on site.", "sms", "Olga Operator",
    )  # fmt: skip
    found = selectors.recipients(notice_id=row.id, viewer=operator)
    assert [(r.customer_code, r.address, r.state) for r in found] == [
        (f"C{n}", f"+96270{n:06d}", "pending") for n in range(3)
    ]
    assert (
        TimelineEntry.objects.get(kind="notice").text
        == "SMS to 3 customers: Crew is on site."
    )
    entry = AuditEntry.objects.get(action="notice_send")
    assert (entry.resource_id, entry.after["recipients"]) == (str(row.id), 3)
    event = OutboxRow.objects.get(name="notifications.requested")
    assert (event.subject, event.payload["recipients"]) == (f"notice:{row.id}", 3)


def test_the_named_customers_are_told_and_the_unknown_listed(customers, outage, notify):
    sent = notify(outage(customers(3)), codes=["C2", "nobody", "C0", "C2", "customer_456"])
    assert (sent.notified, sent.unknown) == (2, ["nobody", "customer_456"])
    codes = NoticeRecipient.objects.values_list("customer_code", flat=True)
    assert sorted(codes) == ["C0", "C2"]
    assert Notice.objects.get().unknown == ["nobody", "customer_456"]


def test_a_notice_to_nobody_is_still_kept(outage, notify):
    sent = notify(outage(), codes=["customer_123", "customer_456"])
    assert (sent.notified, sent.unknown) == (0, ["customer_123", "customer_456"])
    assert Notice.objects.count() == 1


@pytest.mark.parametrize(
    ("channel", "address"),
    [("email", "c0@example.com"), ("push", "C0"), ("phone", "+96270000000")],
)
def test_each_channel_has_its_address(customers, outage, notify, channel, address):
    notify(outage(customers(1)), channel=channel)
    assert NoticeRecipient.objects.get().address == address


def test_one_address_hears_once_however_many_customers_share_it(customers, outage, notify):
    sent = notify(outage(customers(5, phone="+962700")))
    assert sent.notified == 1
    row = NoticeRecipient.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        NoticeRecipient.objects.create(
            key="another", notice=row.notice, customer_code="X", address=row.address,
            run_at=row.run_at,
        )  # fmt: skip


def test_a_customer_with_several_meters_hears_once(customers, outage, notify):
    (meter,) = customers(1)
    meter.pk, meter.code = None, "second"
    meter.save(force_insert=True)
    assert notify(outage(Meter.objects.all())).notified == 1


def test_customers_without_an_address_are_kept_and_not_counted(
    customers, outage, notify, operator
):
    feeder_meters = customers(2, phone="")
    sent = notify(outage(feeder_meters))
    assert sent.notified == 0
    found = selectors.recipients(notice_id=sent.notice.id, viewer=operator)
    assert [(r.state, r.reason) for r in found] == [("failed", "no_address")] * 2
    row = selectors.notice(notice_id=sent.notice.id, viewer=operator)
    assert (row.total_count, row.notified_count, row.failed_count) == (2, 0, 2)
    assert row.progress == "failed"


def test_opted_out_customers_are_not_told(customers, outage, notify, operator, clock):
    target = outage(customers(2))
    services.set_preference(
        customer_code="C1", opted_out=["sms"], quiet_nights=True, by=operator, at=clock.at
    )
    assert notify(target).notified == 1
    row = NoticeRecipient.objects.get(customer_code="C1")
    assert (row.delivery, row.reason, row.state) == ("suppressed", "opted_out", "done")
    assert notify(target, channel="email").notified == 2


def test_quiet_hours_put_a_notice_off_until_the_customers_morning(
    customers, region, outage, notify, clock
):
    amman = customers(1, region("amman", "Asia/Amman"))
    york = customers(1, region("york", "America/New_York"), start=1)
    clock.at = NIGHT
    sent = notify(outage([*amman, *york], "amman"), codes=["C0", "C1"])
    assert sent.notified == 2
    due = dict(NoticeRecipient.objects.values_list("customer_code", "run_at"))
    assert due == {"C0": datetime(2026, 11, 22, 4, 0, tzinfo=UTC), "C1": NIGHT}


def test_who_wants_to_hear_at_night_does(customers, outage, notify, operator, clock):
    target = outage(customers(1))
    services.set_preference(
        customer_code="C0", opted_out=[], quiet_nights=False, by=operator, at=clock.at
    )
    clock.at = NIGHT
    notify(target)
    assert NoticeRecipient.objects.get().run_at == NIGHT


def test_a_safety_message_heeds_neither_night_nor_opt_out(
    customers, outage, operator, clock
):
    target = outage(customers(2))
    services.set_preference(
        customer_code="C1", opted_out=["sms"], quiet_nights=True, by=operator, at=clock.at
    )
    clock.at = NIGHT
    sent = services.warn(
        outage_id=target.id, channel="sms", message="Wire down: stay away.",
        customer_codes=None, by=operator, at=clock.at,
    )  # fmt: skip
    assert (sent.notified, sent.notice.is_safety) == (2, True)
    assert set(NoticeRecipient.objects.values_list("run_at", flat=True)) == {NIGHT}


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"channel": "fax"}, Invalid),
        ({"message": " "}, Invalid),
        ({"message": "x" * 1601}, Invalid),
        ({"customer_codes": ["a\0b"]}, Invalid),
        ({"outage_id": uuid4()}, NotFound),
        ({"outage_id": "OUT999999"}, NotFound),
    ],
)
def test_a_refused_notice_changes_nothing(
    customers, outage, operator, clock, values, refusal
):
    given = {
        "outage_id": outage(customers(1)).id, "channel": "sms", "message": "Hello",
        "customer_codes": None, "estimated_restoration_at": None,
    }  # fmt: skip
    before = world()
    with pytest.raises(refusal):
        services.notify(**{**given, **values}, by=operator, at=clock.at)
    assert world() == before


@pytest.mark.django_db(transaction=True)
def test_who_may_not_is_refused_and_recorded(customers, outage, notify, stranger, clock):
    target = outage(customers(1))
    before = world()
    with pytest.raises(Forbidden):
        notify(target, by=stranger)
    with pytest.raises(Forbidden):
        services.set_preference(
            customer_code="C0", opted_out=[], quiet_nights=True, by=stranger, at=clock.at
        )
    with pytest.raises(Forbidden):
        selectors.notices(viewer=stranger)
    assert world() == before
    denied = AuditEntry.objects.filter(action="access_denied", user_id=stranger.user_id)
    assert denied.count() == 3


def test_on_whose_behalf_is_kept(outage, notify):
    service = Actor(
        ActorKind.SERVICE, "bridge", on_behalf_of="operator_john",
        permissions=frozenset({"notifications.send_notice"}),
    )  # fmt: skip
    assert notify(outage(), by=service).notice.on_behalf_of == "operator_john"


def test_a_notice_on_a_merged_outage_belongs_to_the_one_that_stands(
    outage, notify, operator
):
    first, second = outage(), outage()
    notify(first)
    first.merged_into = second
    first.save()
    assert notify(first).notice.outage_id == second.id
    found = selectors.notices_of(outage_id=second.id, viewer=operator)
    assert found.count() == 2


def test_preferences_are_audited_and_replaced(operator, clock):
    for channels in (["sms", "sms", "email"], ["push"]):
        services.set_preference(
            customer_code=" C1 ",
            opted_out=channels,
            quiet_nights=True,
            by=operator,
            at=clock.at,
        )
    row = CustomerPreference.objects.get()
    assert (row.customer_code, row.opted_out) == ("C1", ["push"])
    entry = AuditEntry.objects.filter(action="preference_change").order_by("id")
    assert sorted(str(e.before and e.before["opted_out"]) for e in entry) == [
        "None", "['email', 'sms']",
    ]  # fmt: skip
    with pytest.raises(Invalid):
        services.set_preference(
            customer_code="C1",
            opted_out=["fax"],
            quiet_nights=True,
            by=operator,
            at=clock.at,
        )
    assert CustomerPreference.objects.get().opted_out == ["push"]


def test_two_thousand_customers_are_set_based(
    customers, outage, notify, django_assert_max_num_queries
):
    target = outage(customers(2000))
    with django_assert_max_num_queries(25):
        assert notify(target).notified == 2000


def test_the_list_counts_in_one_query(
    customers, outage, notify, work_off, operator, clock, django_assert_num_queries
):
    target = outage(customers(3))
    first = notify(target, "first")
    work_off()
    clock.forward(minutes=1)
    notify(target, "second", codes=["C0", "nobody"])
    with django_assert_num_queries(1):
        found = list(selectors.notices(viewer=operator)[:50])
    assert [(n.message, n.total_count, n.pending_count, n.delivered_count) for n in found] == [
        ("second", 1, 1, 0), ("first", 3, 0, 3),
    ]  # fmt: skip
    assert [n.progress for n in found] == ["pending", "sent"]
    assert found[1].id == first.notice.id
    assert selectors.notices(viewer=operator).order_by().count() == 2
    assert selectors.sent_messages(viewer=operator).count() == 3
    with pytest.raises(NotFound):
        selectors.notice(notice_id=uuid4(), viewer=operator)
    with pytest.raises(NotFound):
        selectors.recipients(notice_id=uuid4(), viewer=operator)


def test_the_same_notice_asked_for_again_is_the_one_that_was_sent(
    customers, outage, notify, clock
):
    target = outage(customers(3))
    first = notify(target, codes=["C1", "C0", "nobody"])
    again = notify(target, "  Power is out. ", codes=["nobody", "C0", "C1"])
    assert (again.notice.id, again.notified, again.unknown) == (
        first.notice.id, 2, ["nobody"],
    )  # fmt: skip
    assert (Notice.objects.count(), NoticeRecipient.objects.count()) == (1, 2)
    assert AuditEntry.objects.filter(action="notice_send").count() == 1
    notify(target, "Power is still out.", codes=["C0", "C1", "nobody"])
    notify(target, channel="email", codes=["C0", "C1", "nobody"])
    notify(target)
    assert Notice.objects.count() == 4
    clock.at += timedelta(minutes=10)
    assert notify(target, codes=["C0", "C1", "nobody"]).notice.id != first.notice.id
