"""Hand what was published to who listens: at least once, in order per subject.

Some events share a transaction. Each subscriber runs within a savepoint of its own: one that
fails takes back what it wrote and nothing else, and only it runs again for that event. Events
of one kind go to those who take several at once in one call, as far as each subject's order
allows.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from apps.core.bulk import array, ask, change, planned_by_index, rows_of, together
from apps.core.events import Event, Subscription, decode, subscriptions
from apps.core.models import OutboxRow

logger = logging.getLogger(__name__)

CHANNEL = "oms_outbox"
ATTEMPTS = 5
TOGETHER = 100
LOCK = 7_001
_WAITING = "delivered_at IS NULL AND quarantined_at IS NULL ORDER BY id LIMIT %s"
_DELIVERED = "UPDATE core_outboxrow SET delivered_at = %s WHERE id = ANY(%s::bigint[])"


def deliver_waiting(*, at: datetime, limit: int = 500) -> int:
    """Deliver the oldest waiting events; return how many are done with.

    Only one relay works at a time (a session lock); another one returns 0.
    """
    with together(), planned_by_index():
        locked = ask("SELECT pg_try_advisory_lock(%s::bigint)", [LOCK])
        waiting = rows_of(OutboxRow, _WAITING, [limit])
    if locked.fetchone() != (True,):
        return 0
    try:
        return _deliver(waiting, at)
    finally:
        with together():
            ask("SELECT pg_advisory_unlock(%s::bigint)", [LOCK])


def prune(*, before: datetime) -> int:
    """Delete events delivered before the given time; return how many."""
    return OutboxRow.objects.filter(delivered_at__lt=before).delete()[0]


def _deliver(rows: Sequence[OutboxRow], at: datetime) -> int:
    held: set[str] = set()
    return sum(
        _deliver_some(rows[first : first + TOGETHER], held, at)
        for first in range(0, len(rows), TOGETHER)
    )


@transaction.atomic
def _deliver_some(rows: Sequence[OutboxRow], held: set[str], at: datetime) -> int:
    """Deliver some events; one that fails holds the later ones of its subject back."""
    delivered, given_up = [], 0
    for name, group in _groups(rows):
        due = list(_due(group, held, at))
        _hand_over_together(name, due)
        for row in due:
            if row.subject in held:
                continue
            if (fault := _hand_over(row)) is None:
                delivered.append(row.pk)
            elif _postpone(row, fault, at):
                given_up += 1
            else:
                held.add(row.subject)
    with together(), planned_by_index():
        change(_DELIVERED, [at, array(delivered)])
    return len(delivered) + given_up


def _groups(rows: Sequence[OutboxRow]) -> list[tuple[str, list[OutboxRow]]]:
    """Put events of one kind together; those of one subject stay in their order."""
    groups: list[tuple[str, list[OutboxRow]]] = []
    kinds: dict[str, list[int]] = {}
    latest: dict[str, int] = {}
    for row in rows:
        earliest, places = latest.get(row.subject, 0), kinds.setdefault(row.name, [])
        place = next((n for n in places if n >= earliest), len(groups))
        if place == len(groups):
            groups.append((row.name, []))
            places.append(place)
        groups[place][1].append(row)
        latest[row.subject] = place
    return groups


def _due(rows: Sequence[OutboxRow], held: set[str], at: datetime) -> Iterator[OutboxRow]:
    """Pass on what may be delivered now; one that has to wait holds its subject back."""
    for row in rows:
        if row.run_at is not None and row.run_at > at:
            held.add(row.subject)
        if row.subject not in held:
            yield row


def _hand_over_together(name: str, rows: Sequence[OutboxRow]) -> None:
    """Call those who take several events at once; where one fails, each event goes by itself."""
    for subscription in subscriptions(name):
        fresh = [row for row in rows if subscription.key not in row.done]
        if not subscription.together or len(fresh) < 2:
            continue
        try:
            with transaction.atomic():
                _call(subscription, fresh)
        except Exception:
            logger.exception(
                "Subscriber %s failed on %s events", subscription.key, len(fresh)
            )
            continue
        for row in fresh:
            row.done = [*row.done, subscription.key]


def _hand_over(row: OutboxRow) -> str | None:
    """Call who has not had the event yet; return what went wrong, if anything did."""
    for subscription in subscriptions(row.name):
        if subscription.key in row.done:
            continue
        try:
            with transaction.atomic():
                _call(subscription, [row])
        except Exception as fault:
            logger.exception("Subscriber %s failed on event %s", subscription.key, row.pk)
            return f"{subscription.key}: {fault}"
        row.done = [*row.done, subscription.key]
    return None


def _call(subscription: Subscription, rows: Sequence[OutboxRow]) -> None:
    told = [_decoded(subscription, row) for row in rows]
    if subscription.together:
        subscription.call(told)
    else:
        subscription.call(*told)


def _decoded(subscription: Subscription, row: OutboxRow) -> Event:
    """Return the event of the row; each subscriber is told the same."""
    if row.event is None:
        row.event = decode(subscription.event_type, row.payload)
    return row.event


def _postpone(row: OutboxRow, error: str, at: datetime) -> bool:
    """Try the event again later; return True where it was given up."""
    row.attempts += 1
    row.last_error = error[:2000]
    row.run_at = at + timedelta(seconds=min(60, 2**row.attempts))
    if row.attempts >= ATTEMPTS:
        row.quarantined_at = at
    row.save(update_fields=["attempts", "done", "last_error", "run_at", "quarantined_at"])
    return row.quarantined_at is not None
