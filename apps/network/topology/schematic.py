"""A feeder as a one-line schematic: which symbols stand where, computed from the grid alone.

Positions are whole columns from the source on and whole rows from the main line down. Lines
between two symbols are contracted to one; what hangs below a transformer is counted, not drawn.
No connection crosses another: laterals are laid from the end of the main line backwards, each
below all that was laid further out.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from apps.network.topology.grid import Grid
from apps.network.topology.layout import LINES, TRANSFORMER, Ints

MOST_SYMBOLS = 400


@dataclass(slots=True)
class Symbol:
    """A device, a tie to elsewhere, or a place where lines part.

    `edge` is the device's edge, -1 where lines part; `lines` of them lead here from the symbol
    above. `hidden` customers hang below what was not drawn any more.
    """

    edge: int
    node: int
    lines: int
    is_tie: bool = False
    column: int = 0
    row: int = 0
    hidden: int = 0
    below: "list[Symbol]" = field(default_factory=list)

    def walk(self) -> "Iterator[tuple[Symbol, Symbol | None]]":
        """Yield every symbol with the one above it, each before those below."""
        waiting: list[tuple[Symbol, Symbol | None]] = [(self, None)]
        while waiting:
            symbol, above = waiting.pop()
            yield symbol, above
            waiting.extend((one, symbol) for one in reversed(symbol.below))


@dataclass(frozen=True, slots=True)
class Schematic:
    """The symbols from the feeder's own device on, and how many columns and rows they take."""

    root: Symbol
    columns: int
    rows: int


def schematic(grid: Grid, edge: int, most: int = MOST_SYMBOLS) -> Schematic | None:
    """Return the schematic of what hangs below the edge; None where it is off the tree.

    No more than `most` symbols are drawn: those with more customers below come first.
    """
    node = grid.fed_node(edge)
    if node is None:
        return None
    root = _Drawing(grid, node, most).drawn(edge, node)
    _place(root)
    placed = [symbol for symbol, _ in root.walk()]
    columns = 1 + max(symbol.column for symbol in placed)
    return Schematic(root, columns, 1 + max(symbol.row for symbol in placed))


class _Drawing:
    """The symbols of one part of the grid, the most important first."""

    def __init__(self, grid: Grid, node: int, most: int) -> None:
        self.grid = grid
        self.left = most
        nodes = grid.tree.order[grid.enter[node] : grid.leave[node]]
        self.children: dict[int, list[int]] = defaultdict(list)
        for child, parent in zip(nodes.tolist(), grid.parent[nodes].tolist(), strict=True):
            self.children[parent].append(child)
        self.ties = self._ties(nodes)

    def _ties(self, nodes: Ints) -> dict[int, list[int]]:
        """Return the switches off the tree by the node inside at which they stand."""
        edges = self.grid.layout.edges
        off = np.flatnonzero((self.grid.tree.child < 0) & ~np.isin(edges.kind, LINES))
        inside = np.zeros(len(self.grid.layout.node_pk), bool)
        inside[nodes] = True
        found: dict[int, list[int]] = defaultdict(list)
        for end in (edges.start, edges.end):
            for edge in off[inside[end[off]]].tolist():
                found[int(end[edge])].append(edge)
        return found

    def drawn(self, edge: int, node: int) -> Symbol:
        """Return the symbol of the edge with all below it, nearest to the source first."""
        root = Symbol(edge, node, 0)
        level = [root]
        while level:
            coming = []
            for symbol in level:
                coming += self._below(symbol)
            level = sorted(coming, key=lambda one: -self.grid.meters_below(one.node))
        return root

    def _below(self, symbol: Symbol) -> list[Symbol]:
        """Draw what is next below a symbol; return what may have more below itself."""
        if symbol.is_tie or self._is_transformer(symbol.edge):
            return []
        found = [self._next(child) for child in self.children.get(symbol.node, ())]
        found.sort(key=lambda one: (-self.grid.meters_below(one.node), one.node))
        ties = [
            Symbol(edge, symbol.node, 0, is_tie=True)
            for edge in self.ties.get(symbol.node, ())
        ]
        for one in (*found, *ties):
            if self.left > 0:
                self.left -= 1
                symbol.below.append(one)
            elif not one.is_tie:
                symbol.hidden += self.grid.meters_below(one.node)
        return [one for one in symbol.below if not one.is_tie]

    def _next(self, node: int) -> Symbol:
        """Return the next symbol on the way down to the node and beyond."""
        lines = 0
        while self._is_line(edge := int(self.grid.parent_edge[node])):
            lines += 1
            onward = self.children.get(node, ())
            if len(onward) != 1 or self.ties.get(node):
                return Symbol(-1, node, lines)
            node = onward[0]
        return Symbol(edge, node, lines)

    def _is_line(self, edge: int) -> bool:
        return int(self.grid.layout.edges.kind[edge]) in LINES

    def _is_transformer(self, edge: int) -> bool:
        return edge >= 0 and int(self.grid.layout.edges.kind[edge]) == TRANSFORMER


def _place(root: Symbol) -> None:
    """Give every symbol its column and row; `lowest` is the last row used in each column."""
    depths = _depths(root)
    lowest = [-1] * (1 + max(depths.values()))
    waiting = [(root, 0)]
    while waiting:
        head, column = waiting.pop()
        reach = depths[id(head)]
        row = max(lowest[column : reach + 1]) + 1
        laterals = _lay(head, column, row)
        for at in range(column, _end(head, column) + 1):
            lowest[at] = row
        waiting += laterals


def _lay(head: Symbol, column: int, row: int) -> list[tuple[Symbol, int]]:
    """Lay a line of symbols; return the laterals, those nearest to the source first."""
    laterals: list[tuple[Symbol, int]] = []
    symbol: Symbol | None = head
    while symbol is not None:
        symbol.column, symbol.row = column, row
        column += 1
        laterals += [(one, column) for one in symbol.below[1:]]
        symbol = symbol.below[0] if symbol.below else None
    return laterals


def _end(head: Symbol, column: int) -> int:
    while head.below:
        head, column = head.below[0], column + 1
    return column


def _depths(root: Symbol) -> dict[int, int]:
    """Return for each symbol the last column that anything below it takes."""
    order = [(symbol, above) for symbol, above in root.walk()]
    column = {id(root): 0}
    for symbol, above in order[1:]:
        column[id(symbol)] = column[id(above)] + 1
    last = dict(column)
    for symbol, above in reversed(order[1:]):
        last[id(above)] = max(last[id(above)], last[id(symbol)])
    return last
