"""The grid that this process holds, refreshed when the version row moved."""

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from django.db import connection
from django.db.models import F
from psycopg.pq import PipelineStatus

from apps.network.models import Edge, NetworkVersion
from apps.network.selectors import compiling
from apps.network.topology import Grid, Tree

if TYPE_CHECKING:
    from apps.network.selectors.places import Place, PlaceRef
    from apps.network.selectors.registry import FeederView
    from apps.network.selectors.supply import Supplied

CHECK_SECONDS = 0.2
TRIES = 3


@dataclass(slots=True)
class Remembered:
    """What was looked up while the network had one structure; `places` while it had one tree."""

    tree: Tree
    places: "dict[PlaceRef, Place | None]" = field(default_factory=dict)
    feeders: "dict[int, FeederView]" = field(default_factory=dict)
    supplied: "dict[int, Supplied]" = field(default_factory=dict)
    has_all_meters: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A grid and the version it stands for."""

    stamp: str
    state: int
    grid: Grid
    remembered: Remembered


class _Holder:
    """Keeps the snapshot of the process. Reading takes no lock while it is fresh."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.held: Snapshot | None = None
        self.checked = 0.0

    def current(self, *, fresh: bool) -> Snapshot:
        held = self.held
        if held and not fresh:
            young = time.monotonic() - self.checked < CHECK_SECONDS
            if young or _is_piped():
                return held
        # Whoever comes while another thread refreshes goes on with what there is.
        if not self.lock.acquire(blocking=fresh or held is None):
            return held if held is not None else self.current(fresh=True)
        try:
            self.held = _refreshed(self.held)
            self.checked = time.monotonic()
            return self.held
        finally:
            self.lock.release()

    def look_again(self) -> None:
        self.checked = 0.0


def _is_piped() -> bool:
    """Return whether answers wait in a pipeline: no network is read in the middle of one."""
    held = connection.connection
    return held is not None and held.info.pipeline_status != PipelineStatus.OFF


_holder = _Holder()


def grid(*, fresh: bool = False) -> Grid:
    """Return the grid in its actual state; at most 0.2 s old, or as of now if `fresh`."""
    return _holder.current(fresh=fresh).grid


def snapshot(*, fresh: bool = False) -> Snapshot:
    """Return the grid with its version and what was looked up for it."""
    return _holder.current(fresh=fresh)


def look_again() -> None:
    """Make the next reading in this process check the version, because it just moved."""
    _holder.look_again()


def _refreshed(held: Snapshot | None) -> Snapshot:
    stamp, state = _version()
    if held is not None and held.stamp == stamp:
        return held if held.state == state else _switched(held, state)
    for _ in range(TRIES):
        kept = compiling.load(stamp) if stamp else None
        found = compiling.compile_grid() if kept is None else kept
        before, (stamp, state) = stamp, _version()
        if stamp == before:
            break
    if stamp and kept is None:
        compiling.save(stamp, found)
        found = compiling.load(stamp) or found
    return _switched(Snapshot(stamp, -1, found, Remembered(found.tree)), state)


def _switched(held: Snapshot, state: int) -> Snapshot:
    """Return the snapshot in the actual state: the normal one but for what was switched."""
    edges = held.grid.layout.edges
    switched = Edge.objects.filter(retired=False).exclude(is_closed=F("normally_closed"))
    switched = switched.order_by()  # sorted by code, every device would be read
    closed = edges.normally_closed.copy()
    turned = np.isin(edges.pk, list(switched.values_list("pk", flat=True)))
    closed[turned] = ~closed[turned]
    changes = {int(e): bool(closed[e]) for e in np.flatnonzero(closed != held.grid.closed)}
    found = held.grid.switched(changes) if changes else held.grid
    same = found.tree is held.remembered.tree
    remembered = held.remembered if same else Remembered(found.tree)
    return Snapshot(held.stamp, state, found, remembered)


def _version() -> tuple[str, int]:
    row = NetworkVersion.objects.values_list("stamp", "state").first()
    return (row[0].hex, row[1]) if row else ("", 0)
