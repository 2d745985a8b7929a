"""The grid for people: the map, and what lies around one place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import BooleanField, ExpressionWrapper, Q
from numpy.typing import NDArray

from apps.network.models import Edge
from apps.network.rules import EdgeKind
from apps.network.selectors.places import Place
from apps.network.selectors.registry import FeederView, feeder_names, feeders
from apps.network.selectors.snapshot import grid
from apps.network.topology import Grid

LINES = (EdgeKind.LINE, EdgeKind.CABLE)
MOST_FEATURES = 20_000

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


@dataclass(frozen=True, slots=True)
class Device:
    """An edge as people see it; `customers` hang below it, live or dead."""

    code: str
    kind: str
    closed: bool
    energised: bool
    customers: int


@dataclass(frozen=True, slots=True)
class TieView:
    """An open switch, and how many customers its closing would restore."""

    code: str
    kind: str
    customers: int


@dataclass(frozen=True, slots=True)
class Trace:
    """What lies around a place. `path` are the devices up to the source, the nearest first.

    `device` is the place itself where it is one, else the nearest protective device above it;
    the counts and the ties are those of that device.
    """

    feeder: FeederView | None
    device: Device | None
    protective: Device | None
    path: tuple[Device, ...]
    energised: bool
    transformers: int
    customers: int
    ties: tuple[TieView, ...]


def trace(place: Place) -> Trace:
    """Return the way up from a place, what hangs below it, and what could restore it."""
    held = grid()
    node = None
    if place.node_pk is not None and held.has_node(place.node_pk):
        node = held.node_index(place.node_pk)
    own = held.edge_index(place.device_code) if place.device_code else None
    above = held.upstream_devices(node) if node is not None else []
    edge = own if own is not None else next(iter(above), None)
    counts = held.counts_below(edge) if edge is not None else None
    path = held.path(node) if node is not None else []
    return Trace(
        feeder=feeder_names(place.feeder_pk),
        device=_device(held, edge) if edge is not None else None,
        protective=_device(held, above[0]) if above else None,
        path=tuple(_device(held, e) for e in path if held.edge_kind(e) not in LINES),
        energised=node is not None and held.energised(node),
        transformers=counts.transformers if counts else 0,
        customers=counts.customers if counts else 0,
        ties=tuple(_ties(held, edge)) if edge is not None else (),
    )


def _device(held: Grid, edge: int) -> Device:
    node = held.fed_node(edge)
    return Device(
        code=held.edge_code(edge),
        kind=held.edge_kind(edge),
        closed=bool(held.closed[edge]),
        energised=node is not None and held.energised(node),
        customers=held.counts_below(edge).customers,
    )


def _ties(held: Grid, edge: int) -> list[TieView]:
    return [
        TieView(held.edge_code(tie.edge), held.edge_kind(tie.edge), tie.customers)
        for tie in held.restoring_ties(edge)
    ]


def geojson(
    *,
    feeder: str = "",
    bounds: Bounds | None = None,
    limit: int = MOST_FEATURES,
) -> dict[str, Any]:
    """Return the grid as a GeoJSON FeatureCollection: lines, and devices as points.

    Properties are `code`, `kind`, `feeder` (the code of the one that feeds it now), `closed`
    and `energised`. Lines and open devices come before closed ones, high voltages before low
    ones, so that `limit` leaves out what is seen least.
    """
    rows = Edge.objects.filter(retired=False)
    if feeder:
        rows = rows.filter(feeder__code=feeder)
    if bounds is not None:
        west, south, east, north = bounds
        rows = rows.filter(
            Q(from_node__longitude__range=(west, east)),
            Q(from_node__latitude__range=(south, north)),
        )
    seen = ExpressionWrapper(Q(kind__in=LINES) | Q(is_closed=False), BooleanField())
    found = rows.order_by(seen.desc(), "-from_node__voltage_kv", "code").values_list(
        "pk",
        "code",
        "kind",
        "from_node__longitude",
        "from_node__latitude",
        "to_node__longitude",
        "to_node__latitude",
    )[:limit]
    return {"type": "FeatureCollection", "features": _features(list(found))}


def _features(
    rows: Sequence[tuple[int, str, str, float, float, float, float]],
) -> list[Any]:
    states = _states(grid(), np.array([row[0] for row in rows], np.int64))
    features = []
    for (_, code, kind, *ends), state in zip(rows, states, strict=True):
        shape: dict[str, Any] = {"type": "Point", "coordinates": ends[2:]}
        if kind in LINES:
            shape = {"type": "LineString", "coordinates": [ends[:2], ends[2:]]}
        properties = {"code": code, "kind": kind, **state}
        features.append({"type": "Feature", "geometry": shape, "properties": properties})
    return features


def _states(held: Grid, pks: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Return feeder, closed and energised (closed between live ends) of each edge.

    What was imported since the grid was read is told as open and dead.
    """
    edges, live = held.layout.edges, held.energised_nodes()
    if not len(edges.pk):
        return [{"feeder": "", "closed": False, "energised": False} for _ in pks]
    by_pk = np.argsort(edges.pk)
    places = np.minimum(np.searchsorted(edges.pk, pks, sorter=by_pk), len(by_pk) - 1)
    index = by_pk[places]
    known = edges.pk[index] == pks
    start, end = edges.start[index], edges.end[index]
    closed = held.closed[index] & known
    energised = closed & live[start] & live[end]
    child = held.tree.child[index]
    feeder = held.feeder_of_node[np.where(child >= 0, child, start)]
    names = {0: ""} | {pk: view.code for pk, view in feeders().items()}
    return [
        {"feeder": names.get(feeder_pk, ""), "closed": is_closed, "energised": is_live}
        for feeder_pk, is_closed, is_live in zip(
            feeder.tolist(), closed.tolist(), energised.tolist(), strict=True
        )
    ]
