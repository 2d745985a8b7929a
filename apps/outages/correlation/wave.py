"""One wave of losses: the smallest plausible set of open devices that explains it.

The tree of devices is judged from the leaves up, in nats: a device that is open costs its price
once and the silence of every live meter below it; a loss that no device explains costs a price of
its own. Times that scatter more than clocks do speak against one common cause; what went dark
below a device noticeably before it did has a cause of its own.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, log
from typing import NamedTuple

from apps.outages.correlation.parts import Devices

DEVICE_PRICE = 7.0
NAMED_PRICE = 8.0
CLOCK_SPREAD = 12.0
"""Standard deviation of meters' clocks, in seconds."""

FEWEST_TIMED = 3
TWICE_VARIANCE = 2 * CLOCK_SPREAD * CLOCK_SPREAD
SIGNIFICANT = 4.0
DARK_PRICE = 10.0


class Loss(NamedTuple):
    """A meter that lost power: its number, its node, the moment, and whether that is exact."""

    meter: int
    node: int
    at: float
    exact: bool = True


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


@dataclass(slots=True)
class Times:
    """How many moments, their sum and the sum of their squares, in seconds.

    `named` says that SCADA named a device among those that they come from.
    """

    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    named: bool = False

    def note(self, at: float) -> None:
        """Count one more in."""
        self.count += 1
        self.total += at
        self.squares += at * at

    def add(self, other: "Times") -> None:
        """Count the others in."""
        self.count += other.count
        self.total += other.total
        self.squares += other.squares
        self.named = self.named or other.named

    def off(self, at: float) -> float:
        """Return the sum of the squared distances from a moment, in s²."""
        return max(0.0, self.squares - 2 * at * self.total + self.count * at * at)

    @property
    def mean(self) -> float:
        """Return their mean."""
        return self.total / self.count


@dataclass(slots=True)
class Tally:
    """What was heard below one device in the wave.

    `direct` counts the reports with no other device in between, `own` has their times.
    """

    count: int = 0
    direct: int = 0
    own: Times = field(default_factory=Times)
    children: dict[int, None] = field(default_factory=dict)


class Verdict(NamedTuple):
    """How one device does as the explanation.

    `as_open` and `as_closed` are what the two cost. If it is open, `peeled` are the devices below
    with a cause of their own; the rest are `joined` reports, whose silent neighbours cost
    `quiet`, with their `times`; the causes of their own cost `extra`. `upper` says that of two
    devices with the same meters below it is the likelier.
    """

    edge: int
    as_open: float
    as_closed: float
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

    @property
    def best(self) -> float:
        """Return the lower of the two costs."""
        return min(self.as_open, self.as_closed)


def judge(
    devices: Devices,
    losses: Sequence[Loss],
    live: Callable[[int], int],
    habit: Habit,
    known: Container[int] = (),
) -> list[int]:
    """Return the devices that are open, the deepest first.

    `live` says how many meters below a device had power until now. The `known` ones are open for
    certain, unless one above explains what is heard below them.
    """
    tallies = _tally(devices, losses)
    verdicts: dict[int, Verdict] = {}
    weigher = _Weigher(devices, live, habit, tallies, verdicts)
    for edge in devices.known(list(tallies)):
        verdict = weigher.weigh(edge)
        if edge in known:
            verdict.times.named = True
            sure = verdict.as_open - DEVICE_PRICE
            verdict = verdict._replace(as_open=sure, as_closed=inf)
        same = [c for c in tallies[edge].children if devices.size(c) == devices.size(edge)]
        if same and devices.blows(edge):
            verdict = verdict._replace(upper=True)
        verdicts[edge] = verdict
    below = {child for tally in tallies.values() for child in tally.children}
    found: list[int] = []
    for edge in verdicts:
        if edge not in below:
            found += _choose(edge, tallies, verdicts)
    return devices.known(found)


def _tally(devices: Devices, losses: Sequence[Loss]) -> dict[int, Tally]:
    tallies: dict[int, Tally] = {}
    base = losses[0].at if losses else 0.0
    for loss in losses:
        before = -1
        for edge in devices.above(loss.node):
            tally = tallies.get(edge)
            if tally is None:
                tally = tallies[edge] = Tally()
            tally.count += 1
            if before >= 0:
                tally.children[before] = None
            else:
                tally.direct += 1
                if loss.exact:
                    tally.own.note(loss.at - base)
            before = edge
    return tallies


