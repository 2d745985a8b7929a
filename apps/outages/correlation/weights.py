"""What a wave of losses is weighed with: prices in nats, moments, and the verdict on a device."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import log
from typing import NamedTuple

from apps.outages.correlation.evidence import Signal

HEARD = 0.62
"""The share of last gasps that arrive."""

MOST_CHANCE = 0.3
DEVICE_PRICE = 7.0
NAMED_PRICE = 8.0
CLOCK_SPREAD = 12.0
"""Standard deviation of meters' clocks, in seconds."""

FEWEST_TIMED = 3
TWICE_VARIANCE = 2 * CLOCK_SPREAD * CLOCK_SPREAD
SIGNIFICANT = 4.0
DARK_PRICE = 10.0


@dataclass(frozen=True, slots=True)
class Habit:
    """How often a meter (or its customer) without power is heard, and the price of a lone report.

    `heard` is a probability; `lone` is −ln of the chance that a live meter reports in this wave.
    """

    heard: float
    lone: float

    @property
    def speaking(self) -> float:
        """Return what each report costs where its device is open."""
        return -log(self.heard)

    @property
    def silence(self) -> float:
        """Return what each silent meter costs where its device is open."""
        return -log(1 - self.heard)


def habit_of(chance: float) -> Habit:
    """Return the habit where a live meter reports with that chance."""
    return Habit(HEARD, -log(min(MOST_CHANCE, chance)))


class Times(NamedTuple):
    """How many moments, their sum and the sum of their squares, in seconds.

    `named` says that SCADA named a device among those that they come from.
    """

    number: int = 0
    total: float = 0.0
    squares: float = 0.0
    named: bool = False

    def off(self, at: float) -> float:
        """Return the sum of the squared distances from a moment, in s²."""
        return max(0.0, self.squares - 2 * at * self.total + self.number * at * at)

    @property
    def mean(self) -> float:
        """Return their mean."""
        return self.total / self.number


NEVER = Times()


@dataclass(slots=True)
class Tally:
    """What was heard below one device in the wave.

    `direct` counts the reports with no other device in between, `own` has their times.
    """

    count: int = 0
    direct: int = 0
    own: Times = NEVER
    children: dict[int, None] = field(default_factory=dict)


class Verdict(NamedTuple):
    """How one device does as the explanation.

    `as_open` and `as_closed` are what the two cost, `best` is the lower. If it is open, `peeled`
    are the devices below with a cause of their own; the rest are `joined` reports, whose silent
    neighbours cost `quiet`, with their `times`; the causes of their own cost `extra`. `upper`
    says that of two devices with the same meters below it is the likelier.
    """

    edge: int
    as_open: float
    as_closed: float
    best: float
    joined: int
    quiet: float
    times: Times
    peeled: tuple[int, ...] = ()
    extra: float = 0.0
    upper: bool = False

    @property
    def is_open(self) -> bool:
        """Return whether the device being open explains the wave best, here or above."""
        return self.as_open < self.as_closed or (
            self.upper and self.as_open == self.as_closed
        )


def moments(heard: Iterable[Signal], base: float) -> Times:
    """Return the exact moments of the losses, counted from the base."""
    number, total, squares = 0, 0.0, 0.0
    for loss in heard:
        if loss.exact:
            at = loss.at - base
            number += 1
            total += at
            squares += at * at
    return Times(number, total, squares)


def together(own: Times, children: Sequence[Verdict]) -> Times:
    """Return a device's own moments and those of its parts in one."""
    number, total, squares, named = own
    for child in children:
        times = child.times
        number += times.number
        total += times.total
        squares += times.squares
        named = named or times.named
    return Times(number, total, squares, named)
