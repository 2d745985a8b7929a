"""The devices of one feeder that may be open, and how many meters hang below each."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from apps.network.topology import Grid

REMEMBERED = 50_000
"""Nodes whose ways are remembered at most."""


@dataclass(slots=True)
class Devices:
    """Ways from nodes up to the head of their feeder, found once and remembered."""

    grid: "Grid"
    _chains: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _chains_of_devices: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _paths: dict[int, list[int]] = field(default_factory=dict)
    _sizes: dict[int, int] = field(default_factory=dict)
    _spans: dict[int, tuple[int, int]] = field(default_factory=dict)
    _intervals: dict[int, tuple[int, int]] = field(default_factory=dict)
    _ranks: dict[int, tuple[int, str]] = field(default_factory=dict)
    _below: dict[int, list[int]] | None = None
    _meters: dict[int, int] | None = None

    def meters_of(self, feeder: int) -> int:
        """Return how many meters the feeder with this number feeds."""
        if self._meters is None:
            numbers, place = np.unique(self.grid.feeder_of_node, return_inverse=True)
            counts = np.bincount(place, weights=self.grid.layout.meters)
            self._meters = dict(
                zip(numbers.tolist(), map(int, counts.tolist()), strict=True)
            )
        return self._meters.get(feeder, 0)

    def above(self, node: int) -> tuple[int, ...]:
        """Return the protective devices above the node, the nearest first.

        The last is the breaker that leads the feeder, where there is one. None for -1.
        Nodes with the same nearest device share one tuple.
        """
        found = self._chains.get(node)
        if found is None:
            found = self._chains[node] = self._chain(node)
        return found

    def _chain(self, node: int) -> tuple[int, ...]:
        nearest = int(self.grid.protective_of_node[node]) if node >= 0 else -1
        if nearest < 0:
            return ()
        found = self._chains_of_devices.get(nearest)
        if found is None:
            found = self._chains_of_devices[nearest] = self._walk(node)
        return found

    def path(self, node: int) -> list[int]:
        """Return all edges from the node up to its root; none for -1."""
        if node < 0:
            return []
        found = self._paths.get(node)
        if found is None:
            found = self._paths[node] = self.grid.path(node)
        return found

    def fed(self, edge: int) -> int:
        """Return the node that the edge feeds, or -1 where it is off the tree or none."""
        node = self.grid.fed_node(edge) if edge >= 0 else None
        return -1 if node is None else node

    def _walk(self, node: int) -> tuple[int, ...]:
        leads, chain = self.grid.layout.edges.leads, []
        for edge in self.grid.upstream_devices(node):
            chain.append(edge)
            if leads[edge]:
                break
        return tuple(chain)

    def size(self, edge: int) -> int:
        """Return how many meters hang below the device."""
        found = self._sizes.get(edge)
        if found is None:
            node = self.fed(edge)
            found = self._sizes[edge] = self.grid.meters_below(node) if node >= 0 else 0
        return found

    def children(self, edge: int) -> list[int]:
        """Return the protective devices next below the device."""
        if self._below is None:
            self._below = self._all_below()
        return self._below.get(edge, [])

    def _all_below(self) -> dict[int, list[int]]:
        grid = self.grid
        edges = np.flatnonzero(grid.layout.protects() & (grid.tree.child >= 0))
        parents = grid.tree.parent[grid.tree.child[edges]]
        above = np.where(parents >= 0, grid.tree.protective[parents], -1)
        found: dict[int, list[int]] = {}
        for edge, upper in zip(edges.tolist(), above.tolist(), strict=True):
            if upper >= 0:
                found.setdefault(upper, []).append(edge)
        return found

    def blows(self, edge: int) -> bool:
        """Return whether nobody watches the device: a fuse, or a transformer with its own."""
        return self.grid.edge_kind(edge) in ("fuse", "transformer")

    def count(self, nodes: Iterable[int]) -> Counter[int]:
        """Return how many of these nodes, each as often as it comes, are below each device."""
        found = Counter[int]()
        for chain, number in Counter([self.above(node) for node in nodes]).items():
            for edge in chain:
                found[edge] += number
        return found

    def span(self, edge: int) -> tuple[int, int]:
        """Return the positions [first, last) of what the device feeds."""
        found = self._spans.get(edge)
        if found is None:
            found = self._spans[edge] = self.below(self.fed(edge))
        return found

    def below(self, node: int) -> tuple[int, int]:
        """Return the positions [first, last) of the node and all below it; none for -1."""
        found = self._intervals.get(node)
        if found is None:
            found = self._intervals[node] = self._interval(node)
        return found

    def _interval(self, node: int) -> tuple[int, int]:
        if node < 0:
            return 0, 0
        return int(self.grid.enter[node]), int(self.grid.leave[node])

    def meters_between(self, first: int, last: int) -> int:
        """Return how many meters hang at these positions, [first, last)."""
        sums = self.grid.tree.meters_before
        return int(sums[last]) - int(sums[first])

    def position(self, node: int) -> int:
        """Return the position of the node in the order of the tree; -1 for none."""
        return self.below(node)[0] if node >= 0 else -1

    def rank(self, edge: int) -> tuple[int, str]:
        """Return a key that orders devices the same in every process: deepest first."""
        found = self._ranks.get(edge)
        if found is None:
            node = self.fed(edge)
            depth = int(self.grid.depth[node]) if node >= 0 else -1
            found = self._ranks[edge] = (-depth, self.grid.edge_code(edge))
        return found

    def known(self, edges: Sequence[int]) -> list[int]:
        """Return the devices in that order."""
        return sorted(edges, key=self.rank)

    def is_full(self) -> bool:
        """Return whether so much is remembered that one should begin anew."""
        return len(self._chains) + len(self._paths) > REMEMBERED


_held: Devices | None = None


def devices_of(grid: "Grid") -> Devices:
    """Return the ways through the grid's tree, those found before where it is the same."""
    global _held
    held = _held
    if held is None or held.grid.tree is not grid.tree or held.is_full():
        held = _held = Devices(grid)
    return held
