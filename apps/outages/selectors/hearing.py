"""Read what a feeder has said and infer what happened there. Nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import numpy as np
from django.db import connection
from django.db.models import Q

from apps.configuration.selectors import value
from apps.outages.correlation.course import infer
from apps.outages.correlation.evidence import Pin, Signal, What, ordered
from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.outcome import Outcome, conclude
from apps.outages.correlation.parts import Devices
from apps.outages.models import Outage
from apps.outages.rules import Kind, PlaceKind, Source, Status
from apps.outages.rules import settings as declared

if TYPE_CHECKING:
    from apps.network.topology import Grid

BEFORE = timedelta(hours=2)
FARTHEST = timedelta(hours=48)
SAME_MOMENT = timedelta(milliseconds=2)
BY_PEOPLE = frozenset({Source.CALL_CENTER, Source.CREW, Source.OPERATOR, Source.MANUAL})
ENDED = (Status.RESTORED, Status.CANCELLED)


class EventRow(NamedTuple):
    """A stored event of the feeder, as far as the inference needs it."""

    id: UUID
    source: str
    name: str
    kind: str
    at: datetime
    received_at: datetime
    meter: int | None
    node: int | None
    device: str
    meter_code: str
    disposition: str
    outage: UUID | None
    latitude: float | None
    longitude: float | None
    is_answer: bool


@dataclass(frozen=True, slots=True)
class Hearing:
    """What was read and inferred: events and signals go by position, hypotheses by theirs."""

    outages: dict[UUID, Outage]
    events: list[EventRow]
    signals: list[Signal]
    found: list[Hypothesis]
    outcomes: list[Outcome]


_ways: list[Devices] = []


def devices_of(grid: "Grid") -> Devices:
    """Return the ways through the grid's tree, those found before where it is the same."""
    if not _ways or _ways[0].grid.tree is not grid.tree:
        _ways[:] = [Devices(grid)]
    return _ways[0]


def hear(grid: "Grid", feeder: int, since: datetime | None, at: datetime) -> Hearing:
    """Return what happened on the feeder, as far back as anything unsettled reaches.

    `since` is when the earliest event happened that was not judged yet.
    """
    outages = _outages(feeder, since)
    begin = _begin(outages, since, at)
    rows = _events(feeder, begin)
    devices = devices_of(grid)
    pairs = _signals(grid, rows)
    events = [row for _, row in pairs]
    signals = [signal for signal, _ in pairs]
    found = infer(
        devices,
        signals,
        _pins(grid, outages, events),
        int(grid.layout.meters[grid.feeder_of_node == feeder].sum()),
        at.timestamp(),
    )
    limit = float(value(declared.MOMENTARY_SECONDS))
    outcomes = [conclude(h, devices, at.timestamp(), limit) for h in found]
    return Hearing(outages, events, signals, found, outcomes)


def _outages(feeder: int, since: datetime | None) -> dict[UUID, Outage]:
    """Return the outages of the feeder that are open or that new events may concern."""
    standing = Outage.objects.standing().filter(feeder_number=feeder)
    opened = ~Q(status__in=ENDED)
    found = {o.id: o for o in standing.filter(opened)}
    reach = [o.first_detected_at for o in found.values()]
    if since is not None:
        reach.append(since - BEFORE)
    while reach:
        earliest = min(reach)
        more = standing.filter(status__in=ENDED, last_event_at__gte=earliest)
        fresh = list(more.exclude(id__in=list(found)))
        found |= {o.id: o for o in fresh}
        reach = [o.first_detected_at for o in fresh if o.first_detected_at < earliest]
    return found


def _begin(
    outages: Mapping[UUID, Outage], since: datetime | None, at: datetime
) -> datetime:
    reach = [o.first_detected_at - timedelta(minutes=2) for o in outages.values()]
    if since is not None:
        reach.append(since - BEFORE)
    return max(min(reach, default=at), min(since or at, at) - FARTHEST)


def _events(feeder: int, begin: datetime) -> list[EventRow]:
    cursor = connection.cursor()
    cursor.execute(
        "SELECT id, source_type, source_event_id, kind, occurred_at, received_at, "
        "meter_number, node_number, device_code, meter_code, disposition, outage_id, "
        "latitude, longitude, event_type IN ('ping_powered', 'ping_dark') "
        "FROM outages_sourceevent "
        "WHERE feeder_number = %s AND occurred_at >= %s AND kind <> 'ignored'",
        [feeder, begin],
    )
    return [EventRow(*row) for row in cursor.fetchall()]


def _signals(grid: "Grid", rows: Sequence[EventRow]) -> list[tuple[Signal, EventRow]]:
    pks = np.array([row.node or 0 for row in rows], np.int64)
    index = np.searchsorted(grid.layout.node_pk, pks)
    index[index == len(grid.layout.node_pk)] = 0
    known = grid.layout.node_pk[index] == pks
    found = []
    for row, node in zip(rows, np.where(known, index, -1).tolist(), strict=True):
        signal = _signal(grid, row, node)
        if signal is not None:
            found.append((signal, row))
    place = dict(found)
    return [(signal, place[signal]) for signal in ordered(place)]


def _signal(grid: "Grid", row: EventRow, node: int) -> Signal | None:
    at, edge = row.at.timestamp(), -1
    back = row.kind == Kind.RESTORATION
    call = row.source in BY_PEOPLE
    if row.kind == Kind.PLANNED:
        return None
    if row.meter is None:
        found = grid.edge_index(row.device) if row.device else None
        fed = None if found is None else grid.fed_node(found)
        if found is None or fed is None:
            return None
        edge, node = found, fed
        what = What.CLOSE if back else What.TRIP
    elif back:
        what = What.LIT if row.is_answer else What.UP
    else:
        what = What.HINT if call or row.is_answer else What.LOSS
    exact = abs(row.at - row.received_at) > SAME_MOMENT
    meter = -1 if row.meter is None else row.meter
    return Signal(at, what, meter, node, edge, call, exact, (row.source, row.name))


def _pins(
    grid: "Grid", outages: Mapping[UUID, Outage], events: Sequence[EventRow]
) -> list[Pin]:
    meters = {e.meter_code: e.meter for e in events if e.meter is not None}
    return [_pin(grid, o, meters) for o in outages.values() if is_fixed(o)]


def is_fixed(outage: Outage) -> bool:
    """Return whether people decided where the outage is, or that it is over."""
    if outage.is_planned or outage.confirmed_at or outage.in_progress_at:
        return True
    return outage.status in ENDED and not outage.ended_by_evidence


def _pin(grid: "Grid", outage: Outage, meters: Mapping[str, int | None]) -> Pin:
    edge = -1
    meter: int | None = None
    if outage.place_kind == PlaceKind.DEVICE:
        found = grid.edge_index(outage.device_code)
        edge = -1 if found is None else found
    elif outage.place_kind == PlaceKind.SERVICE_POINT:
        meter = meters.get(outage.device_code)
    node = grid.fed_node(edge) if edge >= 0 else None
    until = None
    if outage.is_planned:
        until = outage.planned_until
    elif not outage.ended_by_evidence:
        until = outage.restored_at or outage.cancelled_at
    return Pin(
        outage.id,
        edge,
        -1 if node is None else node,
        -1 if meter is None else meter,
        outage.first_detected_at.timestamp(),
        None if until is None else until.timestamp(),
        outage.is_planned,
    )


def moment(seconds: float) -> datetime:
    """Return the moment, in UTC, to the microsecond."""
    return datetime.fromtimestamp(seconds, UTC)