@dataclass(slots=True)
class _Weigher:
    """Weighs one device after the other, from the leaves up."""

    devices: Devices
    live: Callable[[int], int]
    habit: Habit
    tallies: Mapping[int, Tally]
    below: Mapping[int, Verdict]

    def weigh(self, edge: int) -> Verdict:
        """Return the verdict on the device; those below it have theirs already."""
        tally, live = self.tallies[edge], self.live(edge)
        children = [self.below[child] for child in tally.children]
        as_closed = tally.direct * self.habit.lone + sum(child.best for child in children)
        quiet = self._quiet(edge, tally, live)
        plain = Verdict(edge, inf, as_closed, tally.count, quiet, Times())
        best = plain
        for moment in _moments(tally, children) if live else ():
            tried = self._open_at(moment, tally, children, plain)
            if tried.as_open < best.as_open:
                best = tried
        if best.peeled and best.times.count:
            tried = self._open_at(best.times.mean, tally, children, plain)
            best = min(best, tried, key=lambda v: v.as_open)
        return best

    def _quiet(self, edge: int, tally: Tally, live: int) -> float:
        """Return what the silence beside the reporting branches costs.

        A branch that is wholly silent may have been dark before: its silence is limited.
        """
        cost, rest = 0.0, live - tally.direct
        for child in self.devices.children(edge):
            size = self.live(child)
            rest -= size
            if child not in tally.children:
                cost += min(size * self.habit.silence, DARK_PRICE)
        return cost + max(0, rest) * self.habit.silence

    def _open_at(
        self, moment: float, tally: Tally, children: Sequence[Verdict], plain: Verdict
    ) -> Verdict:
        """Return the verdict if the device opened then: each part joins it or is peeled off."""
        times, joined, extra, quiet = Times(), tally.direct, 0.0, plain.quiet
        peeled = []
        times.add(tally.own)
        for child in children:
            spread = child.times.off(moment) / TWICE_VARIANCE
            if _is_earlier(child.times, moment) and child.best < (
                child.extra + spread + child.joined * self.habit.speaking + child.quiet
            ):
                peeled.append(child.edge)
                extra += child.best
                continue
            times.add(child.times)
            joined += child.joined
            extra += child.extra
            quiet += min(child.quiet, DARK_PRICE + child.joined * self.habit.lone)
        cost = DEVICE_PRICE + NAMED_PRICE * times.named + extra + quiet
        cost += joined * self.habit.speaking + times.off(moment) / TWICE_VARIANCE
        found = (plain.edge, cost, plain.as_closed, joined, quiet, times)
        return Verdict(*found, tuple(peeled), extra)


def _shift(times: Times, moment: float) -> float:
    """Return what it costs that the times lie around another moment than their mean."""
    if not times.count:
        return 0.0
    return times.count * (times.mean - moment) ** 2 / TWICE_VARIANCE


def _is_earlier(times: Times, moment: float) -> bool:
    """Return whether the times lie before the moment by more than clocks explain."""
    if times.count < FEWEST_TIMED or times.mean >= moment:
        return False
    return _shift(times, moment) >= SIGNIFICANT


def _moments(tally: Tally, children: Sequence[Verdict]) -> list[float]:
    """Return when the device may have opened: when any of its parts went dark, or on average."""
    parts = [c.times for c in children if c.times.count >= FEWEST_TIMED]
    whole = Times()
    for times in (tally.own, *(c.times for c in children)):
        whole.add(times)
    means = [times.mean for times in parts]
    if whole.count:
        means.append(whole.mean)
    return means or [0.0]


def _choose(
    edge: int, tallies: Mapping[int, Tally], verdicts: Mapping[int, Verdict]
) -> list[int]:
    """Return the open devices at or below this one, from the top down."""
    found, waiting = [], [edge]
    while waiting:
        verdict = verdicts[waiting.pop()]
        if verdict.is_open:
            found.append(verdict.edge)
            waiting += _all_peeled(verdict, tallies, verdicts)
        else:
            waiting += list(tallies[verdict.edge].children)
    return found


def _all_peeled(
    verdict: Verdict, tallies: Mapping[int, Tally], verdicts: Mapping[int, Verdict]
) -> list[int]:
    """Return what has a cause of its own below an open device, at any depth."""
    found: list[int] = []
    waiting = [verdict]
    while waiting:
        current = waiting.pop()
        found += current.peeled
        peeled = set(current.peeled)
        waiting += [
            verdicts[child]
            for child in tallies[current.edge].children
            if child not in peeled
        ]
    return found
