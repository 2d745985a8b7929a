"""The reads of the intake, each one statement for the whole batch."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from django.db import connection

from apps.outages.correlation.matching import Candidate
from apps.outages.rules import PlaceKind

if TYPE_CHECKING:
    from apps.network.topology import Grid

METERS_PER_DEGREE = 111_195.0
_CANDIDATE = (
    "o.id, o.status, o.place_kind, o.node_number, o.edge_number, o.feeder_number, "
    "o.substation_code, o.device_code, o.latitude, o.longitude, o.sources, "
    "o.first_detected_at, o.last_event_at, o.is_planned, o.planned_until"
)
_IS_OPEN = (
    "o.merged_into_id IS NULL AND o.status IN ('detected', 'confirmed', 'in_progress')"
)


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A stored event with the confidence of its outage."""

    event_id: uuid.UUID
    source_type: str
    source_event_id: str
    outage_id: uuid.UUID | None
    fingerprint: str
    disposition: str
    confidence: float | None


def known_events(identities: Iterable[tuple[str, str]]) -> list[KnownRow]:
    """Return those of the events that are stored already."""
    pairs = list(identities)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.id, e.source_type, e.source_event_id, e.outage_id, e.fingerprint, "
            "e.disposition, o.confidence "
            "FROM unnest(%s::text[], %s::text[]) AS told(source, name) "
            "JOIN outages_sourceevent e ON e.source_type = told.source "
            "AND e.source_event_id = told.name "
            "LEFT JOIN outages_outage o ON o.id = e.outage_id",
            [[source for source, _ in pairs], [name for _, name in pairs]],
        )
        return [KnownRow(*row) for row in cursor.fetchall()]


def open_candidates(
    grid: "Grid",
    feeder_numbers: Sequence[int],
    substations: Sequence[str],
    around: Sequence[tuple[float | None, float | None, float]],
) -> list[Candidate]:
    """Return the open outages of the feeders and substations, and those near the points."""
    found: dict[uuid.UUID, Candidate] = {}
    if feeder_numbers:
        _read(grid, found, "o.feeder_number = ANY(%s)", [list(feeder_numbers)])
    if substations:
        _read(
            grid,
            found,
            "o.place_kind = 'substation' AND o.substation_code = ANY(%s)",
            [list(substations)],
        )
    if around:
        _read_near(grid, found, around)
    return list(found.values())


def _read(
    grid: "Grid", found: dict[uuid.UUID, Candidate], where: str, params: list[Any]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_CANDIDATE} FROM outages_outage o "  # noqa: S608
            f"WHERE {_IS_OPEN} AND {where} "
            "ORDER BY o.first_detected_at, o.id",
            params,
        )
        for row in cursor.fetchall():
            found.setdefault(row[0], _candidate(grid, row))


def _read_near(
    grid: "Grid",
    found: dict[uuid.UUID, Candidate],
    around: Sequence[tuple[float | None, float | None, float]],
) -> None:
    latitudes = [point[0] for point in around]
    longitudes = [point[1] for point in around]
    degrees = [point[2] / METERS_PER_DEGREE * 1.01 for point in around]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT ON (o.first_detected_at, o.id) {_CANDIDATE} "  # noqa: S608
            "FROM unnest(%s::float8[], %s::float8[], %s::float8[]) AS p(lat, lon, d) "
            "CROSS JOIN LATERAL (SELECT * FROM outages_outage o "
            f"WHERE {_IS_OPEN} AND point(o.longitude, o.latitude) <@ box("
            "point(p.lon - p.d / greatest(cosd(p.lat), 0.01), p.lat - p.d), "
            "point(p.lon + p.d / greatest(cosd(p.lat), 0.01), p.lat + p.d))) AS o "
            "ORDER BY o.first_detected_at, o.id",
            [latitudes, longitudes, degrees],
        )
        for row in cursor.fetchall():
            found.setdefault(row[0], _candidate(grid, row))


def _candidate(grid: "Grid", row: Sequence[Any]) -> Candidate:
    known = row[3] is not None and grid.has_node(row[3])
    node = grid.node_index(row[3]) if known else -1
    at_meter = row[2] == PlaceKind.SERVICE_POINT
    edge = None if at_meter else grid.edge_index(row[7])
    sources = orjson.loads(row[10]) if isinstance(row[10], str) else row[10]
    return Candidate(
        id=row[0],
        status=row[1],
        place_kind=row[2],
        node=node,
        edge=-1 if edge is None else edge,
        feeder_number=row[5],
        substation=row[6],
        meter_code=row[7] if at_meter else "",
        latitude=row[8],
        longitude=row[9],
        sources=sources,
        first_detected_at=row[11],
        last_event_at=row[12],
        is_planned=row[13],
        planned_until=row[14],
        transformer=int(grid.transformer_of_node[node]) if node >= 0 else -1,
    )
