"""The one-line schematic of a feeder as it is switched now, in names that people use."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.network.selectors.registry import FeederView, feeders
from apps.network.selectors.snapshot import grid
from apps.network.topology import Grid, Symbol, schematic

JUNCTION = "junction"


@dataclass(frozen=True, slots=True)
class DrawnSymbol:
    """A symbol of the schematic.

    `kind` is that of the device, or `junction`; of a tie `other` names the feeder beyond.
    `above` is the position of the symbol above in the list, -1 for the first. `customers` hang
    below it, `hidden` of them below what is not drawn.
    """

    code: str
    kind: str
    closed: bool
    energised: bool
    customers: int
    lines: int
    column: int
    row: int
    above: int
    hidden: int
    is_tie: bool
    other: FeederView | None


@dataclass(frozen=True, slots=True)
class FeederSchematic:
    """A feeder's symbols, those above before those below, and the size of the drawing."""

    feeder: FeederView
    energised: bool
    symbols: Sequence[DrawnSymbol]
    columns: int
    rows: int


def feeder_schematic(code: str) -> FeederSchematic | None:
    """Return the schematic of the feeder with this code; None where none is or it has no device."""
    held = grid()
    named = feeders()
    feeder = next((one for one in named.values() if one.code == code), None)
    edge = held.edge_index(feeder.breaker) if feeder is not None else None
    found = schematic(held, edge) if edge is not None else None
    if feeder is None or found is None:
        return None
    place: dict[int, int] = {}
    symbols: list[DrawnSymbol] = []
    for symbol, above in found.root.walk():
        place[id(symbol)] = len(symbols)
        at = place[id(above)] if above is not None else -1
        symbols.append(_drawn(held, symbol, at, named))
    head = held.tree.parent[found.root.node]
    return FeederSchematic(
        feeder, held.energised(int(head)), symbols, found.columns, found.rows
    )


def _drawn(
    held: Grid, symbol: Symbol, above: int, named: dict[int, FeederView]
) -> DrawnSymbol:
    is_device = symbol.edge >= 0
    return DrawnSymbol(
        code=held.edge_code(symbol.edge) if is_device else "",
        kind=held.edge_kind(symbol.edge) if is_device else JUNCTION,
        closed=not is_device or bool(held.closed[symbol.edge]),
        energised=held.energised(symbol.node),
        customers=0 if symbol.is_tie else held.meters_below(symbol.node),
        lines=symbol.lines,
        column=symbol.column,
        row=symbol.row,
        above=above,
        hidden=symbol.hidden,
        is_tie=symbol.is_tie,
        other=_beyond(held, symbol, named) if symbol.is_tie else None,
    )


def _beyond(held: Grid, symbol: Symbol, named: dict[int, FeederView]) -> FeederView | None:
    """Return the feeder at the other end of a tie."""
    edges = held.layout.edges
    start, end = int(edges.start[symbol.edge]), int(edges.end[symbol.edge])
    beyond = end if start == symbol.node else start
    return named.get(int(held.feeder_of_node[beyond]))
