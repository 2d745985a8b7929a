"""The reads of the intake, each one statement for the whole batch, all in one round trip."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from apps.outages.correlation.matching import (
    CLOCK_TOLERANCE,
    Candidate,
    Reach,
    Spot,
    degrees_of,
)
from apps.outages.correlation.parts import devices_of
from apps.outages.models import Interruption
from apps.outages.rules import Kind, PlaceKind, Report
from apps.outages.services.bulk import array, ask

if TYPE_CHECKING:
    import psycopg

    from apps.network.topology import Grid

LINES = ("line", "cable")
REMEMBERED = 50_000
NEAREST = 8
FEW = 64
_CANDIDATE = (
    "o.id, o.status, o.place_kind, o.node_number, o.edge_number, o.feeder_number, "
    "o.substation_code, o.device_code, o.latitude, o.longitude, o.sources, "
    "o.first_detected_at, o.last_event_at, o.is_planned, o.planned_until, "
    "o.critical_customers"
)
_IS_OPEN = (
    "o.merged_into_id IS NULL AND o.status IN ('detected', 'confirmed', 'in_progress')"
)


class KnownRow(NamedTuple):
    """A stored event with the confidence of its outage."""

    event_id: uuid.UUID
    source_type: str
    source_event_id: str
    outage_id: uuid.UUID | None
    fingerprint: str
    disposition: str
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Above:
    """What could explain events on the network: where open outages are looked for.

    The numbers of the feeders, of the devices on the ways to their sources, of the transformers
    of single service points; and the codes of the meters. Of few events the ways are given with
    their `lines`; of many all lines are looked at.
    """

    feeders: frozenset[int]
    edges: frozenset[int]
    transformers: frozenset[int]
    meters: frozenset[str]
    lines: bool = False


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


def above(grid: "Grid", spots: Sequence[Spot | None]) -> Above:
    """Return what could explain events at these spots."""
    seats = _seats_of(grid)
    found = [spot for spot in spots if spot is not None and spot.feeder_number is not None]
    edges: set[int] = set()
    few = len(found) <= FEW
    for spot in found:
        if spot.node >= 0 and few:
            edges.update(map(grid.edge_pk, devices_of(grid).path(spot.node)))
        elif spot.node >= 0:
            edges.update(_ways(grid, seats, spot.node))
        if spot.edge >= 0:
            edges.add(grid.edge_pk(spot.edge))
    transformers = {s.transformer for s in found if s.transformer >= 0}
    return Above(
        feeders=frozenset(s.feeder_number for s in found if s.feeder_number is not None),
        edges=frozenset(edges),
        transformers=frozenset(grid.edge_pk(edge) for edge in transformers),
        meters=frozenset(s.meter_code for s in found if s.meter_code),
        lines=few,
    )


def _ways(grid: "Grid", seats: "_Seats", node: int) -> tuple[int, ...]:
    """Return the numbers of the devices from the node up to its source."""
    way = seats.ways.get(node)
    if way is None:
        devices = [e for e in devices_of(grid).path(node) if grid.edge_kind(e) not in LINES]
        way = seats.ways[node] = tuple(grid.edge_pk(edge) for edge in devices)
    return way


class Questions:
    """What the intake asks before it matches, sent together and answered together.

    Make it within `bulk.together()`, read the answers after it.
    """

    def __init__(
        self,
        identities: Iterable[tuple[str, str]],
        above: "Above",
        substations: Sequence[str],
        around: Sequence[Around],
    ) -> None:
        self._known = _ask_known(list(identities))
        self._open: list[psycopg.Cursor[Any]] = []
        if above.feeders:
            explaining = (
                "o.feeder_number = ANY(%s::bigint[]) AND (o.edge_number = ANY(%s::bigint[]) "
                "OR o.transformer_number = ANY(%s::bigint[]) OR o.device_code = ANY(%s::text[])"
            )
            explaining += ")" if above.lines else " OR o.device_kind IN ('line', 'cable'))"
            told = (above.feeders, above.edges, above.transformers)
            numbers = [array(sorted(one)) for one in told]
            self._open.append(_ask_where(explaining, *numbers, sorted(above.meters)))
        if substations:
            at_substations = (
                "o.place_kind = 'substation' AND o.substation_code = ANY(%s::text[])"
            )
            self._open.append(_ask_where(at_substations, list(substations)))
        if around:
            self._open.append(_ask_near(_CANDIDATE, around))

    def known_events(self) -> list[KnownRow]:
        """Return those of the events that are stored already."""
        return [KnownRow(*row) for row in self._known]

    def open_candidates(self, grid: "Grid") -> list[Candidate]:
        """Return the open outages of the feeders and substations, and those near the points."""
        found: dict[uuid.UUID, Candidate] = {}
        seats = _seats_of(grid)
        for rows in self._open:
            for row in rows:
                if row[0] not in found:
                    found[row[0]] = _candidate(grid, seats, row)
        return list(found.values())


def feeders_near(around: Sequence[Around]) -> list[int]:
    """Return the feeders with an open outage that an event at one of the points might join."""
    if not around:
        return []
    found = _ask_near("o.feeder_number, o.first_detected_at, o.id", around)
    return sorted({row[0] for row in found if row[0] is not None})


def _ask_known(pairs: list[tuple[str, str]]) -> "psycopg.Cursor[Any]":
    return ask(
        "SELECT e.id, e.source_type, e.source_event_id, e.outage_id, e.fingerprint, "
        "e.disposition, o.confidence "
        "FROM json_to_recordset(%s::json) AS told(source text, name text) "
        "JOIN outages_sourceevent e ON e.source_type = told.source "
        "AND e.source_event_id = told.name "
        "LEFT JOIN outages_outage o ON o.id = e.outage_id",
        # As JSON: an array of so many texts takes psycopg ten times as long to write.
        [orjson.dumps([{"source": s, "name": n} for s, n in pairs]).decode()],
    )


def _ask_where(where: str, *wanted: list[Any] | str) -> "psycopg.Cursor[Any]":
    return ask(
        f"SELECT {_CANDIDATE} FROM outages_outage o "  # noqa: S608
        f"WHERE {_IS_OPEN} AND {where} "
        "ORDER BY o.first_detected_at, o.id",
        wanted,
    )


_NEAR = (
    "FROM unnest(%s::float8[], %s::float8[], %s::float8[], "  # noqa: S608 - our own words
    "%s::timestamptz[], %s::float8[], "
    "%s::bool[], %s::bool[]) AS p(lat, lon, d, at, apart, is_back, is_answer) "
    "CROSS JOIN LATERAL (SELECT * FROM outages_outage o "
    f"WHERE {_IS_OPEN} AND point(o.longitude, o.latitude) <@ box("
    "point(p.lon - p.d / greatest(cosd(p.lat), 0.01), p.lat - p.d), "
    "point(p.lon + p.d / greatest(cosd(p.lat), 0.01), p.lat + p.d)) "
    "AND CASE WHEN p.is_back THEN o.first_detected_at <= p.at + %s "
    "WHEN o.is_planned AND o.planned_until IS NOT NULL "
    "THEN p.at BETWEEN o.first_detected_at AND o.planned_until "
    "ELSE o.first_detected_at <= p.at + p.apart * interval '1 second' "
    "AND (o.status <> 'detected' OR p.is_answer "
    "OR o.last_event_at >= p.at - p.apart * interval '1 second') END "
    "ORDER BY ((o.longitude - p.lon) * cosd(p.lat)) ^ 2 + (o.latitude - p.lat) ^ 2, "
    "o.first_detected_at, o.id LIMIT %s) AS o "
    "ORDER BY o.first_detected_at, o.id"
)


def _ask_near(columns: str, around: Sequence[Around]) -> "psycopg.Cursor[Any]":
    """Ask for the nearest open outages that `Candidate.may_hold` lets each event join.

    What an event before it in the batch joined is among them too, so a few are enough.
    """
    return ask(
        f"SELECT {columns} {_NEAR}",
        [
            [one.latitude for one in around],
            [one.longitude for one in around],
            [degrees_of(one.radius) for one in around],
            [one.at for one in around],
            [one.window for one in around],
            [one.is_back for one in around],
            [one.is_answer for one in around],
            CLOCK_TOLERANCE,
            NEAREST,
        ],
    )


def feeders_left(meters: Sequence[int]) -> list[int]:
    """Return the feeders of open outages in which these meters were without power."""
    rows = Interruption.objects.filter(meter_number__in=meters, ended_at=None)
    found = rows.values_list("outage__feeder_number", flat=True).distinct()
    return sorted(number for number in found if number is not None)


@dataclass(frozen=True, slots=True)
class _Seats:
    """Where nodes and devices were found in one tree; outages ask for the same ones again."""

    tree: Any
    nodes: dict[int, int] = field(default_factory=dict)
    ways: dict[int, tuple[int, ...]] = field(default_factory=dict)
    edges: dict[str, int] = field(default_factory=dict)


_seats = _Seats(None)


def _seats_of(grid: "Grid") -> _Seats:
    """Return what is remembered for the grid's tree; another tree begins with nothing."""
    global _seats
    held = _seats
    size = len(held.nodes) + len(held.edges) + len(held.ways)
    if held.tree is not grid.tree or size > REMEMBERED:
        held = _seats = _Seats(grid.tree)
    return held


