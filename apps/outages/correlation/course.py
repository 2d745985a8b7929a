"""What happened in one part of the network, from its signals in the order of their times.

Bursts of losses become open devices (`wave`), returns end them, single reports stay at their
meters until others agree. The same signals give the same hypotheses, in whatever order and
however often they came in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

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


@dataclass(slots=True)
class Course:
    """Reads the signals of a part, each in its turn."""

    part: Part
    darkness: Darkness = field(init=False)
    loners: Loners = field(init=False)
    losses: Losses = field(init=False)
    returns: Returns = field(init=False)

    def __post_init__(self) -> None:
        times = [s.at for s in self.part.signals if s.what is What.LOSS]
        self.darkness = Darkness(self.part)
        self.loners = Loners(self.part, times)
        self.losses = Losses(self.part, self.darkness, self.loners)
        self.returns = Returns(self.part, self.darkness)

    def run(self, pins: Sequence[Pin]) -> None:
        """Read everything."""
        for pin in sorted(pins, key=lambda p: (p.since, p.key.int)):
            self._stick(pin)
        losses = [i for i, s in enumerate(self.part.signals) if s.what is What.LOSS]
        others = [i for i, s in enumerate(self.part.signals) if s.what is not What.LOSS]
        times = [self.part.signals[i].at for i in losses]
        position = 0
        for first, last in cut(times):
            position = self._read(others, position, times[first], times[last - 1])
            self.losses.burst(losses[first:last])
        self._read(others, position, float("inf"), float("inf"))
        self.darkness.settle_until(self.part.now)

    def _read(self, others: list[int], position: int, until: float, trips: float) -> int:
        """Read what is no exact loss before `until`; trips as far as a burst's clocks reach."""
        held_back = []
        while position < len(others):
            signal = self.part.signals[others[position]]
            if signal.at >= until and (signal.at > trips + CLOCKS):
                break
            if signal.at >= until and signal.what is not What.TRIP:
                held_back.append(others[position])
            else:
                self._close_before(signal, held_back)
                self._one(others[position], signal)
            position += 1
        start = position - len(held_back)
        others[start:position] = held_back
        return start

    def _close_before(self, trip: Signal, held_back: list[int]) -> None:
        """Read first that the device had closed, where that was held back."""
        for index in list(held_back) if trip.what is What.TRIP else ():
            signal = self.part.signals[index]
            if signal.what is What.CLOSE and signal.edge == trip.edge:
                held_back.remove(index)
                self._one(index, signal)

    def _one(self, index: int, signal: Signal) -> None:
        self.darkness.settle_until(signal.at)
        match signal.what:
            case What.TRIP:
                self.returns.trip(index, signal)
            case What.CLOSE:
                self.returns.close(index, signal)
            case What.UP:
                self.returns.up(index, signal)
            case What.LIT:
                self.returns.lit(index, signal)
            case _:
                self.loners.hint(index, signal)

    def _stick(self, pin: Pin) -> None:
        found = Hypothesis(
            pin.edge, pin.node, pin.meter, pin.since, pin=pin.key, planned=pin.planned
        )
        found.closed_at = pin.until
        self.part.keep(found)


def background(signals: Sequence[Signal], meters: int) -> float:
    """Return how often a meter reports a loss by itself, per hour, as far as can be seen.

    Counted are exact losses with almost nobody else within a minute.
    """
    times = [s.at for s in signals if s.what is What.LOSS]
    if len(times) < 2:
        return CALM_RATE
    hours = max(1.0, (times[-1] - times[0]) / 3600.0)
    lone = first = last = 0
    for index, at in enumerate(times):
        while times[first] < at - 30.0:
            first += 1
        last = max(last, index)
        while last + 1 < len(times) and times[last + 1] <= at + 30.0:
            last += 1
        lone += last - first < 3
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
    part = Part(devices, signals, background(signals, meters), meters, now)
    Course(part).run(pins)
    return part.found
