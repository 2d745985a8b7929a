"""One feeder while a period is played: inferred anew at the end of each minute with news."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from apps.outages.correlation.evidence import Pin, Signal, ordered
from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.outcome import PATIENCE, Outcome
from apps.outages.correlation.parts import Devices
from apps.outages.correlation.space import Neighbour
from apps.outages.models import Outage
from apps.outages.rules.replaying import MINUTE, Period, Shown
from apps.outages.selectors.hearing import (
    EventRow,
    concluded,
    is_fixed,
    moment,
    pins_of,
    signals_of,
)
from apps.outages.selectors.replaying_space import neighbour_of


class Change(NamedTuple):
    """What is known of the feeder from the end of a minute on.

    `around` are its outages as events off the network may join them; `is_news` says that
    something came in, and not only time went by.
    """

    at: datetime
    shown: tuple[Shown, ...]
    around: tuple[Neighbour, ...]
    is_news: bool


Arrived = tuple[datetime, EventRow]


@dataclass(slots=True)
class FeederPlay:
    """Plays one feeder. `arrived` are its events with the moments at which they came in.

    `joined_in` are the ends of the minutes in which events off the network came in.
    """

    devices: Devices
    feeder: int
    arrived: Sequence[Arrived]
    outages: Sequence[Outage]
    joined_in: Sequence[datetime]
    pairs: list[tuple[datetime, Signal]] = field(init=False)
    rows: dict[Signal, Arrived] = field(init=False)
    signals: list[Signal] = field(init=False, default_factory=list)
    found: list[Hypothesis] = field(init=False, default_factory=list)
    outcomes: list[Outcome] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        accepted = {row.id: at for at, row in self.arrived}
        told = signals_of(self.devices, self.feeder, [row for _, row in self.arrived])
        self.rows = {signal: (accepted[row.id], row) for signal, row in told}
        self.pairs = sorted((at, signal) for signal, (at, _) in self.rows.items())

    def play(self, period: Period, pace: Callable[[int], None]) -> Iterator[Change]:
        """Return what changes, minute by minute; tell `pace` how many events were heard."""
        heard, told_at = 0, period.start
        decisions = [at for row in self.outages for at in _decisions(row)]
        decided = {
            period.minute_of(at) for at in decisions if period.start <= at < period.end
        }
        for at in period.minutes():
            before, heard = heard, self._heard(heard, at)
            is_news = heard > before
            if is_news:
                told_at = at
            elif at not in decided and not (heard and self._waits(at - told_at)):
                continue
            self._infer(heard, at)
            yield Change(at, tuple(self._shown()), tuple(self._around(at)), is_news)
            pace(heard - before)

    def _heard(self, heard: int, at: datetime) -> int:
        """Return how many came in before the moment."""
        return bisect_left(self.pairs, at, heard, key=lambda pair: pair[0])

    def _waits(self, silence: timedelta) -> bool:
        """Return whether silence may still mean anything: of who stayed dark, of who is back."""
        if silence <= MINUTE:
            return True
        is_open = any(outcome.ended_at is None for outcome in self.outcomes)
        return is_open and silence <= timedelta(seconds=PATIENCE) + MINUTE

    def _infer(self, heard: int, at: datetime) -> None:
        """Judge the feeder as it stood at the moment."""
        self.signals = ordered(signal for _, signal in self.pairs[:heard])
        fixed = {row.id: row for row in self.outages if _decided_at(row, at)}
        pins: list[Pin] = []
        if fixed:
            events = [self.rows[signal][1] for signal in self.signals]
            pins = [_as_of(pin, at) for pin in pins_of(self.devices, fixed, events)]
        self.found, self.outcomes = concluded(
            self.devices, self.feeder, self.signals, pins, at
        )

    def _shown(self) -> Iterator[Shown]:
        grid = self.devices.grid
        for found, outcome in zip(self.found, self.outcomes, strict=True):
            events = [self.rows[self.signals[e]][1] for e in found.events]
            at = next((e for e in events if e.latitude is not None), None)
            meter = next((e.meter_code for e in events if e.meter == found.meter), "")
            on_device = found.edge >= 0
            yield Shown(
                device=grid.edge_code(found.edge) if on_device else meter,
                kind=str(grid.edge_kind(found.edge)) if on_device else "service",
                feeder=self.feeder,
                since=moment(found.since),
                customers=grid.meters_below(found.node) if on_device else 1,
                is_over=outcome.ended_at is not None,
                momentary=outcome.momentary,
                latitude=at.latitude if at else None,
                longitude=at.longitude if at else None,
            )

    def _around(self, at: datetime) -> Iterator[Neighbour]:
        """Return the outages as events off the network may join them from this minute on.

        Nothing joins what was over before.
        """
        since, begun = at - MINUTE, (at - MINUTE).timestamp()
        if not self.joined_in or self.joined_in[-1] < at:
            return
        rows = {row.id: row for row in self.outages}
        for found, outcome in zip(self.found, self.outcomes, strict=True):
            if outcome.ended_at is not None and outcome.ended_at <= begun:
                continue
            events = [self.rows[self.signals[e]] for e in found.events]
            fixed = None if found.pin is None else rows.get(found.pin)
            one = neighbour_of(self.feeder, found, outcome, events, fixed, since)
            if one is not None:
                yield one


def needed(
    changes: Sequence[Change], joined_in: Sequence[datetime], end: datetime
) -> Iterator[Change]:
    """Return the changes without the neighbours that no event can join before the next change."""
    ends = [*(change.at for change in changes[1:]), end + MINUTE]
    for change, until in zip(changes, ends, strict=True):
        joins = bisect_left(joined_in, until) > bisect_left(joined_in, change.at)
        yield change if joins else change._replace(around=())


def _decisions(outage: Outage) -> list[datetime]:
    """Return when people decided where the outage is, or that it is over."""
    if not is_fixed(outage):
        return []
    moments = (
        outage.confirmed_at,
        outage.in_progress_at,
        outage.cancelled_at,
        outage.opened_at if outage.is_planned else None,
        None if outage.ended_by_evidence else outage.restored_at,
    )
    return [at for at in moments if at is not None]


def _decided_at(outage: Outage, at: datetime) -> bool:
    return any(moment <= at for moment in _decisions(outage))


def _as_of(pin: Pin, at: datetime) -> Pin:
    later = pin.until is not None and pin.until > at.timestamp() and not pin.planned
    return replace(pin, until=None) if later else pin
