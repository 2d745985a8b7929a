"""What is off the network while a period is played: its events, what people decided, names."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.configuration.selectors import value
from apps.network import selectors as network
from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.matching import Candidate, Reach, Spot, place_kind
from apps.outages.correlation.outcome import Outcome
from apps.outages.correlation.parts import devices_of
from apps.outages.correlation.space import (
    Arrival,
    Decision,
    Limits,
    Neighbour,
    Space,
    Turn,
)
from apps.outages.models import Outage, SourceEvent, StormPeriod, TimelineEntry
from apps.outages.rules import Disposition, Kind, PlaceKind, Report, Status
from apps.outages.rules import settings as declared
from apps.outages.selectors.hearing import EventRow, moment
from apps.outages.selectors.planning import planned_end
from apps.outages.selectors.storms import rule_of

if TYPE_CHECKING:
    from apps.network.topology import Grid

_Span = tuple[datetime, datetime | None]


class Place(NamedTuple):
    """Where an outage off the network is, as the page names it, and how many customers it has.

    `kind` is that of the device, or `substation` or `coordinates`.
    """

    name: str
    kind: str
    customers: int


class Group(NamedTuple):
    """A name and the events that speak for it: two groups are the same where both are."""

    name: str
    events: frozenset[UUID] = frozenset()


class OffNetwork:
    """The events off the network of a period, played, and what was recorded of them."""

    def __init__(
        self, grid: "Grid", rows: QuerySet[SourceEvent], start: datetime, end: datetime
    ) -> None:
        self._grid = grid
        self._places: dict[UUID, Place] = {}
        found = Outage.objects.filter(
            feeder_number=None, opened_at__gte=start, opened_at__lt=end
        )
        outages = {row.id: row for row in found.select_related("merged_into")}
        self._standing = {key for key, row in outages.items() if row.merged_into is None}
        told = list(_arrivals(grid, rows, outages, _storms(start, end)))
        self._arrivals = sorted((one for one, _ in told), key=lambda one: one.turn)
        self._outage_of = {one.event_id: outage for one, outage in told}
        limits = Limits(
            timedelta(milliseconds=value(declared.DEBOUNCE_MILLISECONDS)),
            timedelta(seconds=value(declared.MOMENTARY_SECONDS)),
        )
        self.space = Space(grid, self._arrivals, _decisions(outages), limits)

    def arrived(self) -> list[datetime]:
        """Return when the events came in, in that order."""
        return [one.accepted_at for one in self._arrivals]

    def place_of(self, first: Arrival) -> Place:
        """Return the place of the outage that begins with this event."""
        found = self._places.get(first.event_id)
        if found is None:
            found = self._places[first.event_id] = _place(self._grid, first.spot)
        return found

    def replayed(self) -> list[Group]:
        """Return the outages as they were played."""
        return [self._group(one.arrivals) for one in self.space.outages]

    def recorded(self) -> list[Group]:
        """Return the outages that began in the period, as the record has them now."""
        found: dict[UUID, list[Arrival]] = {}
        for one in self._arrivals:
            outage = self._outage_of[one.event_id]
            if outage is not None and outage in self._standing:
                found.setdefault(outage, []).append(one)
        return [self._group(arrivals) for arrivals in found.values()]

    def _group(self, arrivals: list[Arrival]) -> Group:
        losses = (a.event_id for a in arrivals if a.report.kind is not Kind.RESTORATION)
        return Group(self.place_of(arrivals[0]).name, frozenset(losses))


def neighbour_of(
    feeder: int,
    found: Hypothesis,
    outcome: Outcome,
    events: Sequence[tuple[datetime, EventRow]],
    fixed: Outage | None,
    since: datetime,
) -> Neighbour | None:
    """Return an outage of a feeder as events off the network may join it, if it has a place.

    `events` are its own with the moments at which they came in, of which those from `since` on
    are told one by one; `fixed` is what is recorded of it where people decided by then where
    it is.
    """
    losses = [(at, row) for at, row in events if row.kind != Kind.RESTORATION]
    opened = min((_turn(at, row) for at, row in losses), default=None)
    first: Outage | EventRow | None = fixed
    if fixed is not None:
        opened = fixed.opened_at, fixed.id
    elif losses:
        first = min((row for _, row in losses), key=lambda e: (e.at, e.source, e.name))
    if first is None or opened is None or first.latitude is None:
        return None
    began = moment(found.since)
    candidate = Candidate(
        id=first.id,
        status=Status.DETECTED if fixed is None else Status.CONFIRMED,
        place_kind=PlaceKind.DEVICE if found.edge >= 0 else PlaceKind.SERVICE_POINT,
        node=found.node,
        edge=found.edge,
        feeder_number=feeder,
        substation="",
        meter_code="",
        latitude=first.latitude,
        longitude=first.longitude,
        sources={},
        first_detected_at=began,
        last_event_at=max([began, *(row.at for at, row in events if at < since)]),
        is_planned=found.planned,
        planned_until=None if fixed is None else fixed.planned_until,
    )
    late = sorted((_turn(at, row), row.at) for at, row in events if at >= since)
    told = (opened, began), *(one for one in late if one[0] > opened)
    ended_at = None if outcome.ended_at is None else moment(outcome.ended_at)
    return Neighbour(candidate, told, ended_at)


def _turn(at: datetime, row: EventRow) -> Turn:
    return at, row.id


def _arrivals(
    grid: "Grid",
    rows: QuerySet[SourceEvent],
    outages: Mapping[UUID, Outage],
    storms: Sequence[_Span],
) -> Iterator[tuple[Arrival, UUID | None]]:
    """Return the events off the network with the outages to which they belong now."""
    found = rows.filter(feeder_number=None).exclude(
        Q(kind=Kind.IGNORED) | Q(disposition=Disposition.UNRESOLVED)
    )
    events = list(found.defer("description", "metadata", "severity"))
    opened = {row.first_event_id: row for row in outages.values()}
    substations = network.resolve(
        [network.PlaceRef(substation_id=_substation(event)) for event in events]
    )
    for event, substation in zip(events, substations, strict=True):
        first = opened.get(event.id)
        source, at = event.source_type, event.accepted_at
        rule = rule_of(source, storm=_is_in(storms, at))
        yield (
            Arrival(
                event_id=event.id,
                key=event.id if first is None else first.id,
                accepted_at=at,
                report=_report(event, first),
                spot=_spot(grid, event, substation),
                reach=Reach(rule.window, rule.radius),
            ),
            event.outage_id,
        )


def _substation(event: SourceEvent) -> str:
    """Return the code of the substation by which alone the event was placed, if it was."""
    told: Any = event.told_place
    by_asset = event.meter_code or event.device_code
    return "" if by_asset else str(told.get("substation_id", ""))


def _report(event: SourceEvent, opened: Outage | None) -> Report:
    until = opened.planned_until if opened is not None else None
    if event.kind == Kind.PLANNED:
        until = planned_end(at=event.occurred_at, told=until)
    return Report(
        source_type=event.source_type,
        source_event_id=event.source_event_id,
        event_type=event.event_type,
        kind=Kind(event.kind),
        occurred_at=event.occurred_at,
        received_at=event.received_at,
        planned_until=until,
    )


def _spot(grid: "Grid", event: SourceEvent, substation: network.Place | None) -> Spot:
    """Return where the event was placed when it came in."""
    edge = grid.edge_index(event.device_code) if event.device_code else None
    return Spot(
        node=-1 if edge is None else devices_of(grid).fed(edge),
        edge=-1 if edge is None else edge,
        substation=substation.substation_code if substation is not None else "",
        meter_code=event.meter_code,
        by_device=edge is not None,
        latitude=event.latitude,
        longitude=event.longitude,
    )


def _place(grid: "Grid", spot: Spot) -> Place:
    kind = place_kind(spot)
    if kind == PlaceKind.DEVICE:
        below = grid.meters_below(spot.node) if spot.node >= 0 else 0
        return Place(grid.edge_code(spot.edge), str(grid.edge_kind(spot.edge)), below)
    if kind == PlaceKind.SUBSTATION:
        below = network.meters_of_substation(spot.substation)
        return Place(spot.substation, kind.value, below)
    if spot.meter_code:
        return Place(spot.meter_code, kind.value, 1)
    return Place(f"{spot.latitude:.4f}, {spot.longitude:.4f}", kind.value, 0)


def _storms(start: datetime, end: datetime) -> list[_Span]:
    found = StormPeriod.objects.filter(began_at__lt=end).exclude(ended_at__lt=start)
    return list(found.values_list("began_at", "ended_at"))


def _is_in(spans: Sequence[_Span], at: datetime) -> bool:
    return any(began <= at and (ended is None or at < ended) for began, ended in spans)


def _decisions(outages: Mapping[UUID, Outage]) -> Iterator[Decision]:
    """Return what people decided of the outages, and when."""
    for row in outages.values():
        steps = (
            (row.confirmed_at, Status.CONFIRMED),
            (row.in_progress_at, Status.IN_PROGRESS),
            (row.cancelled_at, Status.CANCELLED),
            (None if row.ended_by_evidence else row.restored_at, Status.RESTORED),
        )
        for at, status in steps:
            if at is not None and row.first_event_id is not None:
                yield Decision(at, row.first_event_id, status)
    yield from _merges([row for row in outages.values() if row.merged_into is not None])


def _merges(gone: Sequence[Outage]) -> Iterator[Decision]:
    """Return when these outages were merged, and into which.

    A row names only the outage that stays in the end. Of one that went into another before that
    one went on, the moment tells: both have it in their timelines.
    """
    kept = {row.id: row.merged_into or row for row in gone}
    known = {row.id: row for row in (*kept.values(), *gone)}
    lines = TimelineEntry.objects.filter(outage__in=known, kind="merge").order_by("at")
    merged_at: dict[UUID, datetime] = {}
    sides: dict[tuple[UUID, datetime], set[UUID]] = {}
    for outage, at in lines.values_list("outage_id", "at"):
        merged_at[outage] = at
        keeper = kept.get(outage, known[outage])
        sides.setdefault((keeper.id, at), set()).add(outage)
    for row in gone:
        keeper, first = kept[row.id], row.first_event_id
        if first is not None and row.id in merged_at:
            at = merged_at[row.id]
            into = min(sides[keeper.id, at] - {row.id}, default=keeper.id)
            yield Decision(at, first, None, known[into].first_event_id)
