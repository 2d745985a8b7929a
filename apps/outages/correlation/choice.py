"""Which of the weighed devices are open, and which of those opened before what is above them.

A device is weighed with one moment at which it opened. Where one below it, at any depth, went
dark some seconds before, that shows only beside the moments of all the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.outages.correlation.weights import (
    DEVICE_PRICE,
    TWICE_VARIANCE,
    Tally,
    Times,
    Verdict,
)

FEWEST_EARLIER = 20
"""Exact moments from which on a part may be found to have been before the others."""

TOLD_SPREAD = 1.0
"""Standard deviation of the moment at which SCADA says that a device opened, in seconds."""

MOST_WRONG = 8.0
"""What it costs at most, in nats, that SCADA tells another moment."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Chooses among the verdicts. `told` has when a device opened by SCADA's word."""

    tallies: Mapping[int, Tally]
    verdicts: Mapping[int, Verdict]
    told: Mapping[int, float]

    def below(self, edge: int) -> list[int]:
        """Return the open devices at or below this one, from the top down."""
        found, waiting = [], [edge]
        while waiting:
            verdict = self.verdicts[waiting.pop()]
            if verdict.is_open:
                found.append(verdict.edge)
                waiting += self._all_peeled(verdict)
                waiting += self._earlier(verdict)
            else:
                waiting += list(self.tallies[verdict.edge].children)
        return found

    def _joined(self, verdict: Verdict) -> list[Verdict]:
        """Return the parts next below that go with the device."""
        verdicts, peeled = self.verdicts, verdict.peeled
        children = self.tallies[verdict.edge].children
        return [verdicts[child] for child in children if child not in peeled]

    def _all_peeled(self, verdict: Verdict) -> list[int]:
        """Return what has a cause of its own below an open device, at any depth."""
        found: list[int] = []
        waiting = [verdict]
        while waiting:
            current = waiting.pop()
            found += current.peeled
            waiting += self._joined(current)
        return found

    def _earlier(self, top: Verdict) -> list[int]:
        """Return what was dark before the open device opened, and for its own reason."""
        parts = self._timed_below(top)
        whole, told = top.times, self.told.get(top.edge)
        if not parts or not _may_differ(whole, parts, told):
            return []
        moments = {part.times.mean for part in parts} | {whole.mean}
        if told is not None:
            moments.add(told)
        best = _misfit(whole, whole.mean, told)
        found: list[Verdict] = []
        for moment in sorted(moments):
            gain, before = self._before(top, moment)
            cost = _misfit(whole, moment, told) - gain
            if cost < best:
                best, found = cost, before
        return [part.edge for part in found]

    def _timed(self, verdict: Verdict) -> list[Verdict]:
        """Return the parts next below that tell enough moments."""
        joined = self._joined(verdict)
        return [part for part in joined if part.times.number >= FEWEST_EARLIER]

    def _timed_below(self, top: Verdict) -> list[Verdict]:
        """Return the parts at any depth that tell enough moments."""
        if top.times.number < 2 * FEWEST_EARLIER:
            return []
        found: list[Verdict] = []
        waiting = [top]
        while waiting:
            timed = self._timed(waiting.pop())
            found += timed
            waiting += timed
        return found

    def _before(self, verdict: Verdict, moment: float) -> tuple[float, list[Verdict]]:
        """Return what was dark before that moment below the device, and how much that explains.

        In nats, the price of each further open device taken off.
        """
        total, found = 0.0, []
        for part in self._timed(verdict):
            gain, before = self._before(part, moment)
            early = moment - part.times.mean
            own = part.times.number * early * early / TWICE_VARIANCE - DEVICE_PRICE
            if early > 0 and own > 0 and own >= gain:
                gain, before = own, [part]
            total += gain
            found += before
        return total, found


def _misfit(whole: Times, moment: float, told: float | None) -> float:
    """Return what it costs that all of it opened then, in nats."""
    return whole.off(moment) / TWICE_VARIANCE + _wrong(moment, told)


def _wrong(moment: float, told: float | None) -> float:
    """Return what it costs that SCADA told another moment, in nats."""
    if told is None:
        return 0.0
    off = (moment - told) / TOLD_SPREAD
    return min(MOST_WRONG, off * off / 2)


def _may_differ(whole: Times, parts: list[Verdict], told: float | None) -> bool:
    """Return whether one of the parts alone could be worth half the price: most are not."""
    wrong = _wrong(whole.mean, told)
    for part in parts:
        times = part.times
        rest = whole.number - times.number
        early = (whole.total - times.total) / rest - times.mean if rest else 0.0
        weight = times.number * rest / whole.number
        if early > 0 and weight * early * early / TWICE_VARIANCE + wrong > DEVICE_PRICE / 2:
            return True
    return False
