"""Publish events: rows, written in the transaction of the change they tell of."""

from collections.abc import Iterable

from apps.core.events import Event, encode
from apps.core.models import OutboxRow

LONGEST_SUBJECT = 200


def publish(event: Event) -> None:
    """Write one event to the outbox; it is delivered once the transaction has committed."""
    publish_all([event])


def publish_all(events: Iterable[Event]) -> None:
    """Write several events to the outbox in one statement.

    A subject is cut where it is too long: events of two subjects then keep their order together.
    """
    OutboxRow.objects.bulk_create(
        OutboxRow(
            name=event.name,
            subject=event.subject[:LONGEST_SUBJECT],
            payload=encode(event),
            published_at=event.at,
        )
        for event in events
    )
