"""A period played again: what the inference would have said minute by minute. Writes nothing."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from apps.accounts.services import require
from apps.configuration.selectors import value
from apps.core.actor import Actor
from apps.core.errors import Invalid
from apps.network import selectors as network
from apps.outages.correlation.course import infer
from apps.outages.correlation.evidence import Pin, Signal, ordered
from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.outcome import PATIENCE, Outcome, conclude
from apps.outages.correlation.parts import Devices, devices_of
from apps.outages.correlation.space import Neighbour
from apps.outages.models import Outage, SourceEvent
from apps.outages.rules import settings as declared
from apps.outages.selectors.hearing import (
    EventRow,
    is_fixed,
    moment,
    pins_of,
    signals_of,
)
from apps.outages.selectors.replaying_space import Group, OffNetwork, neighbour_of

if TYPE_CHECKING:
    from apps.network.topology import Grid

VIEW = "outages.view_outage"
MINUTE = timedelta(minutes=1)
LONGEST = timedelta(hours=24)
MOST_EVENTS = 20_000
_COLUMNS = (
    "id",
    "source_type",
    "source_event_id",
    "kind",
    "occurred_at",
    "received_at",
    "meter_number",
    "node_number",
    "device_code",
    "meter_code",
    "disposition",
    "outage_id",
    "latitude",
    "longitude",
)


@dataclass(frozen=True, slots=True)
class Shown:
    """An outage at one minute: its device, since when, whether it is over, and its customers.

    Off the network `feeder` is None, `device` the substation or `latitude, longitude` in
    degrees, and `kind` `substation` or `coordinates`.
    """

    device: str
    kind: str
    feeder: int | None
    since: datetime
    customers: int
    is_over: bool
    momentary: bool
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True)
class Frame:
    """What was known at the end of a minute, and how many events came in during it by source."""

    at: datetime
    outages: tuple[Shown, ...]
    events: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Replay:
    """The frames of a period; the devices of its outages as replayed and as recorded.

    `missing` are recorded and not replayed, `surplus` the other way round. Off the network an
    outage is the same only where the same events speak for it.
    """

    frames: list[Frame]
    events: int
    replayed: list[str]
    recorded: list[str]
    missing: list[str]
    surplus: list[str]


@dataclass(slots=True)
class _Part:
    """One feeder while it is played: its signals in the order of their arrival.

    `around` are its outages as events off the network may join them.
    """

    feeder: int
    pairs: list[tuple[datetime, Signal, EventRow]]
    meters: int
    outages: list[Outage] = field(default_factory=list)
    heard: int = 0
    quiet: datetime | None = None
    found: list[Hypothesis] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    around: list[Neighbour] = field(default_factory=list)


def replay(*, start: datetime, end: datetime, viewer: Actor) -> Replay:
    """Play the events that came in from `start` (inclusive) to `end` (exclusive) again.

    What people decided counts from the moment at which they did. A feeder is inferred again.
    What is off the network is matched again in the order of arrival, by the rule that was in
    force for its source, storm mode included, with the settings of today; and ended as the
    judge ends it, once events were gathered.

    The window and radius that an event brought itself are not known any more. Events join the
    outages of feeders near them as these are inferred at the end of the minute. What began
    before `start` is not there, so what belongs to it stands alone.

    Raises Forbidden, or Invalid for an empty or too long period, or one of too many events.
    """
    require(viewer, VIEW)
    if not start < end <= start + LONGEST:
        raise Invalid("A period of up to 24 hours is replayed.", fields={"field": "end"})
    rows = SourceEvent.objects.filter(accepted_at__gte=start, accepted_at__lt=end)
    count = rows.count()
    if count > MOST_EVENTS:
        raise Invalid(
            f"{count} events came in; up to {MOST_EVENTS} are replayed. Choose less time.",
            fields={"field": "end"},
        )
    devices = devices_of(network.grid())
    told = list(
        rows.exclude(kind="ignored").values_list(
            *_COLUMNS, "event_type", "accepted_at", "feeder_number"
        )
    )
    parts = _parts(devices, told, start, end)
    off = OffNetwork(devices.grid, rows, start, end)
    arrivals = list(rows.values_list("accepted_at", "source_type"))
    frames = list(_frames(devices, parts, off, arrivals, start, end))
    return _compared(frames, count, parts, off)


def _compared(
    frames: list[Frame], count: int, parts: Sequence[_Part], off: OffNetwork
) -> Replay:
    """Return the replay beside the record."""
    last = frames[-1].outages if frames else ()
    replayed = Counter(off.replayed())
    replayed.update(Group(one.device) for one in last if one.feeder is not None)
    recorded = Counter(off.recorded())
    recorded.update(Group(row.device_code) for part in parts for row in part.outages)
    return Replay(
        frames,
        count,
        _names(replayed),
        _names(recorded),
        missing=_names(recorded - replayed),
        surplus=_names(replayed - recorded),
    )


def _names(groups: Counter[Group]) -> list[str]:
    return sorted(group.name for group in groups.elements())


def _parts(
    devices: Devices, told: Sequence[tuple[object, ...]], start: datetime, end: datetime
) -> list[_Part]:
    by_feeder: dict[int, list[tuple[EventRow, datetime]]] = {}
    for *columns, event_type, accepted_at, feeder in told:
        if feeder is not None:
            asked = event_type in ("ping_powered", "ping_dark")
            row = EventRow._make((*columns, asked))
            by_feeder.setdefault(int(str(feeder)), []).append((row, accepted_at))  # type: ignore[arg-type]
    found = []
    for feeder, rows in sorted(by_feeder.items()):
        accepted = {row.id: at for row, at in rows}
        pairs = [
            (accepted[row.id], signal, row)
            for signal, row in signals_of(devices, feeder, [row for row, _ in rows])
        ]
        outages = Outage.objects.standing().filter(
            feeder_number=feeder, opened_at__gte=start, opened_at__lt=end
        )
        part = _Part(
            feeder, sorted(pairs, key=lambda p: (p[0], p[1])), devices.meters_of(feeder)
        )
        part.outages = list(outages.order_by("number"))
        found.append(part)
    return found


def _frames(
    devices: Devices,
    parts: Sequence[_Part],
    off: OffNetwork,
    arrivals: Sequence[tuple[datetime, str]],
    start: datetime,
    end: datetime,
) -> Iterator[Frame]:
    limit = float(value(declared.MOMENTARY_SECONDS))
    counts: dict[datetime, Counter[str]] = {}
    for at, source in arrivals:
        counts.setdefault(start + (at - start) // MINUTE * MINUTE, Counter())[source] += 1
    at = start
    while at < end:
        begun, at = at, min(at + MINUTE, end)
        for part in parts:
            _hear(devices, part, at, limit)
        off.space.play(at, [one for part in parts for one in part.around])
        shown = [one for part in parts for one in _shown(devices.grid, part)]
        shown += _shown_off(off)
        shown.sort(key=lambda one: (one.is_over, -one.customers, one.device))
        yield Frame(at, tuple(shown), dict(counts.get(begun, {})))


def _hear(devices: Devices, part: _Part, at: datetime, limit: float) -> None:
    """Judge the part as it stood at `at`, where anything came in or is still waited for."""
    heard = part.heard
    while heard < len(part.pairs) and part.pairs[heard][0] < at:
        heard += 1
    if heard == part.heard and (part.quiet is None or at > part.quiet):
        return
    joined = {} if heard != part.heard else {n.opened: n.candidate for n in part.around}
    if heard != part.heard:
        part.quiet = at + timedelta(seconds=PATIENCE) + MINUTE
    part.heard = heard
    part.signals = ordered(signal for _, signal, _ in part.pairs[:heard])
    place = {signal: row for _, signal, row in part.pairs[:heard]}
    events = [place[signal] for signal in part.signals]
    fixed = {row.id: row for row in part.outages if _decided_at(row, at)}
    pins = [_as_of(pin, at) for pin in pins_of(devices, fixed, events)]
    now = at.timestamp()
    part.found = infer(devices, part.signals, pins, part.meters, now)
    part.outcomes = conclude(part.found, devices, now, limit)
    part.around = list(_around(part, at - MINUTE))
    for one in part.around:
        before = joined.get(one.opened, one.candidate)
        one.candidate.last_event_at = max(one.candidate.last_event_at, before.last_event_at)


def _decided_at(outage: Outage, at: datetime) -> bool:
    """Return whether people had decided by then where the outage is."""
    if not is_fixed(outage):
        return False
    decided = (
        outage.confirmed_at,
        outage.in_progress_at,
        outage.cancelled_at,
        outage.opened_at if outage.is_planned else None,
        None if outage.ended_by_evidence else outage.restored_at,
    )
    return any(moment is not None and moment <= at for moment in decided)


def _as_of(pin: Pin, at: datetime) -> Pin:
    later = pin.until is not None and pin.until > at.timestamp() and not pin.planned
    return replace(pin, until=None) if later else pin


def _shown(grid: "Grid", part: _Part) -> Iterator[Shown]:
    rows = {signal: row for _, signal, row in part.pairs}
    for found, outcome in zip(part.found, part.outcomes, strict=True):
        events = [rows[part.signals[e]] for e in found.events]
        at = next((e for e in events if e.latitude is not None), None)
        meter = next((e.meter_code for e in events if e.meter == found.meter), "")
        on_device = found.edge >= 0
        yield Shown(
            device=grid.edge_code(found.edge) if on_device else meter,
            kind=str(grid.edge_kind(found.edge)) if on_device else "service",
            feeder=part.feeder,
            since=moment(found.since),
            customers=grid.meters_below(found.node) if on_device else 1,
            is_over=outcome.ended_at is not None,
            momentary=outcome.momentary,
            latitude=at.latitude if at else None,
            longitude=at.longitude if at else None,
        )


def _shown_off(off: OffNetwork) -> Iterator[Shown]:
    for played in off.space.outages:
        first = played.arrivals[0]
        place = off.place_of(first)
        yield Shown(
            device=place.name,
            kind=place.kind,
            feeder=None,
            since=played.candidate.first_detected_at,
            customers=place.customers,
            is_over=played.is_over,
            momentary=played.momentary,
            latitude=first.spot.latitude,
            longitude=first.spot.longitude,
        )


def _around(part: _Part, since: datetime) -> Iterator[Neighbour]:
    """Return the feeder's outages as events off the network from `since` on may join them."""
    told = {signal: (at, row) for at, signal, row in part.pairs[: part.heard]}
    rows = {row.id: row for row in part.outages}
    for found, outcome in zip(part.found, part.outcomes, strict=True):
        events = [told[part.signals[e]] for e in found.events]
        fixed = None if found.pin is None else rows.get(found.pin)
        one = neighbour_of(part.feeder, found, outcome, events, fixed, since)
        if one is not None:
            yield one
