"""Carrying notices: leases, attempts, crashes, retries; nobody is told twice or forgotten."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction
from kombu.exceptions import OperationalError

from apps.core.models import OutboxRow
from apps.core.outbox import publish
from apps.notifications import services, subscribers, tasks
from apps.notifications.events import NoticeRequested
from apps.notifications.gateways import Outcome, TransportFault
from apps.notifications.models import Notice, NoticeAttempt, NoticeRecipient, SentMessage
from apps.notifications.rules import Delivery
from apps.notifications.services import delivery

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The process dies here."""


def kill(message):
    raise Killed(message.key)


def fail(message):
    raise TransportFault("busy")


def refuse(message):
    return Outcome(Delivery.FAILED, error="unknown number")


def test_everybody_hears_once(customers, outage, notify, provider, work_off, states, clock):
    sent = notify(outage(customers(45)), "Power is out.")
    assert work_off() == 45
    assert work_off() == 0
    assert states() == {"delivered": 45}
    assert (SentMessage.objects.count(), provider.repeats, len(provider.log)) == (45, 0, 45)
    row = NoticeRecipient.objects.first()
    assert (row.state, row.attempts, row.sent_at, row.delivered_at) == (
        "done", 1, clock.at, clock.at,
    )  # fmt: skip
    tried = NoticeAttempt.objects.get(recipient=row)
    assert (tried.number, tried.result, tried.finished_at) == (1, "delivered", clock.at)
    assert Notice.objects.get().finished_at == clock.at
    events = OutboxRow.objects.filter(name="notifications.sent")
    assert events.get().subject == f"notice:{sent.notice.id}"


def test_the_attempt_is_written_before_the_message_goes(
    customers, outage, notify, provider, work_off
):
    seen = []

    def look(message):
        row = NoticeRecipient.objects.get(key=message.key)
        seen.append(list(NoticeAttempt.objects.filter(recipient=row).values_list("result")))

    provider.before = look
    notify(outage(customers(2)))
    work_off()
    assert seen == [[("",)], [("",)]]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_between_attempt_and_result_it_is_sent_again_with_the_same_key(
    customers, outage, notify, provider, work_off, states, clock, moment
):
    notify(outage(customers(3)))
    setattr(provider, moment, kill)
    with pytest.raises(Killed):
        work_off()
    setattr(provider, moment, lambda message: None)
    assert states() == {"pending": 3}
    assert work_off() == 0, "the lease still holds"
    clock.forward(seconds=delivery.LEASE.total_seconds() + 1)
    assert work_off() == 3
    assert states() == {"delivered": 3}
    assert SentMessage.objects.count() == 3
    assert provider.repeats == 1
    unfinished = NoticeAttempt.objects.filter(finished_at=None)
    assert unfinished.count() == 3
    assert delivery.LEASE.total_seconds() < 30


def test_many_kills_lose_nothing_and_repeat_at_most_once_a_kill(
    customers, outage, notify, provider, work_off, states, clock
):
    notify(outage(customers(60)))
    kills = 0
    turn = iter(range(1_000))
    provider.after = lambda message: kill(message) if next(turn) % 9 == 8 else None
    while states() != {"delivered": 60}:
        try:
            work_off()
        except Killed:
            kills += 1
        clock.forward(seconds=21)
    assert kills > 3
    assert provider.repeats <= kills
    assert SentMessage.objects.count() == 60


def test_a_fault_is_tried_again_later_and_given_up_in_the_end(
    customers, outage, notify, provider, work_off, states, clock
):
    notify(outage(customers(1)))
    provider.before = fail
    tries = 0
    while states() == {"pending": 1}:
        before = len(provider.log)
        work_off()
        tries += len(provider.log) - before
        clock.forward(seconds=1)
    assert (tries, states()) == (5, {"failed": 1})
    row = NoticeRecipient.objects.get()
    assert (row.state, row.reason, row.sent_at) == ("quarantined", "busy", None)
    results = NoticeAttempt.objects.order_by("number").values_list(
        "number", "result", "error"
    )
    assert list(results) == [(n, "failed", "busy") for n in range(1, 6)]
    work_off()
    assert Notice.objects.get().finished_at is not None


