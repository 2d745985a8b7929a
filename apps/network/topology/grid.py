"""Questions to a switched grid: what hangs below, what feeds it, what would restore it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from apps.network.rules import KINDS, PROTECTIVE
from apps.network.topology.layout import LINES, Flags, Ints, Layout
from apps.network.topology.spanning import Growth, Tree, grow


@dataclass(frozen=True, slots=True)
class Interruption:
    """What loses supply: node indexes, and how many customers (meters) they have."""

    nodes: Ints
    customers: int


@dataclass(frozen=True, slots=True)
class Downstream:
    """How much hangs below an edge, itself included."""

    transformers: int
    customers: int


@dataclass(frozen=True, slots=True)
class Tie:
    """An open switch to a live part, and how many customers its closing would restore."""

    edge: int
    customers: int


_NOBODY = Interruption(np.empty(0, np.int32), 0)


@dataclass(frozen=True, slots=True)
class Grid:
    """One state of the network, never changed: switching gives another grid.

    Nodes and edges are dense indexes. `closed` is the actual state of each edge, `openings`
    counts the open edges above each preorder position.
    """

    layout: Layout
    closed: Flags
    tree: Tree
    openings: NDArray[np.int16]

    @classmethod
    def build(cls, layout: Layout, closed: Flags | None = None) -> Self:
        """Return the grid in the given state, or in its normal one."""
        state = layout.edges.normally_closed if closed is None else closed
        tree, openings = grow(layout, state)
        return cls(layout, state, tree, openings)

    def switched(self, changes: Mapping[int, bool]) -> Self:
        """Return the grid after these edges were closed (True) or opened.

        Where no other way leads round the edge the forest is shared with this grid.
        """
        closed, openings = self.closed.copy(), self.openings.copy()
        rebuild = False
        for edge, state in changes.items():
            if closed[edge] == state:
                continue
            closed[edge] = state
            rebuild = rebuild or not self._turn(openings, edge, closed=state)
        if rebuild:
            return type(self).build(self.layout, closed)
        return type(self)(self.layout, closed, self.tree, openings)

    def _turn(self, openings: NDArray[np.int16], edge: int, *, closed: bool) -> bool:
        node = int(self.tree.child[edge])
        if node < 0:
            edges = self.layout.edges
            return bool(edges.start[edge] == edges.end[edge])
        if not self.tree.steady[node]:
            return False
        openings[self.tree.enter[node] : self.tree.leave[node]] += -1 if closed else 1
        return True

    # --- Names ------------------------------------------------------------------------

    def node_index(self, node_pk: int) -> int:
        """Return the index of a node's row. Raises KeyError where it is not in the grid."""
        pks = self.layout.node_pk
        index = int(np.searchsorted(pks, node_pk))
        if index == len(pks) or pks[index] != node_pk:
            raise KeyError(node_pk)
        return index

    def node_indexes(self, node_pks: Sequence[int]) -> NDArray[np.int64]:
        """Return the indexes of these nodes' rows, -1 for those not in the grid."""
        wanted, pks = np.array(node_pks, np.int64), self.layout.node_pk
        index = np.searchsorted(pks, wanted)
        index[index == len(pks)] = 0
        known = pks[index] == wanted if len(pks) else np.zeros(len(wanted), bool)
        return np.where(known, index, -1)

    def has_node(self, node_pk: int) -> bool:
        """Return whether a node's row is in the grid."""
        pks = self.layout.node_pk
        index = int(np.searchsorted(pks, node_pk))
        return index < len(pks) and int(pks[index]) == node_pk

    def node_pk(self, node: int) -> int:
        """Return the key of the node's row."""
        return int(self.layout.node_pk[node])

    def edge_index(self, code: str) -> int | None:
        """Return the index of the edge with this code, or None."""
        return self.layout.edges.codes.find(code)

    def edge_code(self, edge: int) -> str:
        """Return the code of the edge."""
        return self.layout.edges.codes.text(edge)

    def edge_pk(self, edge: int) -> int:
        """Return the key of the edge's row."""
        return int(self.layout.edges.pk[edge])

    def edge_kind(self, edge: int) -> str:
        """Return the kind of the edge."""
        return KINDS[int(self.layout.edges.kind[edge])]

    def is_protective(self, edge: int) -> bool:
        """Return whether the edge opens under fault."""
        return self.edge_kind(edge) in PROTECTIVE

    # --- Arrays -----------------------------------------------------------------------

    @property
    def parent(self) -> Ints:
        """Return each node's parent node, -1 for roots."""
        return self.tree.parent

    @property
    def parent_edge(self) -> Ints:
        """Return the edge that feeds each node, -1 for roots."""
        return self.tree.parent_edge

    @property
    def depth(self) -> Ints:
        """Return how many edges each node is below its root."""
        return self.tree.depth

    @property
    def enter(self) -> Ints:
        """Return the preorder position of each node."""
        return self.tree.enter

    @property
    def leave(self) -> Ints:
        """Return where the subtree of each node ends, exclusively."""
        return self.tree.leave

    @property
    def feeder_of_node(self) -> Ints:
        """Return the key of the feeder that feeds each node now, or 0.

        It is the feeder of the nearest breaker above that leads one, else what the nearest
        edge above names. So a part that a tie feeds belongs to the feeder that feeds it.
        """
        return self.tree.feeder

    @property
    def transformer_of_node(self) -> Ints:
        """Return the nearest transformer above each node, or -1."""
        return self.tree.transformer

    @property
    def protective_of_node(self) -> Ints:
        """Return the nearest protective device above each node, or -1."""
        return self.tree.protective

    # --- Questions --------------------------------------------------------------------

    def energised(self, node: int) -> bool:
        """Return whether a source feeds the node over closed edges."""
        return bool(self.openings[self.tree.enter[node]] == 0)

    def energised_nodes(self) -> Flags:
        """Return for each node whether it is energised."""
        live: Flags = self.openings == 0
        return live[self.tree.enter]

    def meters_below(self, node: int) -> int:
        """Return how many meters hang at the node or below it."""
        sums = self.tree.meters_before
        return int(sums[self.tree.leave[node]]) - int(sums[self.tree.enter[node]])

    def fed_node(self, edge: int) -> int | None:
        """Return the node that the edge feeds, or None where it is off the tree."""
        node = int(self.tree.child[edge])
        return node if node >= 0 else None

    def interrupted_by(self, edge: int) -> Interruption:
        """Return what opening the edge would interrupt: nothing where a way leads round."""
        node = int(self.tree.child[edge])
        if node < 0 or not self.tree.bridge[node] or not self.energised(node):
            return _NOBODY
        first, last = int(self.tree.enter[node]), int(self.tree.leave[node])
        nodes = self.tree.order[first:last]
        live = self.openings[first:last] == 0
        if live.all():
            return Interruption(nodes, self.meters_below(node))
        nodes = nodes[live]
        return Interruption(nodes, int(self.layout.meters[nodes].sum()))

    def downstream(self, edge: int) -> Ints:
        """Return the nodes below the edge, live or dead; none where it is off the tree."""
        node = int(self.tree.child[edge])
        if node < 0:
            return _NOBODY.nodes
        return self.tree.order[self.tree.enter[node] : self.tree.leave[node]]

    def edges_below(self, edge: int) -> Ints:
        """Return the tree edges below the edge, itself first."""
        return self.tree.parent_edge[self.downstream(edge)]

    def counts_below(self, edge: int) -> Downstream:
        """Return how many transformers (with itself) and customers hang below the edge."""
        node = int(self.tree.child[edge])
        if node < 0:
            return Downstream(0, 0)
        sums = self.tree.transformers_before
        transformers = int(sums[self.tree.leave[node]]) - int(sums[self.tree.enter[node]])
        return Downstream(transformers, self.meters_below(node))

    def path(self, node: int) -> list[int]:
        """Return the edges from the node up to its root."""
        found = []
        while (edge := int(self.tree.parent_edge[node])) >= 0:
            found.append(edge)
            node = int(self.tree.parent[node])
        return found

    def upstream_devices(self, node: int) -> list[int]:
        """Return the protective devices above the node, the nearest first."""
        found = []
        while (edge := int(self.tree.protective[node])) >= 0:
            found.append(edge)
            node = int(self.tree.parent[self.tree.child[edge]])
        return found

    def device_above(self, edge: int) -> int | None:
        """Return the protective device next above the edge, or None."""
        node = int(self.tree.child[edge])
        if node < 0:
            return None
        device = int(self.tree.protective[self.tree.parent[node]])
        return device if device >= 0 else None

    def restoring_ties(self, edge: int) -> list[Tie]:
        """Return the open switches that could feed what is dead once the edge is open.

        The one that restores most comes first; between equals the first in edge order.
        """
        node = int(self.tree.child[edge])
        if node < 0 or (self.energised(node) and not self.tree.bridge[node]):
            return []
        edges = self.layout.edges
        candidates = np.flatnonzero(~self.closed & ~np.isin(edges.kind, LINES))
        candidates = candidates[candidates != edge]
        start, end = edges.start[candidates], edges.end[candidates]
        below = self._inside(node, start)
        outer = np.where(below, end, start)
        live = self.openings[self.tree.enter[outer]] == 0
        chosen = (below != self._inside(node, end)) & live
        inner = np.where(below, start, end)[chosen]
        restored = self._restored(edge, inner)
        ties = [
            Tie(int(tie), restored[int(at)])
            for tie, at in zip(candidates[chosen], inner, strict=True)
        ]
        return sorted(ties, key=lambda tie: (-tie.customers, tie.edge))

    def _inside(self, node: int, nodes: Ints) -> Flags:
        place = self.tree.enter[nodes]
        inside: Flags = (place >= self.tree.enter[node]) & (place < self.tree.leave[node])
        return inside

    def _restored(self, edge: int, seeds: Ints) -> dict[int, int]:
        """Return for each seed the customers connected to it while this edge is open."""
        closed = self.closed.copy()
        closed[edge] = False
        found: dict[int, int] = {}
        part = np.full(len(self.layout.node_pk) if len(seeds) else 0, -1, np.int32)
        totals: list[int] = []
        for seed in np.unique(seeds):
            if part[seed] < 0:
                nodes = Growth(self.layout, closed).reach(int(seed))
                part[nodes] = len(totals)
                totals.append(int(self.layout.meters[nodes].sum()))
            found[int(seed)] = totals[part[seed]]
        return found
