"""The spanning forest of a switched grid, grown level by level on whole arrays.

Closed edges carry it from the sources. What they do not reach hangs below through edges
that are open but normally closed, with as few of those as possible on the way, so that dead
parts keep their parent. What not even those reach is an island with a root of its own and
never energised.
Where several edges could be the parent in one step, the first in edge order is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.network.topology.layout import TRANSFORMER, Flags, Ints, Layout

_SEED = 20_140_801


@dataclass(frozen=True, slots=True)
class Tree:
    """The forest. Per node unless said otherwise; -1 is none.

    `order` is the node at each preorder position; the subtree of a node is
    `order[enter:leave]`. `child` is per edge the node that it feeds. `bridge` says that
    nothing but its parent edge feeds the node's part, `steady` that opening or closing that
    edge leaves the forest as it is. `meters_before` and `transformers_before` are sums up
    to a position.
    """

    parent: Ints
    parent_edge: Ints
    depth: Ints
    enter: Ints
    leave: Ints
    order: Ints
    child: Ints
    bridge: Flags
    steady: Flags
    feeder: Ints
    transformer: Ints
    protective: Ints
    meters_before: Ints
    transformers_before: Ints


class Growth:
    """Grows the forest: parents and depths, step by step."""

    def __init__(self, layout: Layout, closed: Flags) -> None:
        count = len(layout.node_pk)
        self.layout = layout
        self.closed = closed
        self.parent: Ints = np.full(count, -1, np.int32)
        self.parent_edge: Ints = np.full(count, -1, np.int32)
        self.depth: Ints = np.full(count, -1, np.int32)

    def run(self) -> Ints:
        """Grow everything; return the roots of the islands."""
        self._plant(np.unique(self.layout.sources))
        islands = self._islands()
        if islands.size:
            self._plant(islands)
        return islands

    def reach(self, seed: int) -> Ints:
        """Return the node and what closed edges lead to from it."""
        start = np.array([seed], np.int32)
        self.depth[seed] = 0
        return np.concatenate([start, *self.spread(start)])

    def spread(self, frontier: Ints) -> Iterator[Ints]:
        """Reach what closed edges lead to; yield the nodes of each step."""
        while frontier.size:
            edge, near, far = self.layout.neighbours(frontier)
            fresh = (self.depth[far] < 0) & self.closed[edge]
            frontier = self._attach(edge[fresh], near[fresh], far[fresh])
            yield frontier

    def _plant(self, roots: Ints) -> None:
        self.depth[roots] = 0
        edges = self.layout.edges
        hanging = np.flatnonzero(edges.normally_closed & ~self.closed).astype(np.int32)
        frontier = roots
        while frontier.size:
            for _ in self.spread(frontier):
                pass
            start, end = edges.start[hanging], edges.end[hanging]
            up, down = self.depth[start] >= 0, self.depth[end] >= 0
            between = up != down
            near = np.where(up, start, end)[between]
            far = np.where(up, end, start)[between]
            frontier = self._attach(hanging[between], near, far)

    def _attach(self, edge: Ints, near: Ints, far: Ints) -> Ints:
        rank = np.lexsort((edge, far))
        sorted_far = far[rank]
        first = np.ones(len(rank), bool)
        first[1:] = sorted_far[1:] != sorted_far[:-1]
        pick = rank[first]
        nodes = far[pick]
        self.parent[nodes] = near[pick]
        self.parent_edge[nodes] = edge[pick]
        self.depth[nodes] = self.depth[near[pick]] + 1
        return nodes

    def _islands(self) -> Ints:
        """Return the lowest node of each part that no source reaches."""
        edges, lost = self.layout.edges, self.depth < 0
        usable = (self.closed | edges.normally_closed) & lost[edges.start]
        start, end = edges.start[usable], edges.end[usable]
        label = np.arange(len(lost), dtype=np.int32)
        while True:
            one, other = label[start], label[end]
            if np.array_equal(one, other):
                break
            low = np.minimum(one, other)
            np.minimum.at(label, one, low)
            np.minimum.at(label, other, low)
            while not np.array_equal(label, shorter := label[label]):
                label = shorter
        return np.flatnonzero(lost & (label == np.arange(len(lost)))).astype(np.int32)


def grow(layout: Layout, closed: Flags) -> tuple[Tree, NDArray[np.int16]]:
    """Return the forest, and for each preorder position the open edges above it.

    A root has none, that of an island one, so that nothing there counts as energised.
    """
    growth = Growth(layout, closed)
    islands = growth.run()
    levels = _levels(growth.depth)
    enter, leave = _number(growth.parent, levels)
    order = np.empty_like(enter)
    order[enter] = np.arange(len(enter), dtype=np.int32)
    openings = _openings(growth, levels, islands)
    child = np.full(len(closed), -1, np.int32)
    fed = np.flatnonzero(growth.parent >= 0).astype(np.int32)
    child[growth.parent_edge[fed]] = fed
    cuts = _Cuts(growth, enter, leave, child)
    edges = layout.edges
    above = growth.parent_edge
    protects, transforms = layout.protects(), edges.kind == TRANSFORMER
    by_breaker = _inherit(_marks(above, edges.leads, 0), growth.parent, levels)
    by_edge = _inherit(_marks(above, edges.feeder, 0), growth.parent, levels)
    tree = Tree(
        parent=growth.parent,
        parent_edge=above,
        depth=growth.depth,
        enter=enter,
        leave=leave,
        order=order,
        child=child,
        bridge=cuts.bridges(openings),
        steady=cuts.steady(),
        feeder=np.where(by_breaker > 0, by_breaker, np.maximum(by_edge, 0)).astype(
            np.int32
        ),
        transformer=_inherit(_devices(above, transforms), growth.parent, levels),
        protective=_inherit(_devices(above, protects), growth.parent, levels),
        meters_before=_sums(layout.meters[order]),
        transformers_before=_sums((above[order] >= 0) & transforms[above[order]])
        if len(closed)
        else np.zeros(len(order) + 1, np.int32),
    )
    return tree, openings[order]


def _levels(depth: Ints) -> list[Ints]:
    if not len(depth):
        return []
    by_depth = np.argsort(depth, kind="stable").astype(np.int32)
    return np.split(by_depth, np.cumsum(np.bincount(depth))[:-1])


def _number(parent: Ints, levels: list[Ints]) -> tuple[Ints, Ints]:
    """Return the half-open preorder interval of each node; siblings stand in node order."""
    size = np.ones(len(parent), np.int32)
    for nodes in reversed(levels[1:]):
        np.add.at(size, parent[nodes], size[nodes])
    enter = np.zeros(len(parent), np.int32)
    if levels:
        enter[levels[0]] = np.cumsum(size[levels[0]]) - size[levels[0]]
    for level in levels[1:]:
        nodes = level[np.argsort(enter[parent[level]], kind="stable")]
        above = enter[parent[nodes]]
        before = np.cumsum(size[nodes]) - size[nodes]
        first = np.ones(len(nodes), bool)
        first[1:] = above[1:] != above[:-1]
        base = np.maximum.accumulate(np.where(first, before, 0))
        enter[nodes] = above + 1 + before - base
    return enter, enter + size


def _openings(growth: Growth, levels: list[Ints], islands: Ints) -> NDArray[np.int16]:
    openings = np.zeros(len(growth.parent), np.int16)
    openings[islands] = 1
    for nodes in levels[1:]:
        opened = ~growth.closed[growth.parent_edge[nodes]]
        openings[nodes] = openings[growth.parent[nodes]] + opened
    return openings


def _marks(above: Ints, values: Ints, none: int) -> Ints:
    """Return the value of each node's parent edge, -1 where there is none."""
    found = np.full(len(above), -1, np.int32)
    fed = above >= 0
    found[fed] = values[above[fed]]
    found[found == none] = -1
    return found