def test_a_transport_that_breaks_is_like_one_that_is_busy(
    customers, outage, notify, provider, work_off, states, clock
):
    notify(outage(customers(2)))
    calls = iter(range(100))
    provider.before = lambda message: 1 / 0 if next(calls) == 0 else None
    assert work_off() == 1
    clock.forward(seconds=5)
    assert work_off() == 1
    assert states() == {"delivered": 2}


def test_what_is_refused_for_good_is_not_tried_again(
    customers, outage, notify, provider, work_off, states, clock
):
    provider.send = refuse
    notify(outage(customers(1)))
    work_off()
    clock.forward(minutes=10)
    work_off()
    assert states() == {"failed": 1}
    assert NoticeRecipient.objects.get().reason == "unknown number"
    assert NoticeAttempt.objects.count() == 1


def test_sent_waits_for_no_more(customers, outage, notify, provider, work_off, states):
    provider.send = lambda message: Outcome(Delivery.SENT, provider_id="x1")
    notify(outage(customers(1)))
    work_off()
    assert states() == {"sent": 1}
    assert NoticeRecipient.objects.get().delivered_at is None
    assert NoticeAttempt.objects.get().provider_id == "x1"


def test_a_message_that_kills_every_process_is_given_up(
    customers, outage, notify, provider, work_off, states, clock
):
    notify(outage(customers(1)))
    provider.before = kill
    for _ in range(delivery.CRASHES):
        with pytest.raises(Killed):
            work_off()
        clock.forward(seconds=21)
    work_off()
    assert states() == {"failed": 1}
    assert NoticeRecipient.objects.get().state == "quarantined"


def test_the_old_owner_of_a_lease_neither_sends_nor_writes(
    customers, outage, notify, provider, clock, states
):
    notify(outage(customers(1)))
    (slow,), _ = services.take_due(owner="slow", at=clock.at, limit=1)
    clock.forward(seconds=21)
    (quick,), _ = services.take_due(owner="quick", at=clock.at, limit=1)
    assert not services.deliver(job=slow, at=clock.at)
    assert provider.log == []
    late = slow.row.lease_until - delivery.LEASE
    provider.send = refuse
    services.deliver(job=slow, at=late)
    assert states() == {"pending": 1}, "its result came too late to count"
    del provider.send
    assert services.deliver(job=quick, at=clock.at)
    assert states() == {"delivered": 1}


def test_an_opt_out_reaches_messages_that_wait(
    customers, outage, notify, provider, work_off, states, operator, clock
):
    notify(outage(customers(2)))
    services.set_preference(
        customer_code="C0", opted_out=["sms"], quiet_nights=True, by=operator, at=clock.at
    )
    work_off()
    assert states() == {"delivered": 1, "suppressed": 1}
    assert NoticeAttempt.objects.count() == 1


def test_what_is_delayed_into_the_night_waits_for_morning(
    customers, outage, notify, provider, work_off, states, clock
):
    clock.at = datetime(2026, 11, 21, 21, 59, tzinfo=UTC)
    notify(outage(customers(1)))
    clock.forward(minutes=2)
    assert work_off() == 0
    row = NoticeRecipient.objects.get()
    assert (row.state, row.attempts) == ("pending", 0)
    assert row.run_at == datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
    assert Notice.objects.get().finished_at is None
    clock.at = row.run_at
    assert work_off() == 1
    assert states() == {"delivered": 1}


def test_a_notice_to_nobody_is_finished_at_once(outage, notify, work_off, clock):
    notify(outage(), codes=["nobody"])
    work_off()
    assert Notice.objects.get().finished_at == clock.at
    work_off()
    assert OutboxRow.objects.filter(name="notifications.sent").count() == 1


