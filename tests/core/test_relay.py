"""The relay: at least once, in order per subject, nobody waits for a broken neighbour."""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection

from apps.core import events, relay
from apps.core.events import Event, subscribe, subscribe_together
from apps.core.models import OutboxRow
from apps.core.outbox import publish
from tests.unfinished import unfinished

pytestmark = pytest.mark.django_db(transaction=True)

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Moved(Event):
    name = "test.moved"
    thing: str
    step: int

    @property
    def subject(self):
        return self.thing


@dataclass(frozen=True, kw_only=True)
class Seen(Moved):
    name = "test.seen"


@pytest.fixture(autouse=True)
def nobody_listens(monkeypatch):
    monkeypatch.setattr(events, "_subscriptions", {})


def moved(step, thing="a"):
    publish(Moved(thing=thing, step=step, at=AT))


def listener(name, fails=None):
    """Subscribe something that notes steps and fails where `fails` says so."""
    heard = []

    def call(event):
        if fails and fails(event):
            raise RuntimeError(f"step {event.step} is broken")
        heard.append((event.thing, event.step))

    call.__qualname__ = name
    subscribe(Moved)(call)
    return heard


def run_until_quiet(at=AT, rounds=40):
    for n in range(rounds):
        relay.deliver_waiting(at=at + timedelta(minutes=2 * n))


def test_every_subscriber_hears_every_event_once_in_order():
    first, second = listener("first"), listener("second")
    for step in range(10):
        moved(step)
    assert relay.deliver_waiting(at=AT) == 10
    assert relay.deliver_waiting(at=AT) == 0
    assert first == second == [("a", step) for step in range(10)]
    assert OutboxRow.objects.filter(delivered_at=AT).count() == 10


def test_some_take_several_in_one_call_and_each_by_itself_where_it_fails():
    calls, broken = [], [True]
    single = listener("single")

    def call(told):
        calls.append([event.step for event in told])
        OutboxRow.objects.create(name="noted", subject="x", payload={}, published_at=AT)
        if broken and 1 in calls[-1]:
            raise RuntimeError("one of them is broken")

    subscribe_together(Moved)(call)
    for step in range(3):
        moved(step, "abc"[step])
    relay.deliver_waiting(at=AT)
    assert calls == [[0, 1, 2], [0], [1], [2]]
    assert OutboxRow.objects.filter(name="noted").count() == 2
    broken.clear()
    relay.deliver_waiting(at=AT + timedelta(minutes=1))
    assert calls[4:] == [[1]]
    assert single == [("a", 0), ("b", 1), ("c", 2)]


def test_events_of_one_kind_are_taken_together_past_others_of_other_subjects():
    calls = []
    for kind in (Moved, Seen):
        subscribe_together(kind)(lambda told, k=kind.name: calls.append((k, steps(told))))
    for step, (kind, thing) in enumerate(
        [(Moved, "a"), (Seen, "b"), (Moved, "c"), (Seen, "a"), (Moved, "a"), (Moved, "b")]
    ):
        publish(kind(thing=thing, step=step, at=AT))
    assert relay.deliver_waiting(at=AT) == 6
    assert calls == [
        ("test.moved", [("a", 0), ("c", 2)]),
        ("test.seen", [("b", 1), ("a", 3)]),
        ("test.moved", [("a", 4), ("b", 5)]),
    ]


def steps(told):
    return [(event.thing, event.step) for event in told]


def test_an_event_without_subscribers_is_done_with():
    moved(1)
    assert relay.deliver_waiting(at=AT) == 1
    assert OutboxRow.objects.get().delivered_at == AT


def test_a_failing_event_holds_its_own_subject_and_no_other():
    heard = listener("picky", fails=lambda e: e.thing == "a" and e.step == 1)
    for thing in "ab":
        for step in (0, 1, 2):
            moved(step, thing)
    relay.deliver_waiting(at=AT)
    assert heard == [("a", 0), ("b", 0), ("b", 1), ("b", 2)]
    waiting = OutboxRow.objects.filter(delivered_at=None)
    assert [row.payload["step"] for row in waiting.order_by("id")] == [1, 2]


