"""What a grid is made of, without its switch state: nodes, edges and who hangs where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from apps.network.rules import KIND_NUMBERS, KINDS, PROTECTIVE, EdgeKind
from apps.network.topology.codes import CodeTable

Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]

_PROTECTS = np.array([kind in PROTECTIVE for kind in KINDS])
TRANSFORMER = KIND_NUMBERS[EdgeKind.TRANSFORMER]
LINES = (KIND_NUMBERS[EdgeKind.LINE], KIND_NUMBERS[EdgeKind.CABLE])


@dataclass(frozen=True, slots=True)
class Edges:
    """Columns of the edges, in the order that decides ties. Ends are node indexes.

    `feeder` is the feeder's key or 0, `leads` that of the feeder whose breaker it is or 0.
    """

    codes: CodeTable
    pk: NDArray[np.int64]
    start: Ints
    end: Ints
    kind: NDArray[np.uint8]
    normally_closed: Flags
    feeder: Ints
    leads: Ints


@dataclass(frozen=True, slots=True)
class Layout:
    """The immutable part of a grid.

    `node_pk` is ascending; `meters` counts the meters at each node; `around[starts[n] :
    starts[n + 1]]` are the edges at node `n`, ascending.
    """

    node_pk: NDArray[np.int64]
    meters: Ints
    sources: Ints
    edges: Edges
    starts: Ints
    around: Ints

    @classmethod
    def of(
        cls, *, node_pk: NDArray[np.int64], meters: Ints, sources: Ints, edges: Edges
    ) -> Self:
        """Return the layout with its adjacency. Raises ValueError if an end is no node."""
        count = len(node_pk)
        ends = np.concatenate([edges.start, edges.end])
        if len(ends) and (ends.min() < 0 or ends.max() >= count):
            raise ValueError("an edge ends at a node that is not there")
        starts = np.zeros(count + 1, np.int32)
        np.cumsum(np.bincount(ends, minlength=count), out=starts[1:])
        around = (np.argsort(ends, kind="stable") % max(len(edges.start), 1)).astype(
            np.int32
        )
        return cls(node_pk, meters, sources, edges, starts, around)

    @classmethod
    def simple(
        cls,
        *,
        nodes: int,
        edges: Sequence[tuple[int, int, str]],
        sources: ArrayLike,
        meters: Mapping[int, int] | None = None,
        open_edges: Sequence[int] = (),
        feeders: Mapping[int, int] | None = None,
    ) -> Self:
        """Return a small layout written by hand.

        Node keys are indexes, edge codes `e0`, `e1` and so on.
        `open_edges` are those that are normally open, `feeders` maps a breaker to a feeder.
        """
        count = len(edges)
        ends = np.array([(a, b) for a, b, _ in edges], np.int32).reshape(count, 2)
        normally_closed = np.ones(count, bool)
        normally_closed[list(open_edges)] = False
        leads = np.zeros(count, np.int32)
        for edge, feeder in (feeders or {}).items():
            leads[edge] = feeder
        at_node = np.zeros(nodes, np.int32)
        for node, number in (meters or {}).items():
            at_node[node] = number
        return cls.of(
            node_pk=np.arange(nodes, dtype=np.int64),
            meters=at_node,
            sources=np.asarray(sources, np.int32),
            edges=Edges(
                codes=CodeTable.of(f"e{number}" for number in range(count)),
                pk=np.arange(count, dtype=np.int64),
                start=ends[:, 0].copy(),
                end=ends[:, 1].copy(),
                kind=np.array([KIND_NUMBERS[kind] for _, _, kind in edges], np.uint8),
                normally_closed=normally_closed,
                feeder=np.zeros(count, np.int32),
                leads=leads,
            ),
        )

    def protects(self) -> Flags:
        """Return for each edge whether it opens under fault."""
        return _PROTECTS[self.edges.kind]

    def neighbours(self, nodes: Ints) -> tuple[Ints, Ints, Ints]:
        """Return (edge, near node, far node) for all edges at the nodes, one row per end.

        A self loop has two rows. Rows keep the order of the nodes, then of the edges.
        """
        first = self.starts[nodes]
        counts = self.starts[nodes + 1] - first
        total = int(counts.sum())
        shift = np.repeat(first - (np.cumsum(counts) - counts), counts)
        edge = self.around[np.arange(total) + shift]
        near = np.repeat(nodes, counts).astype(np.int32)
        far = self.edges.start[edge] + self.edges.end[edge] - near
        return edge, near, far.astype(np.int32)
