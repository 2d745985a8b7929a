"""One wave of losses: the smallest plausible set of open devices that explains it.

The tree of devices is judged from the leaves up, in nats: a device that is open costs its price
once and the silence of every live meter below it; a loss that no device explains costs a price of
its own. Times that scatter more than clocks do speak against one common cause; what went dark
below a device noticeably before it did has a cause of its own.
"""

from collections.abc import Collection, Mapping, Sequence
from math import inf

from apps.outages.correlation.choice import Choice
from apps.outages.correlation.evidence import Signal
from apps.outages.correlation.live import Live
from apps.outages.correlation.parts import Devices
from apps.outages.correlation.weights import (
    DARK_PRICE,
    DEVICE_PRICE,
    FEWEST_TIMED,
    NAMED_PRICE,
    NEVER,
    SIGNIFICANT,
    TWICE_VARIANCE,
    Habit,
    Tally,
    Times,
    Verdict,
    moments,
    together,
)

OPENS = 0.75
"""Seconds after its device opened at which a meter says that it lost power, on average."""


def judge(
    devices: Devices,
    losses: Sequence[Signal],
    live: Live,
    habit: Habit,
    known: Mapping[int, float],
) -> list[int]:
    """Return the devices that are open, the deepest first.

    `live` has how many meters below a device had power until now. The `known` ones are open for
    certain, since the moment that they have, unless one above explains what is heard below them.
    """
    base = losses[0].at
    tallies = _tally(devices, losses, base)
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
    told = {edge: at + OPENS - base for edge, at in known.items()}
    choice = Choice(tallies, verdicts, told)
    below = {child for tally in tallies.values() for child in tally.children}
    found: list[int] = []
    for edge in verdicts:
        if edge not in below:
            found += choice.below(edge)
    return devices.known(found)


def _tally(devices: Devices, losses: Sequence[Signal], base: float) -> dict[int, Tally]:
    # Many report below the same devices: the way up is gone once for all of them.
    groups: dict[tuple[int, ...], list[Signal]] = {}
    for loss in losses:
        groups.setdefault(devices.above(loss.node), []).append(loss)
    tallies: dict[int, Tally] = {}
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


class _Weigher:
    """Weighs one device after the other, from the leaves up."""

    def __init__(
        self,
        devices: Devices,
        live: Live,
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
        best, whole = plain, together(tally.own, children)
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
            rest -= self.live[child]
            if child not in heard:
                cost += min(self.live.surely(child) * silence, DARK_PRICE)
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
            times = together(tally.own, [c for c in children if c.edge not in peeled])
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


def _moments(whole: Times, children: Sequence[Verdict]) -> Collection[float]:
    """Return when the device may have opened: when any of its parts went dark, or on average."""
    means = [c.times.mean for c in children if c.times.number >= FEWEST_TIMED]
    if whole.number:
        means.append(whole.mean)
    # Each once: of equals the first is the one that counts.
    return dict.fromkeys(means) or (0.0,)
