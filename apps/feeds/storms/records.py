"""A world from a network file in memory, and who is meant by an event: without a database."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.feeds.storms.world import Meter, World
from apps.network.rules import KIND_NUMBERS
from apps.network.topology import CodeTable, Edges, Grid, Layout

Document = Mapping[str, Any]


def world_of(document: Document) -> World:
    """Return the world that a network file describes, in its normal state.

    A node's index is its position in the file, its key too; edges are sorted by code; a
    feeder's number is its position in the file, from 1.
    """
    nodes = {node["id"]: at for at, node in enumerate(document["nodes"])}
    meters = document["meters"]
    at_node = np.zeros(len(nodes), np.int32)
    np.add.at(at_node, [nodes[meter["node"]] for meter in meters], 1)
    layout = Layout.of(
        node_pk=np.arange(len(nodes), dtype=np.int64),
        meters=at_node,
        sources=np.array([nodes[code] for code in document["sources"]], np.int32),
        edges=_edges(document, nodes),
    )
    customers = {row["id"]: row for row in document["customers"]}
    found = [
        Meter(
            meter["id"],
            nodes[meter["node"]],
            meter.get("customer") or "",
            customers.get(meter.get("customer"), {}).get("phone", ""),
            meter.get("onu") or "",
        )
        for meter in sorted(meters, key=lambda row: str(row["id"]))
    ]
    places = np.array(
        [(node["latitude"], node["longitude"]) for node in document["nodes"]], np.float64
    )
    watched = (feeder["breaker"] for feeder in document["feeders"])
    return World(Grid.build(layout), found, watched, places.reshape(len(nodes), 2))


def _edges(document: Document, nodes: Mapping[str, int]) -> Edges:
    rows = sorted(document["edges"], key=lambda row: str(row["id"]))
    feeders = {row["id"]: at for at, row in enumerate(document["feeders"], start=1)}
    leads = {row["breaker"]: feeders[row["id"]] for row in document["feeders"]}

    def ints(values: Sequence[int]) -> NDArray[np.int32]:
        return np.array(values, np.int32)

    return Edges(
        codes=CodeTable.of(row["id"] for row in rows),
        pk=np.arange(len(rows), dtype=np.int64),
        start=ints([nodes[row["from"]] for row in rows]),
        end=ints([nodes[row["to"]] for row in rows]),
        kind=np.array([KIND_NUMBERS[row["kind"]] for row in rows], np.uint8),
        normally_closed=np.array([row.get("closed", True) for row in rows], np.bool_),
        feeder=ints([feeders.get(row.get("feeder") or "", 0) for row in rows]),
        leads=ints([leads.get(row["id"], 0) for row in rows]),
    )


class Directory:
    """Finds whom an event is about, as the records have it."""

    def __init__(self, records: World) -> None:
        self.records = records
        self._by_onu = {m.onu: n for n, m in enumerate(records.meters) if m.onu}
        self._by_phone = {m.phone: n for n, m in enumerate(records.meters) if m.phone}
        self._by_customer = {
            m.customer: n for n, m in enumerate(records.meters) if m.customer
        }

    def meter(self, event: Mapping[str, Any]) -> int | None:
        """Return the number of the meter that the event names, or None."""
        if (code := event.get("meter_id")) is not None:
            return self.records.number(code)
        for key, table in (
            ("onu_id", self._by_onu),
            ("customer_id", self._by_customer),
            ("phone", self._by_phone),
        ):
            if (code := event.get(key)) is not None:
                return table.get(code)
        return None

    def node(self, event: Mapping[str, Any]) -> int | None:
        """Return the node at which the records have that meter, or None."""
        number = self.meter(event)
        return None if number is None else self.records.meters[number].node

    def edge(self, event: Mapping[str, Any]) -> int | None:
        """Return the edge that the event names as its device, or None."""
        code = event.get("device_id")
        return None if code is None else self.records.grid.edge_index(code)
