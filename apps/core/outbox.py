"""Publish events: rows, written in the transaction of the change they tell of."""

from collections.abc import Iterable

from apps.core.bulk import insert
from apps.core.events import Event, encode

LONGEST_SUBJECT = 200
_COLUMNS = ("name", "subject", "payload", "published_at", "done", "attempts", "last_error")


def publish(event: Event) -> None:
    """Write one event to the outbox; it is delivered once the transaction has committed."""
    publish_all([event])


def publish_all(events: Iterable[Event]) -> None:
    """Write several events to the outbox in one statement.

    A subject is cut where it is too long: events of two subjects then keep their order together.
    """
    insert(
        "core_outboxrow",
        _COLUMNS,
        [
            (
                event.name,
                event.subject[:LONGEST_SUBJECT],
                encode(event),
                event.at,
                [],
                0,
                "",
            )
            for event in events
        ],
    )
