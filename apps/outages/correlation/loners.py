"""Reports that come alone: each stays at its meter until others agree with it."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from apps.outages.correlation.evidence import Signal, What
from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.state import CLOCKS, Part
from apps.outages.correlation.weights import DEVICE_PRICE, TWICE_VARIANCE, habit_of, moments

NOTICED = 5.0
"""Seconds that a person's report may be before the moment it speaks of."""

LOOSE = 1800.0
"""Seconds that reports without an exact time may be apart."""

BY_CHANCE = 0.03
"""Below this chance, reports under one device have one cause."""

BUSY = 25
"""With so many losses within half an hour, chance alone brings reports together."""

FEW_METERS = 12
FILLED = 0.3
SHORTEST = 30.0


@dataclass(slots=True)
class Loners:
    """Places single reports; `times` are those of all exact losses, in order."""

    part: Part
    times: list[float]
    loose: list[Hypothesis] = field(default_factory=list)

    def single(self, index: int, meter: int, node: int, at: float) -> None:
        """Open an outage at the meter, and see whether others agree."""
        found = Hypothesis(-1, node, meter, at)
        found.lose(index, meter, node, at)
        self.part.keep(found)
        self.loose.append(found)
        self._gather(found, at)

    def _gather(self, fresh: Hypothesis, at: float) -> None:
        """See whether single reports of about one time have a device in common."""
        if len(self.loose) < 2 or self._is_busy(at):
            return
        self.loose = [
            h
            for h in self.loose
            if h.since >= at - LOOSE and not h.back and self.part.by_meter.get(h.meter) is h
        ]
        near = [h for h in self.loose if h.node >= 0]
        if len(near) < 2:
            return
        what = self._said(fresh).what
        alike = [h for h in near if self._said(h).what is what]
        for edge in self.part.devices.above(fresh.node):
            if self._gathered(edge, near) or self._gathered(edge, alike):
                return

    def _gathered(self, edge: int, near: Sequence[Hypothesis]) -> bool:
        """Gather those of them below the device, where they agree."""
        group = [h for h in near if edge in self.part.devices.above(h.node)]
        agreed = len(group) >= 2 and self._agree(edge, group)
        if agreed:
            self._gather_at(edge, group)
        return agreed

    def _is_busy(self, at: float) -> bool:
        """Return whether so much is lost at about this time that chance brings reports together."""
        first = bisect_left(self.times, at - LOOSE)
        return bisect_left(self.times, at + LOOSE) - first > BUSY

    def _agree(self, edge: int, group: Sequence[Hypothesis]) -> bool:
        """Return whether so many reports below the device are more than chance.

        Below a large device they must fill a share of it, too.
        """
        size = self.part.devices.size(edge)
        times = sorted(h.since for h in group)
        span = max(times[-1] - times[0], SHORTEST)
        expected = self.part.rate * size * span / 3600.0
        if expected ** (len(group) - 1) >= BY_CHANCE:
            return False
        if any(self._said(h).what is What.LOSS for h in group):
            return self._outweigh(group, size, span)
        is_small = size <= FEW_METERS
        if is_small or self.part.devices.grid.edge_kind(edge) == "transformer":
            return True
        return len(group) / max(size, 1) >= FILLED

    def _outweigh(self, group: Sequence[Hypothesis], size: int, span: float) -> bool:
        """Return whether one cause explains the reports better than chance does, in nats.

        Where one meter tells its loss by itself the others do, too: as in a wave, each that is
        silent speaks against the device, and so do times that scatter more than clocks.
        """
        told = [self._said(h) for h in group if self._said(h).what is What.LOSS]
        whole, reports = moments(told, told[0].at), len(group)
        # Exact times are weighed by how they scatter, so that being apart counts once.
        window = SHORTEST if whole.number == reports else span
        habit = habit_of(self.part.rate * window / 3600.0)
        cause = DEVICE_PRICE + reports * habit.speaking + (size - reports) * habit.silence
        if whole.number:
            cause += whole.off(whole.mean) / TWICE_VARIANCE
        return cause < reports * habit.lone

    def _said(self, held: Hypothesis) -> Signal:
        """Return the report that opened it."""
        return self.part.signals[held.events[0]]

    def _gather_at(self, edge: int, group: Sequence[Hypothesis]) -> None:
        gone = {id(h) for h in group}
        self.part.found = [h for h in self.part.found if id(h) not in gone]
        self.loose = [h for h in self.loose if id(h) not in gone]
        found = self.part.open(edge, min(h.since for h in group))
        for h in group:
            found.events += h.events
            found.lost.update(h.lost)
            found.nodes.update(h.nodes)
            self.part.by_meter.pop(h.meter, None)

    def hint(self, index: int, signal: Signal) -> None:
        """Place a report without an exact time."""
        held = self.part.holder(signal, NOTICED if signal.call else CLOCKS)
        if held is not None:
            held.lose(index, signal.meter, signal.node, signal.at)
            return
        self.single(index, signal.meter, signal.node, signal.at)
