"""Judge a part of the network again: which devices explain its trouble reports.

Works bottom-up on what the immediate match has opened: outages that a fixed device above them
explains are absorbed by it; outages whose reports fill enough of the subtree of a common
protective device become one outage there. Confirmed devices and those that SCADA named never
move. Deterministic: the same standings give the same moves, in whatever order they come.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from apps.outages.correlation.matching import CLOCK_TOLERANCE
from apps.outages.rules import PlaceKind, Source, Status

if TYPE_CHECKING:
    from apps.network.topology import Grid

FILLED = 0.3
BRANCHES = 2


@dataclass(frozen=True, slots=True)
class MeterState:
    """What was last heard of one meter of an outage."""

    node: int
    lost_at: datetime | None
    back_at: datetime | None

    @property
    def is_back(self) -> bool:
        """Return whether the meter has reported power after its loss."""
        if self.back_at is None:
            return False
        return self.lost_at is None or self.back_at >= self.lost_at


@dataclass(frozen=True, slots=True)
class Standing:
    """An open outage with its evidence. `node` and `edge` are positions in the grid."""

    id: UUID
    status: str
    place_kind: str
    node: int
    edge: int
    is_planned: bool
    sources: frozenset[str]
    first_detected_at: datetime
    meters: Mapping[int, MeterState]

    @property
    def is_fixed(self) -> bool:
        """Return whether its device is known and not inferred."""
        named = self.place_kind == PlaceKind.DEVICE and Source.SCADA in self.sources
        return self.status != Status.DETECTED or self.is_planned or named

    @property
    def order(self) -> tuple[datetime, int]:
        """Return the key by which the oldest outage keeps its identity."""
        return self.first_detected_at, self.id.int


@dataclass(frozen=True, slots=True)
class Merge:
    """`keeper` takes over `absorbed`, and stands at `edge` from now on (-1: where it stood)."""

    keeper: UUID
    absorbed: tuple[UUID, ...]
    edge: int
    why: str


def infer(grid: "Grid", standings: Sequence[Standing], window: timedelta) -> list[Merge]:
    """Return what should be merged where. Nobody is named twice as absorbed."""
    ordered = sorted(standings, key=lambda s: s.order)
    merges, left = _absorb(grid, ordered)
    return merges + _roll_up(grid, left, window)


def _absorb(
    grid: "Grid", ordered: Sequence[Standing]
) -> tuple[list[Merge], list[Standing]]:
    anchors = [s for s in ordered if s.is_fixed and s.node >= 0 and _is_device(s)]
    taken: dict[UUID, list[Standing]] = {}
    left = []
    for standing in ordered:
        if standing.is_fixed or standing.node < 0:
            continue
        above = [a for a in anchors if _covers(grid, a.node, standing.node)]
        above = [a for a in above if standing.first_detected_at >= _start(a)]
        if above:
            nearest = max(above, key=lambda a: (int(grid.depth[a.node]), -a.id.int))
            taken.setdefault(nearest.id, []).append(standing)
        else:
            left.append(standing)
    merges = [
        Merge(keeper, tuple(s.id for s in found), -1, "behind an open device")
        for keeper, found in taken.items()
    ]
    return merges, left


def _roll_up(grid: "Grid", left: Sequence[Standing], window: timedelta) -> list[Merge]:
    """Merge under common devices, the most upstream that the reports fill enough first."""
    below: dict[int, list[Standing]] = {}
    for standing in left:
        for edge in _devices_at_or_above(grid, standing):
            below.setdefault(edge, []).append(standing)
    shared = [edge for edge, found in below.items() if len(found) > 1]
    shared.sort(key=lambda edge: (-_size(grid, edge), grid.edge_code(edge)))
    merges: list[Merge] = []
    gone: set[UUID] = set()
    for edge in shared:
        for group in _groups([s for s in below[edge] if s.id not in gone], window):
            if len(group) > 1 and _is_filled(grid, edge, group):
                keeper, *absorbed = group
                gone.update(s.id for s in group)
                why = f"{len(group)} outages below it at about one time"
                merges.append(Merge(keeper.id, tuple(s.id for s in absorbed), edge, why))
    return merges


def _is_filled(grid: "Grid", edge: int, group: Sequence[Standing]) -> bool:
    node = grid.fed_node(edge)
    if node is None:
        return False
    states = {number: m for s in group for number, m in s.meters.items()}
    dark = sum(1 for m in states.values() if not m.is_back)
    branches = {_branch(grid, edge, s) for s in group}
    enough = dark >= FILLED * max(1, grid.meters_below(node))
    return enough and dark == len(states) and len(branches) >= BRANCHES


def _branch(grid: "Grid", edge: int, standing: Standing) -> int:
    """Return the device next below `edge` on the way to the outage."""
    devices = _devices_at_or_above(grid, standing)
    position = devices.index(edge)
    return devices[position - 1] if position else -1 - standing.node


def _groups(found: Sequence[Standing], window: timedelta) -> list[list[Standing]]:
    groups: list[list[Standing]] = []
    for standing in sorted(found, key=lambda s: s.order):
        last = groups[-1][-1].first_detected_at if groups else None
        if last is None or standing.first_detected_at > last + window:
            groups.append([])
        groups[-1].append(standing)
    return groups


def _devices_at_or_above(grid: "Grid", standing: Standing) -> list[int]:
    """Return the protective devices from the outage up to the source, nearest first."""
    return grid.upstream_devices(standing.node)


def _size(grid: "Grid", edge: int) -> int:
    node = grid.fed_node(edge)
    return 0 if node is None else grid.meters_below(node)


def _is_device(standing: Standing) -> bool:
    return standing.place_kind == PlaceKind.DEVICE


def _covers(grid: "Grid", above: int, node: int) -> bool:
    return bool(grid.enter[above] <= grid.enter[node] < grid.leave[above])


def _start(anchor: Standing) -> datetime:
    return anchor.first_detected_at - CLOCK_TOLERANCE
