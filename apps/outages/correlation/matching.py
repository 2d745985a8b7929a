"""Place one event at once: in an open outage, or in a new one.

By topology where the event's place is on the network, else by space and time. The same events
in the same order give the same outages.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from math import cos, floor, radians
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from apps.outages.correlation.parts import Devices, devices_of
from apps.outages.rules import (
    FINAL,
    Kind,
    MatchedBy,
    PlaceKind,
    Report,
    Source,
    Status,
    confidence,
    distance_meters,
)

if TYPE_CHECKING:
    from apps.network.topology import Grid

CLOCK_TOLERANCE = timedelta(minutes=2)
METERS_PER_DEGREE = 111_195.0
SPARE = 1.01
CELL_DEGREES = 0.01
CELLS_AROUND = 36_000
FEWEST_COSINE = 0.01

# Read once: a member is looked up anew, and slowly, each time that its class is asked for it.
_OUTAGE, _RESTORATION = Kind.OUTAGE, Kind.RESTORATION
_METER, _SUBSTATION = PlaceKind.SERVICE_POINT, PlaceKind.SUBSTATION
_DETECTED, _SCADA, _TOPOLOGY = Status.DETECTED, Source.SCADA, MatchedBy.TOPOLOGY


class Spot(NamedTuple):
    """Where an event happened, in the numbers of the network and the positions of the grid.

    `node` and `edge` are positions in the grid, -1 where there is none. `by_device` says that
    the event speaks of the device itself and not of somebody below it.
    """

    node: int = -1
    edge: int = -1
    transformer: int = -1
    feeder_number: int | None = None
    substation: str = ""
    meter_code: str = ""
    by_device: bool = False
    latitude: float | None = None
    longitude: float | None = None

    @property
    def on_network(self) -> bool:
        """Return whether topology can say something about it."""
        return self.node >= 0 or self.edge >= 0 or bool(self.substation)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far apart in time and space two events may be and still be one outage."""

    window: timedelta
    radius: float


@dataclass(slots=True)
class Candidate:
    """An open outage while events are matched to it."""

    id: UUID
    status: str
    place_kind: str
    node: int
    edge: int
    feeder_number: int | None
    substation: str
    meter_code: str
    latitude: float | None
    longitude: float | None
    sources: dict[str, int]
    first_detected_at: datetime
    last_event_at: datetime
    is_planned: bool = False
    planned_until: datetime | None = None
    transformer: int = -1
    has_critical: bool = False
    is_new: bool = False
    is_changed: bool = False
    has_moved: bool = False
    joined: list[str] = field(default_factory=list)

    @property
    def sure(self) -> float:
        """Return the confidence of what is known so far."""
        return confidence(self.sources)

    def may_hold(self, report: Report, window: timedelta) -> bool:
        """Return whether the event's time allows it to belong here.

        Somebody has looked at a confirmed outage, so it waits without limit; a detected one
        waits for further losses only as long as the window, and for what meters answer that
        were asked. Power may be back at any time. What is over holds nothing more.
        """
        if self.status in FINAL:
            return False
        at = report.occurred_at
        if report.kind is _RESTORATION:
            return at >= self.first_detected_at - CLOCK_TOLERANCE
        if self.is_planned and self.planned_until is not None:
            return self.first_detected_at <= at <= self.planned_until
        if at < self.first_detected_at - window:
            return False
        waits = self.status != _DETECTED or at <= self.last_event_at + window
        return waits or report.is_answer

    def add(self, report: Report) -> None:
        """Count the event in."""
        if report.source_type not in self.sources:
            self.joined.append(report.source_type)
        self.sources[report.source_type] = self.sources.get(report.source_type, 0) + 1
        self.first_detected_at = min(self.first_detected_at, report.occurred_at)
        self.last_event_at = max(self.last_event_at, report.occurred_at)
        self.is_changed = True

    def add_return(self, report: Report) -> None:
        """Count in that power is back for somebody: it is heard of, but speaks for no outage."""
        self.last_event_at = max(self.last_event_at, report.occurred_at)
        self.is_changed = True


def opened_by(
    report: Report, spot: Spot, *, key: UUID, planned_until: datetime | None
) -> Candidate:
    """Return the outage `key` that the event opens there.

    A planned outage is confirmed from the start and suppresses others until `planned_until`,
    which counts for nothing else.
    """
    planned = report.kind is Kind.PLANNED
    return Candidate(
        id=key,
        status=Status.CONFIRMED if planned else Status.DETECTED,
        place_kind=place_kind(spot),
        node=spot.node,
        edge=spot.edge,
        feeder_number=spot.feeder_number,
        substation=spot.substation,
        meter_code=spot.meter_code,
        latitude=spot.latitude,
        longitude=spot.longitude,
        sources={report.source_type: 1},
        first_detected_at=report.occurred_at,
        last_event_at=report.occurred_at,
        is_planned=planned,
        planned_until=planned_until if planned else None,
        transformer=spot.transformer,
        is_new=True,
    )