def test_a_failing_event_is_tried_again_later_and_not_before():
    healed = []
    heard = listener("slow", fails=lambda e: not healed)
    moved(1)
    relay.deliver_waiting(at=AT)
    row = OutboxRow.objects.get()
    assert (row.attempts, row.run_at) == (1, AT + timedelta(seconds=2))
    assert "step 1 is broken" in row.last_error
    healed.append(True)
    assert relay.deliver_waiting(at=AT + timedelta(seconds=1)) == 0
    assert heard == []
    assert relay.deliver_waiting(at=AT + timedelta(seconds=2)) == 1
    assert heard == [("a", 1)]


def test_a_poisoned_event_is_quarantined_after_five_attempts_and_the_rest_goes_on():
    heard = listener("picky", fails=lambda e: e.step == 1)
    for step in (0, 1, 2):
        moved(step)
    run_until_quiet()
    assert heard == [("a", 0), ("a", 2)]
    poisoned = OutboxRow.objects.get(quarantined_at__isnull=False)
    assert (poisoned.payload["step"], poisoned.attempts) == (1, 5)
    assert poisoned.delivered_at is None


def test_only_subscribers_that_have_not_had_it_run_again():
    broken = [True]
    good = listener("good")
    bad = listener("bad", fails=lambda e: bool(broken))
    moved(1)
    relay.deliver_waiting(at=AT)
    assert (good, bad) == ([("a", 1)], [])
    broken.clear()
    relay.deliver_waiting(at=AT + timedelta(minutes=1))
    assert (good, bad) == ([("a", 1)], [("a", 1)])


def test_what_a_failing_subscriber_wrote_is_undone():
    def half(event):
        OutboxRow.objects.create(name="half", subject="x", payload={}, published_at=AT)
        raise RuntimeError("after writing")

    subscribe(Moved)(half)
    moved(1)
    relay.deliver_waiting(at=AT)
    assert not OutboxRow.objects.filter(name="half").exists()


def test_an_event_committed_late_with_a_smaller_id_is_not_skipped():
    heard = listener("all")
    with unfinished(lambda: moved(1, "slow")):
        moved(2, "quick")
        relay.deliver_waiting(at=AT)
        assert heard == [("quick", 2)]
    relay.deliver_waiting(at=AT)
    assert heard == [("quick", 2), ("slow", 1)]
    ids = dict(OutboxRow.objects.values_list("subject", "id"))
    assert ids["slow"] < ids["quick"]


def test_only_one_relay_works_at_a_time():
    listener("all")
    moved(1)
    results = []

    def other():
        try:
            results.append(relay.deliver_waiting(at=AT))
        finally:
            connection.close()

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [relay.LOCK])
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        cursor.execute("SELECT pg_advisory_unlock(%s)", [relay.LOCK])
    assert results == [0]
    assert relay.deliver_waiting(at=AT) == 1


def test_prune_deletes_what_was_delivered_before_and_nothing_else():
    listener("all", fails=lambda e: e.step == 2)
    moved(1, "a")
    moved(2, "b")
    relay.deliver_waiting(at=AT)
    assert relay.prune(before=AT) == 0
    assert relay.prune(before=AT + timedelta(seconds=1)) == 1
    assert [row.subject for row in OutboxRow.objects.all()] == ["b"]


def test_a_database_that_goes_away_is_said_to_be_away(monkeypatch):
    moved(1)

    def lose(*_):
        connection.close()
        raise OperationalError("gone")

    with monkeypatch.context() as lost:
        lost.setattr(relay, "_deliver", lose)
        with pytest.raises(OperationalError, match="gone"):
            relay.deliver_waiting(at=AT)
    assert relay.deliver_waiting(at=AT) == 1
