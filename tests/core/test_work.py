"""Work rows: one owner at a time, and a stale owner changes nothing."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from apps.core import work
from apps.core.work import WorkRow, WorkState

pytestmark = pytest.mark.django_db(transaction=True)

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=30)


class Errand(WorkRow):
    class Meta:
        app_label = "work_of_the_tests"


@pytest.fixture(autouse=True)
def table(transactional_db):
    with connection.schema_editor() as editor:
        editor.create_model(Errand)
    yield
    with connection.schema_editor() as editor:
        editor.delete_model(Errand)


def errands(count, run_at=AT):
    Errand.objects.bulk_create(Errand(key=f"e{n}", run_at=run_at) for n in range(count))


def claim(owner="one", at=AT, limit=1):
    return work.claim(Errand, owner=owner, at=at, lease=LEASE, limit=limit)


def test_a_claim_takes_what_is_due_oldest_first_and_raises_the_fence():
    Errand.objects.create(key="late", run_at=AT + timedelta(seconds=1))
    Errand.objects.create(key="second", run_at=AT)
    Errand.objects.create(key="first", run_at=AT - timedelta(hours=1))
    rows = claim(limit=10)
    assert [(r.key, r.fence, r.attempts) for r in rows] == [
        ("first", 1, 1),
        ("second", 1, 1),
    ]
    stored = Errand.objects.get(key="first")
    assert (stored.state, stored.lease_owner) == (WorkState.LEASED, "one")
    assert stored.lease_until == AT + LEASE


def test_a_claim_takes_them_in_the_order_that_is_asked_for():
    for number in (2, 3, 1):
        Errand.objects.create(key=f"e{number}", run_at=AT - timedelta(hours=number))
    taken = [
        work.claim(Errand, owner="one", at=AT, lease=LEASE, order="key")[0].key
        for _ in range(3)
    ]
    assert taken == ["e1", "e2", "e3"]


def test_what_is_leased_is_not_claimed_again_until_the_lease_ends():
    errands(1)
    claim()
    assert claim("two", at=AT + LEASE) == []
    (again,) = claim("two", at=AT + LEASE + timedelta(microseconds=1))
    assert (again.fence, again.attempts, again.lease_owner) == (2, 2, "two")


def test_a_stale_owner_can_neither_finish_nor_retry():
    errands(1)
    (stale,) = claim("one")
    (owner,) = claim("two", at=AT + timedelta(minutes=1))
    assert work.finish(stale) is False
    assert work.retry(stale, error="late", run_at=AT) is False
    stored = Errand.objects.get()
    assert (stored.state, stored.lease_owner, stored.last_error) == ("leased", "two", "")
    assert work.finish(owner) is True
    assert Errand.objects.get().state == WorkState.DONE


def test_a_finished_row_is_not_finished_twice_and_not_claimed():
    errands(1)
    (row,) = claim()
    assert work.finish(row) is True
    assert work.finish(row) is False
    assert claim(at=AT + timedelta(days=1)) == []


def test_a_retry_gives_the_row_back_for_later():
    errands(1)
    (row,) = claim()
    assert work.retry(row, error="not yet", run_at=AT + timedelta(minutes=5))
    assert claim(at=AT + timedelta(minutes=4)) == []
    (again,) = claim(at=AT + timedelta(minutes=5))
    assert (again.attempts, again.last_error) == (2, "not yet")


def test_the_fifth_failure_quarantines():
    errands(1)
    for n in range(work.MAX_ATTEMPTS):
        (row,) = claim(at=AT + timedelta(minutes=n))
        work.retry(row, error=f"fault {n}", run_at=AT)
    stored = Errand.objects.get()
    assert (stored.state, stored.attempts) == (WorkState.QUARANTINED, 5)
    assert stored.last_error == "fault 4"
    assert claim(at=AT + timedelta(days=1)) == []


def test_claims_at_the_same_time_are_disjoint_and_complete():
    errands(200)
    start, taken = threading.Barrier(8), []

    def worker(name):
        try:
            start.wait()
            while rows := claim(name, limit=7):
                taken.extend(row.key for row in rows)
        finally:
            connection.close()

    threads = [threading.Thread(target=worker, args=[f"w{n}"]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 200
    assert set(taken) == {f"e{n}" for n in range(200)}
    assert set(Errand.objects.values_list("fence", flat=True)) == {1}


def test_a_long_error_is_cut():
    errands(1)
    (row,) = claim()
    work.retry(row, error="x" * 5000, run_at=AT)
    assert len(Errand.objects.get().last_error) == 2000
