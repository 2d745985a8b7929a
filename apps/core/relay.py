"""Hand what was published to who listens: at least once, in order per subject.

Each subscriber runs in a transaction of its own that also marks it done, so that what it
writes to the database is written once.
"""

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction

from apps.core.events import Subscription, decode, subscriptions
from apps.core.models import OutboxRow

logger = logging.getLogger(__name__)

CHANNEL = "oms_outbox"
ATTEMPTS = 5
LOCK = 7_001


def deliver_waiting(*, at: datetime, limit: int = 500) -> int:
    """Deliver the oldest waiting events; return how many are done with.

    Only one relay works at a time (a session lock); another one returns 0.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
    try:
        return _deliver(at, limit)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def prune(*, before: datetime) -> int:
    """Delete events delivered before the given time; return how many."""
    return OutboxRow.objects.filter(delivered_at__lt=before).delete()[0]


def _deliver(at: datetime, limit: int) -> int:
    waiting = OutboxRow.objects.filter(delivered_at=None, quarantined_at=None)
    held: set[str] = set()
    count = 0
    for row in waiting.order_by("id")[:limit]:
        if row.subject in held:
            continue
        if row.run_at is not None and row.run_at > at:
            held.add(row.subject)
        elif _deliver_one(row, at):
            count += 1
        else:
            held.add(row.subject)
    return count


def _deliver_one(row: OutboxRow, at: datetime) -> bool:
    for subscription in subscriptions(row.name):
        if subscription.key in row.done:
            continue
        try:
            _hand_over(row, subscription)
        except Exception as fault:
            logger.exception("Subscriber %s failed on event %s", subscription.key, row.pk)
            return _postpone(row, f"{subscription.key}: {fault}", at)
    row.delivered_at = at
    row.save(update_fields=["delivered_at"])
    return True


@transaction.atomic
def _hand_over(row: OutboxRow, subscription: Subscription) -> None:
    subscription.call(decode(subscription.event_type, row.payload))
    row.done = [*row.done, subscription.key]
    row.save(update_fields=["done"])


def _postpone(row: OutboxRow, error: str, at: datetime) -> bool:
    """Try the event again later; return True where it was given up."""
    row.attempts += 1
    row.last_error = error[:2000]
    row.run_at = at + timedelta(seconds=min(60, 2**row.attempts))
    if row.attempts >= ATTEMPTS:
        row.quarantined_at = at
    row.save(update_fields=["attempts", "last_error", "run_at", "quarantined_at"])
    return row.quarantined_at is not None
