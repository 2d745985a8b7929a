"""Which open outages an event off the network might join: the nearest that may hold it."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from apps.core.bulk import array, ask, together
from apps.outages.correlation.matching import CLOCK_TOLERANCE, Reach, Spot, degrees_of
from apps.outages.rules import Kind, Report

if TYPE_CHECKING:
    import psycopg

NEAREST = 8
IS_OPEN = (
    "o.merged_into_id IS NULL AND o.status IN ('detected', 'confirmed', 'in_progress')"
)


class Around(NamedTuple):
    """Where and when an event off the network happened: what it might join is looked for.

    Degrees, metres, seconds. Power that `is_back` may be back at any time; what `is_answer`
    was asked for, however late.
    """

    latitude: float | None
    longitude: float | None
    radius: float
    at: datetime
    window: float
    is_back: bool
    is_answer: bool


def seen_from(spot: Spot, report: Report, reach: Reach) -> Around:
    """Return what is to be looked for around an event off the network."""
    return Around(
        spot.latitude,
        spot.longitude,
        reach.radius,
        report.occurred_at,
        reach.window.total_seconds(),
        report.kind is Kind.RESTORATION,
        report.is_answer,
    )


_HOLDS = (
    "CASE WHEN p.is_back THEN o.first_detected_at <= p.at + p.tolerance "
    "WHEN o.is_planned AND o.planned_until IS NOT NULL "
    "THEN p.at BETWEEN o.first_detected_at AND o.planned_until "
    "ELSE o.first_detected_at <= p.at + p.apart "
    "AND (o.status <> 'detected' OR p.is_answer "
    "OR o.last_event_at >= p.at - p.apart) END"
)
_AWAY = "((o.longitude - p.lon) * cosd(p.lat)) ^ 2 + (o.latitude - p.lat) ^ 2"


def _within(degrees: str) -> str:
    """Return that an outage is open, may hold the event, and is in a box around its point."""
    wide = f"{degrees} / greatest(cosd(p.lat), 0.01)"
    return (
        f"{IS_OPEN} AND {_HOLDS} AND point(o.longitude, o.latitude) <@ "
        f"box(point(p.lon - {wide}, p.lat - {degrees}), "
        f"point(p.lon + {wide}, p.lat + {degrees}))"
    )


# The index finds the nearest by degrees, whose east and west are too long: among those that are
# no farther in metres than the farthest of these are the nearest by metres.
NEAR = (
    "FROM (SELECT lat, lon, d, at, apart * interval '1 second' AS apart, "  # noqa: S608
    "is_back, is_answer, tolerance, most FROM unnest(%s::float8[], %s::float8[], %s::float8[], "
    "%s::timestamptz[], %s::float8[], %s::bool[], %s::bool[]) "
    "AS q(lat, lon, d, at, apart, is_back, is_answer), "
    "(VALUES (%s::interval, %s::int)) AS w(tolerance, most)) AS p "
    "CROSS JOIN LATERAL (SELECT CASE WHEN count(*) < p.most THEN p.d "
    "ELSE least(p.d, sqrt(max(n.away)) * 1.001) END AS far FROM ("
    f"SELECT {_AWAY} AS away FROM outages_outage o WHERE {_within('p.d')} "
    "ORDER BY point(o.longitude, o.latitude) <-> point(p.lon, p.lat) LIMIT p.most) AS n) AS f "
    f"CROSS JOIN LATERAL (SELECT * FROM outages_outage o WHERE {_within('f.far')} "
    f"ORDER BY {_AWAY}, o.first_detected_at, o.id LIMIT p.most) AS o "
    "ORDER BY o.first_detected_at, o.id"
)


def ask_near(columns: str, around: Sequence[Around]) -> "psycopg.Cursor[Any]":
    """Ask for the nearest open outages that `Candidate.may_hold` lets each event join.

    What an event before it in the batch joined is among them too, so a few are enough.
    """
    return ask(f"SELECT {columns} {NEAR}", values_of(around))


def values_of(around: Sequence[Around]) -> list[Any]:
    """Return the values of `NEAR`."""
    return [
        array(one.latitude for one in around),
        array(one.longitude for one in around),
        array(degrees_of(one.radius) for one in around),
        array(one.at for one in around),
        array(one.window for one in around),
        array(one.is_back for one in around),
        array(one.is_answer for one in around),
        CLOCK_TOLERANCE,
        NEAREST,
    ]


def feeders_near(around: Sequence[Around]) -> list[int]:
    """Return the feeders with an open outage that an event at one of the points might join."""
    if not around:
        return []
    with together():
        found = ask_near("o.feeder_number, o.first_detected_at, o.id", around)
    return sorted({row[0] for row in found if row[0] is not None})
