"""One wave of losses: the smallest plausible set of open devices that explains it.

The tree of devices is judged from the leaves up, in nats: a device that is open costs its price
once and the silence of every live meter below it; a loss that no device explains costs a price of
its own. Times that scatter more than clocks do speak against one common cause; what went dark
below a device noticeably before it did has a cause of its own.
"""

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, log
from typing import NamedTuple

from apps.outages.correlation.evidence import Signal
from apps.outages.correlation.parts import Devices

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


def judge(
    devices: Devices,
    losses: Sequence[Signal],
    live: Mapping[int, int],
    habit: Habit,
    known: Container[int] = (),
) -> list[int]:
    """Return the devices that are open, the deepest first.

    `live` has how many meters below a device had power until now. The `known` ones are open for
    certain, unless one above explains what is heard below them.
    """
    tallies = _tally(devices, losses)
    verdicts: dict[int, Verdict] = {}
    weigher = _Weigher(devices, live, habit, tallies, verdicts)
    for edge in devices.known(list(tallies)):
        verdict = weigher.weigh(edge)
        if edge in known:
            sure = verdict.as_open - DEVICE_PRICE
            times = verdict.times._replace(named=True)
            verdict = verdict._replace(as_open=sure, as_closed=inf, best=sure, times=times)
        sizes = map(devices.size, tallies[edge].children)
        if devices.size(edge) in sizes and devices.blows(edge):
            verdict = verdict._replace(upper=True)
        verdicts[edge] = verdict
    below = {child for tally in tallies.values() for child in tally.children}
    found: list[int] = []
    for edge in verdicts:
        if edge not in below:
            found += _choose(edge, tallies, verdicts)
    return devices.known(found)


def _tally(devices: Devices, losses: Sequence[Signal]) -> dict[int, Tally]:
    # Many report below the same devices: the way up is gone once for all of them.
    groups: dict[tuple[int, ...], list[Signal]] = {}
    for loss in losses:
        groups.setdefault(devices.above(loss.node), []).append(loss)
    tallies: dict[int, Tally] = {}
    base = losses[0].at if losses else 0.0
    for chain, heard in groups.items():
        before = -1
        for edge in chain:
            tally = tallies.get(edge)
            if tally is None:
                tally = tallies[edge] = Tally()
            tally.count += len(heard)
            if before >= 0:
                tally.children[before] = None
            else:
                tally.direct = len(heard)
                tally.own = moments(heard, base)
            before = edge
    return tallies


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


class _Weigher:
    """Weighs one device after the other, from the leaves up."""

    def __init__(
        self,
        devices: Devices,
        live: Mapping[int, int],
        habit: Habit,
        tallies: Mapping[int, Tally],
        below: Mapping[int, Verdict],
    ) -> None:
        self.devices, self.live = devices, live
        self.lone, self.speaking, self.silence = habit.lone, habit.speaking, habit.silence
        self.tallies, self.below = tallies, below

    def weigh(self, edge: int) -> Verdict:
        """Return the verdict on the device; those below it have theirs already."""
        tally, live = self.tallies[edge], self.live[edge]
        children = [self.below[child] for child in tally.children]
        as_closed = tally.direct * self.lone + sum(child.best for child in children)
        quiet = self._quiet(edge, tally, live)
        plain = Verdict(edge, inf, as_closed, as_closed, tally.count, quiet, NEVER)
        if not live:
            return plain
        best, whole = plain, _together(tally.own, children)
        for moment in _moments(whole, children):
            tried = self._open_at(moment, tally, children, plain, whole)
            if tried.as_open < best.as_open:
                best = tried
        if best.peeled and best.times.number:
            tried = self._open_at(best.times.mean, tally, children, plain, whole)
            best = min(best, tried, key=lambda v: v.as_open)
        return best

    def _quiet(self, edge: int, tally: Tally, live: int) -> float:
        """Return what the silence beside the reporting branches costs.

        A branch that is wholly silent may have been dark before: its silence is limited.
        """
        cost, rest, heard, silence = 0.0, live - tally.direct, tally.children, self.silence
        for child in self.devices.children(edge):
            size = self.live[child]
            rest -= size
            if child not in heard:
                cost += min(size * silence, DARK_PRICE)
        return cost + max(0, rest) * silence

    def _open_at(
        self,
        moment: float,
        tally: Tally,
        children: Sequence[Verdict],
        plain: Verdict,
        whole: Times,
    ) -> Verdict:
        """Return the verdict if the device opened then: each part joins it or is peeled off."""
        joined, extra, quiet, peeled = tally.direct, 0.0, plain.quiet, []
        for child in children:
            if child.times.number >= FEWEST_TIMED and self._is_apart(child, moment):
                peeled.append(child.edge)
                extra += child.best
                continue
            joined += child.joined
            extra += child.extra
            quiet += min(child.quiet, DARK_PRICE + child.joined * self.lone)
        times = whole
        if peeled:
            times = _together(tally.own, [c for c in children if c.edge not in peeled])
        cost = DEVICE_PRICE + NAMED_PRICE * times.named + extra + quiet
        cost += joined * self.speaking + times.off(moment) / TWICE_VARIANCE
        closed = plain.as_closed
        lower, apart = min(cost, closed), tuple(peeled)
        return Verdict(plain.edge, cost, closed, lower, joined, quiet, times, apart, extra)

    def _is_apart(self, child: Verdict, moment: float) -> bool:
        """Return whether a part that was before has, the cheaper, a cause of its own.

        Before means by more than clocks explain.
        """
        times, mean = child.times, child.times.mean
        if mean >= moment:
            return False
        if times.number * (mean - moment) ** 2 / TWICE_VARIANCE < SIGNIFICANT:
            return False
        spread = times.off(moment) / TWICE_VARIANCE
        joining = child.extra + spread + child.joined * self.speaking + child.quiet
        return child.best < joining


def _together(own: Times, children: Sequence[Verdict]) -> Times:
    """Return a device's own moments and those of its parts in one."""
    number, total, squares, named = own
    for child in children:
        times = child.times
        number += times.number
        total += times.total
        squares += times.squares
        named = named or times.named
    return Times(number, total, squares, named)


def _moments(whole: Times, children: Sequence[Verdict]) -> Collection[float]:
    """Return when the device may have opened: when any of its parts went dark, or on average."""
    means = [c.times.mean for c in children if c.times.number >= FEWEST_TIMED]
    if whole.number:
        means.append(whole.mean)
    # Each once: of equals the first is the one that counts.
    return dict.fromkeys(means) or (0.0,)


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
