"""What happened in one part of the network, from its signals in the order of their times.

Bursts of losses become open devices (`wave`), returns end them, single reports stay at their
meters until others agree. The same signals give the same hypotheses, in whatever order and
however often they came in.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import inf

import numpy as np

from apps.outages.correlation.bursts import cut
from apps.outages.correlation.darkness import Darkness
from apps.outages.correlation.evidence import Pin, Signal, What
from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.loners import Loners
from apps.outages.correlation.losses import Losses
from apps.outages.correlation.parts import Devices
from apps.outages.correlation.returns import Returns
from apps.outages.correlation.state import CLOCKS, Part

CALM_RATE = 0.001
ALONE = 30.0
"""Seconds around a lone loss in which almost nobody else reports one."""


@dataclass(slots=True)
class Course:
    """Reads the signals of a part, each in its turn.

    `losses` are the positions of the exact losses, `times` their times. `others` are the
    positions of all other signals, of which those before `position` were read, and of the later
    ones those that are in `ahead`; `trips` are those of them that are trips, until they are read.
    """

    part: Part
    losses: list[int]
    times: list[float]
    others: list[int]
    darkness: Darkness = field(init=False)
    bursts: Losses = field(init=False)
    readers: dict[What, Callable[[int, Signal], None]] = field(init=False)
    trips: deque[int] = field(init=False)
    position: int = 0
    ahead: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.darkness = Darkness(self.part)
        returns = Returns(self.part, self.darkness)
        loners = Loners(self.part, self.times)
        self.bursts = Losses(self.part, self.darkness, loners)
        self.readers = {
            What.TRIP: returns.trip,
            What.HINT: loners.hint,
            What.CLOSE: returns.close,
            What.UP: returns.up,
            What.LIT: returns.lit,
        }
        signals, trip = self.part.signals, What.TRIP
        self.trips = deque([i for i in self.others if signals[i].what is trip])

    def run(self, pins: Sequence[Pin]) -> None:
        """Read everything."""
        for pin in sorted(pins, key=lambda p: (p.since, p.key.int)):
            self._stick(pin)
        for first, last in cut(self.times):
            self._read_until(self.times[first])
            self._read_trips(self.times[first], self.times[last - 1] + CLOCKS)
            self.bursts.burst(self.losses[first:last])
        self._read_until(inf)
        self.darkness.settle_until(self.part.now)

    def _read_until(self, until: float) -> None:
        """Read what is no exact loss before the moment."""
        signals, first = self.part.signals, self.position
        self.position = bisect_left(self.others, until, first, key=lambda i: signals[i].at)
        fresh = self.others[first : self.position]
        self._read([i for i in fresh if i not in self.ahead] if self.ahead else fresh)

    def _read_trips(self, since: float, until: float) -> None:
        """Read the trips of these moments ahead: as far as the clocks of a burst reach."""
        signals = self.part.signals
        while self.trips and signals[self.trips[0]].at <= until:
            trip = self.trips.popleft()
            if signals[trip].at >= since:
                ahead = [*self._closings_before(trip), trip]
                self.ahead.update(ahead)
                self._read(ahead)

    def _closings_before(self, trip: int) -> list[int]:
        """Return where it is said that the device had closed before, as far as that is unread."""
        signals, edge = self.part.signals, self.part.signals[trip].edge
        waiting = self.others[self.position : bisect_left(self.others, trip)]
        return [
            i
            for i in waiting
            if signals[i].what is What.CLOSE
            and signals[i].edge == edge
            and i not in self.ahead
        ]

    def _read(self, indexes: Iterable[int]) -> None:
        signals, darkness, readers = self.part.signals, self.darkness, self.readers
        for index in indexes:
            signal = signals[index]
            if signal.at >= darkness.due:
                darkness.settle_until(signal.at)
            readers[signal.what](index, signal)

    def _stick(self, pin: Pin) -> None:
        found = Hypothesis(
            pin.edge, pin.node, pin.meter, pin.since, pin=pin.key, planned=pin.planned
        )
        if pin.until is not None:
            found.close(pin.until)
        self.part.keep(found)


def background(times: Sequence[float], meters: int) -> float:
    """Return how often a meter reports a loss by itself, per hour, as far as can be seen.

    `times` are those of the exact losses, ascending. Counted are those with almost nobody else
    around.
    """
    if len(times) < 2:
        return CALM_RATE
    hours = max(1.0, (times[-1] - times[0]) / 3600.0)
    at = np.array(times)
    until = np.searchsorted(at, at + ALONE, side="right")
    lone = int(np.count_nonzero(until - np.searchsorted(at, at - ALONE) <= 3))
    expected = (1.0 + lone) / (1.0 / CALM_RATE + max(meters, 1) * hours)
    return max(CALM_RATE, expected)


def infer(
    devices: Devices,
    signals: Sequence[Signal],
    pins: Sequence[Pin] = (),
    meters: int = 0,
    now: float = float("inf"),
) -> list[Hypothesis]:
    """Return what happened: the outages, those of the pins first.

    `signals` are in their order (`evidence.ordered`), `meters` says how many the part has.
    """
    losses, times, others, loss = [], [], [], What.LOSS
    for index, signal in enumerate(signals):
        if signal.what is loss:
            losses.append(index)
            times.append(signal.at)
        else:
            others.append(index)
    part = Part(devices, signals, background(times, meters), meters, now)
    Course(part, losses, times, others).run(pins)
    return part.found
