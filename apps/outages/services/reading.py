"""The reads of the intake, each one statement for the whole batch, all in one round trip."""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from apps.core.bulk import array, ask, texts
from apps.outages.correlation.matching import Candidate, Reach, Spot
from apps.outages.models import Interruption
from apps.outages.rules import PlaceKind, Report
from apps.outages.services.nearby import IS_OPEN, Around, ask_near

if TYPE_CHECKING:
    import psycopg

    from apps.network.topology import Grid

LINES = ("line", "cable")
REMEMBERED = 100_000
FEW = 64
_CANDIDATE = (
    "o.id, o.status, o.place_kind, o.node_number, o.edge_number, o.feeder_number, "
    "o.substation_code, o.device_code, o.latitude, o.longitude, o.sources, "
    "o.first_detected_at, o.last_event_at, o.is_planned, o.planned_until, "
    "o.critical_customers"
)
_AT_METER = f"{IS_OPEN} AND o.place_kind = 'service_point'"
# An index each: to look at every open outage of the feeders would cost the more, the more are
# open.
_OF_FEW = (
    "o.id = ANY(ARRAY("  # noqa: S608 - our own words
    f"SELECT o.id FROM outages_outage o WHERE {IS_OPEN} "
    "AND o.edge_number = ANY(%s::bigint[]) UNION ALL "
    f"SELECT o.id FROM outages_outage o WHERE {_AT_METER} "
    "AND o.device_code = ANY(%s::text[]) UNION ALL "
    "SELECT o.id FROM unnest(%s::bigint[], %s::timestamptz[], %s::float8[], %s::bool[], "
    "%s::int[]) AS p(transformer, at, apart, is_answer, below) "
    "CROSS JOIN LATERAL (SELECT o.id FROM outages_outage o "
    f"WHERE {_AT_METER} AND o.transformer_number = p.transformer "
    "AND o.status = 'detected' AND NOT o.is_planned "
    "AND o.first_detected_at <= p.at + p.apart * interval '1 second' "
    "AND (p.is_answer OR o.last_event_at >= p.at - p.apart * interval '1 second') "
    "ORDER BY o.first_detected_at, o.id LIMIT p.below) AS o)) "
    "AND o.feeder_number = ANY(%s::bigint[])"
)
# Arrays of thousands, which are hashed as a table; an array itself is only where it is a constant,
# and is looked through for each outage in a plan that is kept.
_OF_MANY = (
    "o.feeder_number = ANY(%s::bigint[]) AND ("
    "o.edge_number IN (SELECT unnest(%s::bigint[])) "
    "OR o.transformer_number IN (SELECT unnest(%s::bigint[])) "
    "OR o.device_code IN (SELECT unnest(%s::text[])) "
    "OR o.device_kind IN ('line', 'cable'))"
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


class Beside(NamedTuple):
    """A loss below a transformer, as number, that a neighbour's report there might explain.

    `window` in seconds; what `is_answer` was asked for, however late.
    """

    transformer: int
    at: datetime
    window: float
    is_answer: bool


Loss = tuple[Report, Reach]


@dataclass(frozen=True, slots=True)
class Above:
    """What could explain events on the network: where open outages are looked for.

    The numbers of the feeders and of the devices on the ways to their sources, the codes of the
    meters, and the transformers above them. Of few events the ways are given with their lines,
    and the losses below the transformers in `beside`; of many, where that is None, all lines
    are looked at, and all single reports below the transformers.
    """

    feeders: frozenset[int]
    edges: frozenset[int]
    transformers: frozenset[int]
    meters: frozenset[str]
    beside: Sequence[Beside] | None


def above(grid: "Grid", spots: Sequence[Spot | None], losses: Iterable[Loss]) -> Above:
    """Return what could explain events at these spots; `losses` has each one's event."""
    on_network = [s for s in spots if s is not None and s.feeder_number is not None]
    few = len(on_network) <= FEW
    edges: set[int] = set()
    ways = _seats_of(grid).ways[few]
    for spot in on_network:
        if spot.node >= 0:
            edges.update(ways.get(spot.node) or _way(grid, ways, spot.node, lines=few))
        if spot.edge >= 0:
            edges.add(grid.edge_pk(spot.edge))
    below = {s.transformer for s in on_network if s.transformer >= 0}
    return Above(
        feeders=frozenset(s.feeder_number for s in on_network if s.feeder_number),
        edges=frozenset(edges),
        transformers=frozenset(map(grid.edge_pk, below)),
        meters=frozenset(s.meter_code for s in on_network if s.meter_code),
        beside=_beside(grid, spots, losses) if few else None,
    )


def _beside(
    grid: "Grid", spots: Sequence[Spot | None], losses: Iterable[Loss]
) -> list[Beside]:
    return [
        Beside(
            grid.edge_pk(spot.transformer),
            report.occurred_at,
            reach.window.total_seconds(),
            report.is_answer,
        )
        for spot, (report, reach) in zip(spots, losses, strict=True)
        if spot is not None and spot.feeder_number is not None and spot.transformer >= 0
    ]


def _way(
    grid: "Grid", ways: dict[int, tuple[int, ...]], node: int, *, lines: bool
) -> tuple[int, ...]:
    """Return the numbers of the devices from the node up to its source, and remember them.

    And those of each node on the way, which others have in common with it.
    """
    below: list[tuple[int, int]] = []
    tree = grid.tree
    while node not in ways and (edge := int(tree.parent_edge[node])) >= 0:
        below.append((node, edge))
        node = int(tree.parent[node])
    way = ways.setdefault(node, ())
    for node, edge in reversed(below):
        if lines or grid.edge_kind(edge) not in LINES:
            way = (grid.edge_pk(edge), *way)
        ways[node] = way
    return way


class Questions:
    """What the intake asks before it matches, sent together and answered together.

    Make it within `bulk.together()`, read the answers after it.
    """

    def __init__(
        self,
        identities: Sequence[tuple[str, str]],
        above: "Above",
        substations: Sequence[str],
        around: Sequence[Around],
    ) -> None:
        self._known = _ask_known(identities)
        self._open: list[psycopg.Cursor[Any]] = []
        if above.feeders:
            self._open.append(_ask_above(above))
        if substations:
            at_substations = (
                "o.place_kind = 'substation' AND o.substation_code = ANY(%s::text[])"
            )
            self._open.append(_ask_where(at_substations, list(substations)))
        if around:
            self._open.append(ask_near(_CANDIDATE, around))

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


def _ask_known(pairs: Sequence[tuple[str, str]]) -> "psycopg.Cursor[Any]":
    return ask(
        "SELECT e.id, e.source_type, e.source_event_id, e.outage_id, e.fingerprint, "
        "e.disposition, o.confidence "
        "FROM unnest(%s::text[], %s::text[]) AS told(source, name) "
        "JOIN outages_sourceevent e ON e.source_type = told.source "
        "AND e.source_event_id = told.name "
        "LEFT JOIN outages_outage o ON o.id = e.outage_id",
        [texts(source for source, _ in pairs), texts(name for _, name in pairs)],
    )


def _ask_above(above: Above) -> "psycopg.Cursor[Any]":
    """Ask for the outages of the devices and meters, and for reports beside the losses."""
    feeders, edges, meters = array(above.feeders), array(above.edges), texts(above.meters)
    if above.beside is None:
        return _ask_where(_OF_MANY, feeders, edges, array(above.transformers), meters)
    # The oldest beside each, as many as there are losses below the transformer: each takes one
    # away at most.
    losses, below = above.beside, Counter(one.transformer for one in above.beside)
    return _ask_where(
        _OF_FEW,
        edges,
        meters,
        array(one.transformer for one in losses),
        array(one.at for one in losses),
        array(one.window for one in losses),
        array(one.is_answer for one in losses),
        array(below[one.transformer] for one in losses),
        feeders,
    )


def _ask_where(where: str, *wanted: list[Any] | str) -> "psycopg.Cursor[Any]":
    return ask(
        f"SELECT {_CANDIDATE} FROM outages_outage o "  # noqa: S608
        f"WHERE {IS_OPEN} AND {where} "
        "ORDER BY o.first_detected_at, o.id",
        wanted,
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
    ways: Mapping[bool, dict[int, tuple[int, ...]]] = field(
        default_factory=lambda: {False: {}, True: {}}
    )
    edges: dict[str, int] = field(default_factory=dict)


_seats = _Seats(None)


def _seats_of(grid: "Grid") -> _Seats:
    """Return what is remembered for the grid's tree; another tree begins with nothing."""
    global _seats
    held = _seats
    size = len(held.nodes) + len(held.edges) + sum(map(len, held.ways.values()))
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