def place_kind(spot: Spot) -> PlaceKind:
    """Return by what the place of an outage is known that opens there."""
    if spot.by_device:
        return PlaceKind.DEVICE
    if spot.node >= 0:
        return PlaceKind.SERVICE_POINT
    return PlaceKind.SUBSTATION if spot.substation else PlaceKind.COORDINATES


class Match(NamedTuple):
    """Where an event went, and how it got there."""

    candidate: Candidate
    how: MatchedBy


class _Places:
    """The open outages with coordinates, in cells, so that only what is near is measured."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], list[Candidate]] = {}

    def keep(self, candidate: Candidate) -> None:
        """Remember the outage where its coordinates are."""
        if candidate.latitude is None or candidate.longitude is None:
            return
        cell = _cell(candidate.latitude), _cell(candidate.longitude) % CELLS_AROUND
        self._cells.setdefault(cell, []).append(candidate)

    def near(self, latitude: float, longitude: float, radius: float) -> list[Candidate]:
        """Return every outage within the radius, and some beyond it."""
        high = degrees_of(radius)
        edge = min(90.0, abs(latitude) + high)
        wide = high / max(cos(radians(edge)), FEWEST_COSINE)
        rows = range(_cell(latitude - high), _cell(latitude + high) + 1)
        columns = range(_cell(longitude - wide), _cell(longitude + wide) + 1)
        polar = edge > 90.0 - CELL_DEGREES or len(columns) >= CELLS_AROUND
        if polar or len(rows) * len(columns) > len(self._cells):
            return [c for held in self._cells.values() for c in held]
        wanted = ((row, column % CELLS_AROUND) for row in rows for column in columns)
        return [c for cell in wanted for c in self._cells.get(cell, ())]


def degrees_of(radius: float) -> float:
    """Return how many degrees of latitude a radius in metres spans, and a little more."""
    return radius / METERS_PER_DEGREE * SPARE


def _cell(degrees: float) -> int:
    return floor(degrees / CELL_DEGREES)


class Matcher:
    """Matches events, one after the other, against the open outages of their surroundings."""

    def __init__(self, grid: "Grid", candidates: Iterable[Candidate]) -> None:
        self.grid = grid
        self.of_feeder: dict[int, list[Candidate]] = {}
        self.of_meter: dict[str, list[Candidate]] = {}
        self.of_edge: dict[int, list[Candidate]] = {}
        self.of_transformer: dict[int, list[Candidate]] = {}
        self.of_substation: dict[str, list[Candidate]] = {}
        self.placed = _Places()
        for candidate in candidates:
            self.keep(candidate)

    @cached_property
    def devices(self) -> Devices:
        """Return the ways through the grid, the same for all events."""
        return devices_of(self.grid)

    def keep(self, candidate: Candidate) -> None:
        """Let the outage take part in what follows."""
        if candidate.feeder_number is not None:
            self._keep_on_network(candidate)
        if candidate.place_kind == _SUBSTATION:
            self.of_substation.setdefault(candidate.substation, []).append(candidate)
        self.placed.keep(candidate)

    def _keep_on_network(self, candidate: Candidate) -> None:
        """Remember it by what an event can be explained by: a meter, a device, else anywhere."""
        if candidate.place_kind == _METER:
            self.of_meter.setdefault(candidate.meter_code, []).append(candidate)
            self.of_transformer.setdefault(candidate.transformer, []).append(candidate)
        elif candidate.edge >= 0:
            self.of_edge.setdefault(candidate.edge, []).append(candidate)
        else:
            feeder = candidate.feeder_number or 0
            self.of_feeder.setdefault(feeder, []).append(candidate)

    def _around(self, spot: Spot) -> list[Candidate]:
        """Return the outages of the feeder that could explain an event there."""
        found = [*self.of_feeder.get(spot.feeder_number or 0, ())]
        found += self.of_meter.get(spot.meter_code, ())
        of_edge = self.of_edge
        # Most of the way has no outage: asking which edges have one is all that they cost.
        for edge in [edge for edge in self.devices.path(spot.node) if edge in of_edge]:
            found += of_edge[edge]
        if spot.edge >= 0:
            found += of_edge.get(spot.edge, ())
        found += self.of_transformer.get(spot.transformer, ())
        return [c for c in found if c.feeder_number == spot.feeder_number]

    def find(self, report: Report, spot: Spot, reach: Reach) -> Match | None:
        """Return the open outage that the event belongs to, if there is one."""
        if spot.substation and spot.node < 0:
            return self._find_at_substation(report, spot, reach)
        if spot.on_network:
            return self._find_on_network(report, spot, reach)
        return self._find_nearby(report, spot, reach)

    def _find_at_substation(self, report: Report, spot: Spot, reach: Reach) -> Match | None:
        for candidate in self.of_substation.get(spot.substation, ()):
            if candidate.may_hold(report, reach.window):
                return Match(candidate, _TOPOLOGY)
        return None

    def _find_on_network(self, report: Report, spot: Spot, reach: Reach) -> Match | None:
        nearby = [
            candidate
            for candidate in self._around(spot)
            if candidate.may_hold(report, reach.window)
            or self._stands_open(candidate, report)
        ]
        if spot.by_device and report.kind is not _RESTORATION:
            found = [c for c in nearby if c.edge == spot.edge and c.edge >= 0]
        else:
            place = self.devices.position(spot.node)
            found = [c for c in nearby if self._explains(c, report, spot, place)]
        if found:
            return Match(self._best(found, report), _TOPOLOGY)
        if report.kind is _OUTAGE and not spot.by_device:
            return self._join_neighbour(nearby, spot)
        return None

    def _stands_open(self, candidate: Candidate, report: Report) -> bool:
        """Return whether the outage's device is known to be open since before the loss.

        Then there is no power below it, however long ago the last event came in.
        """
        if candidate.edge < 0 or candidate.is_planned or report.kind is not _OUTAGE:
            return False
        began = candidate.first_detected_at - CLOCK_TOLERANCE
        return not self.grid.closed[candidate.edge] and report.occurred_at >= began

    def _explains(
        self, candidate: Candidate, report: Report, spot: Spot, place: int
    ) -> bool:
        """Return whether the outage, as it stands, has the event's place in the dark.

        `place` is the position of the event's node in the order of the tree.
        """
        if candidate.place_kind == _METER:
            return candidate.meter_code == spot.meter_code
        if spot.by_device:
            return candidate.edge == spot.edge
        if candidate.node < 0 or spot.node < 0:
            return False
        first, last = self.devices.below(candidate.node)
        if not first <= place < last:
            return False
        began = candidate.first_detected_at - CLOCK_TOLERANCE
        return _SCADA not in candidate.sources or report.occurred_at >= began

    def _best(self, found: Sequence[Candidate], report: Report) -> Candidate:
        """Return the outage whose device is nearest above the place, the oldest of equals.

        Power that is back ends what began last: in a flood outages stay open that are over.
        """
        if len(found) == 1:
            return found[0]
        if report.kind is _RESTORATION:
            return max(
                found, key=lambda c: (c.first_detected_at, self._depth(c), -c.id.int)
            )
        return min(found, key=lambda c: (-self._depth(c), c.first_detected_at, c.id.int))

    def _depth(self, candidate: Candidate) -> int:
        return int(self.grid.depth[candidate.node]) if candidate.node >= 0 else -1

    def _join_neighbour(self, nearby: Sequence[Candidate], spot: Spot) -> Match | None:
        """Move a single report up to the transformer when a second one comes from below it."""
        if spot.transformer < 0:
            return None
        same = [
            c
            for c in nearby
            if c.place_kind == _METER
            and c.status == _DETECTED
            and not c.is_planned
            and c.transformer == spot.transformer
        ]
        if not same:
            return None
        found = min(same, key=lambda c: (c.first_detected_at, c.id.int))
        self.of_meter[found.meter_code].remove(found)
        self.of_transformer[found.transformer].remove(found)
        self.of_edge.setdefault(spot.transformer, []).append(found)
        found.place_kind = PlaceKind.DEVICE
        found.edge = spot.transformer
        below = self.grid.fed_node(spot.transformer)
        found.node = -1 if below is None else below
        found.has_moved = True
        return Match(found, _TOPOLOGY)

    def _find_nearby(self, report: Report, spot: Spot, reach: Reach) -> Match | None:
        if spot.latitude is None or spot.longitude is None:
            return None
        best: tuple[float, datetime, int] | None = None
        found: Candidate | None = None
        farthest = degrees_of(reach.radius)
        for candidate in self.placed.near(spot.latitude, spot.longitude, reach.radius):
            if candidate.latitude is None or candidate.longitude is None:
                continue
            if abs(candidate.latitude - spot.latitude) > farthest:
                continue
            if not candidate.may_hold(report, reach.window):
                continue
            away = distance_meters(
                spot.latitude, spot.longitude, candidate.latitude, candidate.longitude
            )
            key = (away, candidate.first_detected_at, candidate.id.int)
            if away <= reach.radius and (best is None or key < best):
                best, found = key, candidate
        return None if found is None else Match(found, MatchedBy.SPATIAL)
