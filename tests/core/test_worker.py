"""What goes through the real broker to a real worker."""

from datetime import UTC, datetime, timedelta

from apps.core.models import OutboxRow
from apps.core.tasks import prune_outbox


def test_task_sent_over_the_broker_is_done_by_the_worker(worker, eventually):
    now = datetime.now(UTC)
    rows = [outbox_row(now, days) for days in (6, 8, 30)]

    prune_outbox.delay()

    eventually(lambda: OutboxRow.objects.count() == 1, "the worker has pruned")
    assert OutboxRow.objects.get().pk == rows[0].pk


def outbox_row(now, days):
    at = now - timedelta(days=days)
    return OutboxRow.objects.create(
        name="test.happened", subject="test", payload={}, published_at=at, delivered_at=at
    )
