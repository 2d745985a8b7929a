"""Read what a feeder has said and infer what happened there. Nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from apps.configuration.selectors import value
from apps.core.bulk import ask, rows_of
from apps.outages.correlation.course import infer
from apps.outages.correlation.evidence import (
    SAME_MOMENT,
    Pin,
    Signal,
    what_said,
)
from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.outcome import Outcome, conclude
from apps.outages.correlation.parts import Devices, devices_of
from apps.outages.correlation.reconciliation import Identity, identify
from apps.outages.correlation.steps import parts_left
from apps.outages.models import Outage
from apps.outages.rules import BY_PEOPLE, FINAL, Kind, PlaceKind
from apps.outages.rules import settings as declared

if TYPE_CHECKING:
    from apps.network.topology import Grid

BEFORE, SLACK = timedelta(hours=2), timedelta(minutes=2)
FARTHEST = timedelta(hours=48)
PLANNED, RESTORATION = Kind.PLANNED.value, Kind.RESTORATION.value
_by_signal = itemgetter(0)
_OPEN = (
    "feeder_number = %s AND merged_into_id IS NULL "
    "AND status IN ('detected', 'confirmed', 'in_progress')"
)
# When it ended is in the index: what was heard last changes with every event.
_ENDED = (
    "feeder_number = %s AND merged_into_id IS NULL AND status IN ('restored', 'cancelled') "
    "AND coalesce(restored_at, cancelled_at) >= %s AND last_event_at >= %s"
)


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


def hear(grid: "Grid", feeder: int, since: datetime | None, at: datetime) -> Hearing:
    """Return what happened on the feeder, as far back as anything unsettled reaches.

    `since` is when the earliest event happened that was not judged yet.
    """
    outages = _outages(feeder, since)
    begin = _begin(outages, since, at)
    rows = _events(feeder, begin)
    devices = devices_of(grid)
    pairs = signals_of(devices, feeder, rows)
    events = [row for _, row in pairs]
    signals = [signal for signal, _ in pairs]
    pins = pins_of(devices, outages, events)
    found, outcomes = concluded(devices, feeder, signals, pins, at)
    return _without_settled(Hearing(outages, events, signals, found, outcomes))


def concluded(
    devices: Devices,
    feeder: int,
    signals: Sequence[Signal],
    pins: Sequence[Pin],
    at: datetime,
) -> tuple[list[Hypothesis], list[Outcome]]:
    """Return what happened on the feeder by these signals, and how each of it stands at `at`."""
    now = at.timestamp()
    found = infer(devices, signals, pins, devices.meters_of(feeder), now)
    found += parts_left(found, devices, signals)
    limit = float(value(declared.MOMENTARY_SECONDS))
    return found, conclude(found, devices, now, limit)


def _without_settled(heard: Hearing) -> Hearing:
    """Leave out what was settled before anything of this began, and so was not asked for.

    Events from just before the first of the outages are read, which may be the last ones of an
    earlier outage: they explain, but nothing is concluded from a part of its events.
    """
    owners = {event.outage for event in heard.events} - heard.outages.keys() - {None}
    if not owners:
        return heard
    theirs = [
        {heard.events[e].outage for e in found.speaking.events} - {None}
        for found in heard.found
    ]
    kept = [n for n, told in enumerate(theirs) if not told or not told <= owners]
    return replace(
        heard,
        found=[heard.found[n] for n in kept],
        outcomes=[heard.outcomes[n] for n in kept],
    )


def identity_of(heard: Hearing, devices: Devices) -> Identity:
    """Return which outage of record each hypothesis is, and which go into others.

    Of a part whose beginning was not read nothing follows.
    """
    outages, first = heard.outages, min((e.at for e in heard.events), default=None)
    return identify(
        heard.found,
        [event.outage for event in heard.events],
        {k: (o.first_detected_at.timestamp(), o.number) for k, o in outages.items()},
        frozenset(k for k, o in outages.items() if is_fixed(o)),
        {
            k: (o.parent_id, _edge(devices, o.device_code))
            for k, o in outages.items()
            if o.parent_id is not None and first and first <= o.first_detected_at + SLACK
        },
    )


def _outages(feeder: int, since: datetime | None) -> dict[UUID, Outage]:
    """Return the outages of the feeder that are open or that new events may concern."""
    found = {o.id: o for o in rows_of(Outage, _OPEN, [feeder])}
    reach = [o.first_detected_at for o in found.values()]
    if since is not None:
        reach.append(since - BEFORE)
    while reach:
        earliest = min(reach)
        told = [feeder, earliest - FARTHEST, earliest]
        fresh = [o for o in rows_of(Outage, _ENDED, told) if o.id not in found]
        found |= {o.id: o for o in fresh}
        reach = [o.first_detected_at for o in fresh if o.first_detected_at < earliest]
    return found


def _begin(
    outages: Mapping[UUID, Outage], since: datetime | None, at: datetime
) -> datetime:
    reach = [o.first_detected_at - SLACK for o in outages.values()]
    if since is not None:
        reach.append(since - BEFORE)
    return max(min(reach, default=at), min(since or at, at) - FARTHEST)


def _events(feeder: int, begin: datetime) -> list[EventRow]:
    found = ask(
        "SELECT id, source_type, source_event_id, kind, occurred_at, received_at, "
        "meter_number, node_number, device_code, meter_code, disposition, outage_id, "
        "latitude, longitude, event_type IN ('ping_powered', 'ping_dark') "
        "FROM outages_sourceevent "
        "WHERE feeder_number = %s AND occurred_at >= %s AND kind <> 'ignored'",
        [feeder, begin],
    )
    return list(map(EventRow._make, found.fetchall()))


def signals_of(
    devices: Devices, feeder: int, rows: Sequence[EventRow]
) -> list[tuple[Signal, EventRow]]:
    """Return what the events say, in order.

    Those of a part that another feeder has taken over since are left out: their outage stays
    as it was inferred, until its meters report back from there.
    """
    grid = devices.grid
    nodes = grid.node_indexes([row.node or 0 for row in rows])
    edges = [-1] * len(rows)
    for place, row in enumerate(rows):
        if row.meter is None:
            edges[place] = _edge(devices, row.device)
            nodes[place] = devices.fed(edges[place])
    feeders = grid.feeder_of_node[nodes].tolist()
    found = [
        (_signal(row, node, edge), row)
        for row, node, edge, of in zip(rows, nodes.tolist(), edges, feeders, strict=True)
        if of == feeder and row.kind != PLANNED and (row.meter is not None or node >= 0)
    ]
    # No two are equal: an event is stored once by its name.
    found.sort(key=_by_signal)
    return found


def _signal(row: EventRow, node: int, edge: int) -> Signal:
    call, at = row.source in BY_PEOPLE, row.at
    what = what_said(
        back=row.kind == RESTORATION,
        of_device=row.meter is None,
        noticed=call,
        asked=row.is_answer,
    )
    return Signal(
        at.timestamp(),
        what,
        -1 if row.meter is None else row.meter,
        node,
        edge,
        call,
        abs(at - row.received_at) > SAME_MOMENT,
        (row.source, row.name),
    )


def _edge(devices: Devices, code: str) -> int:
    found = devices.grid.edge_index(code) if code else None
    return -1 if found is None else found


def pins_of(
    devices: Devices, outages: Mapping[UUID, Outage], events: Sequence[EventRow]
) -> list[Pin]:
    """Return what people decided of these outages, as the inference is told it."""
    meters = {e.meter_code: e.meter for e in events if e.meter is not None}
    return [_pin(devices, o, meters) for o in outages.values() if is_fixed(o)]


def is_fixed(outage: Outage) -> bool:
    """Return whether people decided where the outage is, or that it is over."""
    if outage.is_planned or outage.confirmed_at or outage.in_progress_at:
        return True
    return outage.status in FINAL and not outage.ended_by_evidence


def _pin(devices: Devices, outage: Outage, meters: Mapping[str, int | None]) -> Pin:
    edge, meter = -1, None
    if outage.place_kind == PlaceKind.DEVICE:
        edge = _edge(devices, outage.device_code)
    elif outage.place_kind == PlaceKind.SERVICE_POINT:
        meter = meters.get(outage.device_code)
    until = None
    if outage.is_planned:
        until = outage.planned_until
    elif not outage.ended_by_evidence:
        until = outage.restored_at or outage.cancelled_at
    return Pin(
        outage.id,
        edge,
        devices.fed(edge),
        -1 if meter is None else meter,
        outage.first_detected_at.timestamp(),
        None if until is None else until.timestamp(),
        outage.is_planned,
    )


def moment(seconds: float) -> datetime:
    """Return the moment, in UTC, to the microsecond."""
    return datetime.fromtimestamp(seconds, UTC)
