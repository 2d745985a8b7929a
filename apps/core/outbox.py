"""Publish events: rows, written in the transaction of the change they tell of."""

from collections.abc import Iterable

from apps.core.events import Event, encode
from apps.core.models import OutboxRow


def publish(event: Event) -> None:
    """Write one event to the outbox; it is delivered once the transaction has committed."""
    publish_all([event])


def publish_all(events: Iterable[Event]) -> None:
    """Write several events to the outbox in one statement."""
    OutboxRow.objects.bulk_create(
        OutboxRow(
            name=event.name,
            subject=event.subject,
            payload=encode(event),
            published_at=event.at,
        )
        for event in events
    )