def _devices(above: Ints, wanted: Flags) -> Ints:
    """Return each node's parent edge where it is a wanted one, else -1."""
    found = np.full(len(above), -1, np.int32)
    fed = above >= 0
    found[fed] = np.where(wanted[above[fed]], above[fed], -1)
    return found


def _inherit(marks: Ints, parent: Ints, levels: list[Ints]) -> Ints:
    """Return for each node the nearest mark at or above it, in place."""
    for nodes in levels[1:]:
        own = marks[nodes]
        marks[nodes] = np.where(own >= 0, own, marks[parent[nodes]])
    return marks


def _sums(values: NDArray[np.int32] | Flags) -> Ints:
    sums = np.zeros(len(values) + 1, np.int32)
    np.cumsum(values, out=sums[1:])
    return sums


class _Cuts:
    """Finds the tree edges that no other edge goes round.

    Each edge off the tree gets a random number, folded by exclusive or into both its ends:
    over a subtree, those with both ends inside cancel, and zero says that none leads out.
    """

    def __init__(self, growth: Growth, enter: Ints, leave: Ints, child: Ints) -> None:
        self.growth = growth
        self.enter = enter
        self.leave = leave
        self.off_tree = child < 0

    def bridges(self, openings: NDArray[np.int16]) -> Flags:
        """Return per node whether only its parent edge feeds the part below it.

        What hangs below an open edge is taken out of the parts above it, deepest first.
        """
        folded = self._folded(self.growth.closed & self.off_tree)
        if folded is None:
            return self.growth.parent >= 0
        parent, above = self.growth.parent, self.growth.parent_edge
        hung = np.flatnonzero(parent >= 0)
        hung = hung[~self.growth.closed[above[hung]]]
        for stage in np.unique(openings[hung])[::-1]:
            nodes = hung[openings[hung] == stage]
            below = self._over_subtrees(folded)[nodes]
            np.bitwise_xor.at(folded, self.enter[parent[nodes]], below)
        alone: Flags = (self._over_subtrees(folded) == 0) & (parent >= 0)
        return alone

    def steady(self) -> Flags:
        """Return per node whether its parent edge may turn without a new forest."""
        normally_closed = self.growth.layout.edges.normally_closed
        folded = self._folded((self.growth.closed | normally_closed) & self.off_tree)
        alone = self.growth.parent >= 0
        alone[alone] = normally_closed[self.growth.parent_edge[alone]]
        return alone if folded is None else alone & (self._over_subtrees(folded) == 0)

    def _folded(self, chosen: Flags) -> NDArray[np.uint64] | None:
        edges = np.flatnonzero(chosen)
        if not edges.size:
            return None
        tags = np.random.default_rng(_SEED).integers(
            1, np.iinfo(np.uint64).max, len(edges), np.uint64, endpoint=True
        )
        folded = np.zeros(len(self.enter), np.uint64)
        ends = self.growth.layout.edges
        np.bitwise_xor.at(folded, self.enter[ends.start[edges]], tags)
        np.bitwise_xor.at(folded, self.enter[ends.end[edges]], tags)
        return folded

    def _over_subtrees(self, folded: NDArray[np.uint64]) -> NDArray[np.uint64]:
        sums = np.zeros(len(folded) + 1, np.uint64)
        np.bitwise_xor.accumulate(folded, out=sums[1:])
        return sums[self.leave] ^ sums[self.enter]
