"""Publish events: rows, written in the transaction of the change they tell of."""

from collections.abc import Iterable

import orjson
from django.db import connection

from apps.core.events import Event, encode

LONGEST_SUBJECT = 200
# Not by the model: every event that comes in publishes, and building the query costs ten times
# what the database needs for it.
_INSERT = (
    "INSERT INTO core_outboxrow (name, subject, payload, published_at, done, attempts, "
    "last_error) SELECT name, subject, payload, published_at, '[]', 0, '' "
    "FROM json_to_recordset(%s::json) AS x(name text, subject text, payload jsonb, "
    "published_at timestamptz)"
)


def publish(event: Event) -> None:
    """Write one event to the outbox; it is delivered once the transaction has committed."""
    publish_all([event])


def publish_all(events: Iterable[Event]) -> None:
    """Write several events to the outbox in one statement.

    A subject is cut where it is too long: events of two subjects then keep their order together.
    """
    rows = [
        {
            "name": event.name,
            "subject": event.subject[:LONGEST_SUBJECT],
            "payload": encode(event),
            "published_at": event.at,
        }
        for event in events
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, [orjson.dumps(rows).decode()])