def test_one_notice_can_be_hurried(customers, outage, notify, provider, clock):
    target = outage(customers(2))
    notify(target, "first")
    second = notify(target, "second").notice
    jobs, claimed = services.take_due(owner="w", at=clock.at, limit=50, notice_id=second.id)
    assert claimed == 2
    assert {job.message.text for job in jobs} == {"second"}


@pytest.mark.parametrize(
    "values",
    [
        {"delivery": "delivered"},
        {"delivery": "sent", "state": "done"},
        {"delivery": "flying", "state": "done"},
        {"state": "done"},
        {"delivery": "failed"},
    ],
)
def test_the_database_ties_delivery_to_work(customers, outage, notify, values):
    notify(outage(customers(1)))
    with pytest.raises(IntegrityError), transaction.atomic():
        NoticeRecipient.objects.update(**values)


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_share_the_work(customers, outage, notify, provider, clock, states):
    notify(outage(customers(120)))
    barrier = threading.Barrier(4)

    def run(number):
        try:
            barrier.wait(30)
            while True:
                jobs, claimed = services.take_due(owner=f"w{number}", at=clock.at, limit=7)
                if not claimed:
                    return
                for job in jobs:
                    services.deliver(job=job, at=clock.at)
        finally:
            services.close_finished(at=clock.at)
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    assert states() == {"delivered": 120}
    assert (len(provider.log), provider.repeats) == (120, 0)
    assert OutboxRow.objects.filter(name="notifications.sent").count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_notice_comes_of_many_that_ask_for_it_at_once(customers, outage, notify):
    target = outage(customers(5))
    barrier = threading.Barrier(8)

    def ask(_):
        try:
            barrier.wait(30)
            return notify(target).notice.id
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    assert (Notice.objects.count(), NoticeRecipient.objects.count()) == (1, 5)


def test_the_tasks_send_what_is_due(customers, outage, notify, provider, states, clock):
    target = outage(customers(3))
    clock.at = datetime(2020, 1, 1, 12, 0, tzinfo=UTC)
    first, second = notify(target, "first"), notify(target, "second")
    NoticeRecipient.objects.update(time_zone=awake())
    assert tasks.send_notice(str(second.notice.id)) == 3
    assert Notice.objects.get(id=first.notice.id).finished_at is None
    assert tasks.send_waiting() == 3
    assert tasks.send_waiting() == 0
    assert states() == {"delivered": 6}


def test_without_a_broker_the_hint_is_dropped_and_the_sweep_sends(
    customers, outage, notify, monkeypatch, relay_now, states
):
    def broken(*_):
        raise OperationalError("no broker")

    monkeypatch.setattr(subscribers.send_notice, "delay", broken)
    notify(outage(customers(1)))
    assert relay_now() >= 1
    assert not OutboxRow.objects.filter(
        name="notifications.requested", delivered_at=None
    ).exists()
    NoticeRecipient.objects.update(time_zone=awake())
    assert tasks.send_waiting() == 1
    assert states() == {"delivered": 1}


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_sends_on_the_hint(
    customers, outage, notify, worker, relay_now, eventually, states
):
    notify(outage(customers(5)))
    NoticeRecipient.objects.update(time_zone=awake())
    relay_now()
    eventually(lambda: states() == {"delivered": 5}, "the notice is delivered")
    eventually(lambda: Notice.objects.get().finished_at, "the notice is finished")


def test_a_hint_repeated_sends_nothing_twice(
    customers, outage, notify, provider, relay_now, monkeypatch, clock
):
    monkeypatch.setattr(subscribers.send_notice, "delay", subscribers.send_notice)
    sent = notify(outage(customers(2)))
    NoticeRecipient.objects.update(time_zone=awake())
    relay_now()
    again = NoticeRequested(
        notice_id=sent.notice.id, outage_id=sent.notice.outage_id, recipients=2, by="x",
        at=clock.at,
    )  # fmt: skip
    publish(again)
    relay_now()
    assert (len(provider.log), provider.repeats) == (2, 0)


def awake():
    """Return a time zone in which it is about noon now, whenever the test runs."""
    hour = datetime.now(UTC).hour
    return f"Etc/GMT{hour - 12:+d}"
