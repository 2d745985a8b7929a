"""Who is fed by a feeder: its meters in the order of the tree."""

from bisect import bisect_left
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import psycopg
from django.db import connection

from apps.network.selectors.snapshot import snapshot
from apps.network.topology import Grid


@dataclass(frozen=True, slots=True)
class Supplied:
    """The meters of a feeder in the order of the tree; all columns go together.

    `positions` ascend; `critical_before` counts the critical customers up to a meter, `places`
    says where the meter with a code stands in the columns.
    """

    positions: tuple[int, ...]
    numbers: tuple[int, ...]
    codes: tuple[str, ...]
    critical_before: tuple[int, ...]
    places: Mapping[str, int]

    def between(self, first: int, last: int) -> tuple[int, int]:
        """Return the range of the meters at the tree's positions [first, last)."""
        return bisect_left(self.positions, first), bisect_left(self.positions, last)

    def has_critical(self, first: int, last: int) -> bool:
        """Return whether a critical customer is among the meters [first, last)."""
        return self.critical_before[last] > self.critical_before[first]


Row = tuple[int, int, str, bool]
_METERS = (
    "SELECT m.node_id, m.id, m.code, coalesce(c.critical, false) FROM network_meter m "
    "LEFT JOIN network_customer c ON c.id = m.customer_id WHERE NOT m.retired AND "
)


def supplied_by(feeder_pk: int, *, only: Collection[str] | None = None) -> Supplied:
    """Return the live meters that the feeder feeds in the tree of this moment.

    Where `only` names the codes of those that are asked for, the others may be missing.
    """
    held = snapshot()
    known = held.remembered.supplied.get(feeder_pk)
    if known is None and only is not None:
        return _few(held.grid, feeder_pk, only)
    if known is None:
        known = held.remembered.supplied[feeder_pk] = _all(held.grid, feeder_pk)
    return known


def _all(held: Grid, feeder_pk: int) -> Supplied:
    nodes = np.flatnonzero(held.feeder_of_node == feeder_pk)
    place = dict(
        zip(held.layout.node_pk[nodes].tolist(), held.enter[nodes].tolist(), strict=True)
    )
    found = _rows("m.node_id = ANY(%s)", list(place))
    return _in_order([(place[node], pk, code, crit) for node, pk, code, crit in found])


def _few(held: Grid, feeder_pk: int, codes: Collection[str]) -> Supplied:
    found = []
    for node_pk, pk, code, critical in _rows("m.code = ANY(%s)", sorted(codes)):
        node = held.node_index(node_pk) if held.has_node(node_pk) else -1
        if node >= 0 and held.feeder_of_node[node] == feeder_pk:
            found.append((int(held.enter[node]), pk, code, critical))
    return _in_order(found)


def _rows(which: str, values: list[int] | list[str]) -> list[Row]:
    connection.ensure_connection()
    # Directly, for the binary form: a feeder has thousands of meters.
    cursor = psycopg.Cursor(connection.connection)
    return cursor.execute(_METERS + which, [values], binary=True).fetchall()


def _in_order(rows: list[Row]) -> Supplied:
    """Return the meters in the order of their positions, which come first in their rows."""
    found = sorted(rows)
    before = [0]
    for row in found:
        before.append(before[-1] + row[3])
    return Supplied(
        tuple(row[0] for row in found),
        tuple(row[1] for row in found),
        tuple(row[2] for row in found),
        tuple(before),
        {row[2]: place for place, row in enumerate(found)},
    )