def _node(grid: "Grid", seats: _Seats, node_pk: int | None) -> int:
    if node_pk is None:
        return -1
    found = seats.nodes.get(node_pk)
    if found is None:
        found = grid.node_index(node_pk) if grid.has_node(node_pk) else -1
        seats.nodes[node_pk] = found
    return found


def _edge(grid: "Grid", seats: _Seats, code: str) -> int:
    found = seats.edges.get(code)
    if found is None:
        edge = grid.edge_index(code)
        found = seats.edges[code] = -1 if edge is None else edge
    return found


def _candidate(grid: "Grid", seats: _Seats, row: Sequence[Any]) -> Candidate:
    node = _node(grid, seats, row[3])
    at_meter = row[2] == PlaceKind.SERVICE_POINT
    return Candidate(
        id=row[0],
        status=row[1],
        place_kind=row[2],
        node=node,
        edge=-1 if at_meter else _edge(grid, seats, row[7]),
        feeder_number=row[5],
        substation=row[6],
        meter_code=row[7] if at_meter else "",
        latitude=row[8],
        longitude=row[9],
        sources=row[10],
        first_detected_at=row[11],
        last_event_at=row[12],
        is_planned=row[13],
        planned_until=row[14],
        has_critical=row[15],
        transformer=int(grid.transformer_of_node[node]) if node >= 0 else -1,
    )
