"""The rule as one call of the database for each event: 500 m, 15 min, found by an index.

What the storm is measured against. Each event is stored once, joins the nearest outage that
was heard of within a quarter of an hour and 500 m, or opens one, in one prepared call that is
committed before the next: as lean as the rule can be done with PostgreSQL alone, without a
portal. Its PostgreSQL is set up like ours.
"""

import contextlib
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg

from benchmarks import servers

METRES_A_DEGREE = 111_320.0
CALL = "SELECT correlate(%s, %s, %s, %s, %s)"
SCHEMA = """
CREATE TABLE meter (number text PRIMARY KEY, place point NOT NULL);
CREATE TABLE outage (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, place point NOT NULL,
    first_at timestamptz NOT NULL, last_at timestamptz NOT NULL, events integer NOT NULL);
CREATE INDEX ON outage USING gist (place);
CREATE TABLE event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source text NOT NULL,
    source_event text NOT NULL, kind text NOT NULL, meter text, at timestamptz NOT NULL,
    outage_id bigint REFERENCES outage, UNIQUE (source, source_event));
CREATE INDEX ON event (outage_id);
CREATE FUNCTION correlate(
    a_source text, a_source_event text, a_kind text, a_meter text, a_at timestamptz
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    stored bigint;
    spot point;
    found bigint;
BEGIN
    INSERT INTO event (source, source_event, kind, meter, at)
        VALUES (a_source, a_source_event, a_kind, a_meter, a_at)
        ON CONFLICT DO NOTHING RETURNING id INTO stored;
    SELECT place INTO spot FROM meter WHERE number = a_meter;
    IF stored IS NULL OR spot IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT id INTO found FROM outage
        WHERE place <@ circle(spot, 500)
        AND last_at BETWEEN a_at - interval '15 min' AND a_at + interval '15 min'
        ORDER BY place <-> spot LIMIT 1;
    IF found IS NULL THEN
        INSERT INTO outage (place, first_at, last_at, events)
            VALUES (spot, a_at, a_at, 1) RETURNING id INTO found;
    ELSE
        UPDATE outage SET last_at = greatest(last_at, a_at), events = events + 1
            WHERE id = found;
    END IF;
    UPDATE event SET outage_id = found WHERE id = stored;
    RETURN found;
END $$;
"""


def rate(
    events: Sequence[dict[str, Any]], places: Mapping[str, tuple[float, float]]
) -> float:
    """Return how many events a second the rule takes in, one after the other.

    `places` are latitude and longitude of the meters by their numbers, in degrees.
    """
    calls = [
        (
            event["source_type"],
            event["source_event_id"],
            event["event_type"],
            event.get("meter_id"),
            event["timestamp"],
        )
        for event in events
    ]
    with _database(places) as connection:
        began = time.perf_counter()
        for call in calls:
            connection.execute(CALL, call, prepare=True)
        return len(calls) / (time.perf_counter() - began)


@contextlib.contextmanager
def _database(
    places: Mapping[str, tuple[float, float]],
) -> Iterator["psycopg.Connection[Any]"]:
    with servers.database(servers.fresh_folder("rule")) as place:
        words = {"host": place["host"], "port": place["port"], "dbname": place["name"]}
        with psycopg.connect(**words, user=place["user"], autocommit=True) as connection:
            connection.execute(SCHEMA)
            with connection.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO meter VALUES (%s, point(%s, %s))", _flat(places)
                )
            connection.execute("VACUUM ANALYZE meter")
            yield connection


def _flat(places: Mapping[str, tuple[float, float]]) -> list[tuple[str, float, float]]:
    """Return the meters on a plane, in metres."""
    middle = sum(latitude for latitude, _ in places.values()) / len(places)
    narrower = math.cos(math.radians(middle))
    return [
        (number, longitude * METRES_A_DEGREE * narrower, latitude * METRES_A_DEGREE)
        for number, (latitude, longitude) in places.items()
    ]
