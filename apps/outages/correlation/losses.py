"""Bursts of exact losses: which devices opened, and who was wrongly thought dark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

from apps.outages.correlation.darkness import Darkness
from apps.outages.correlation.evidence import What
from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.loners import Loners
from apps.outages.correlation.state import CLOCKS, FREED, Part
from apps.outages.correlation.wave import Habit, Loss, judge

HEARD = 0.62
"""The share of last gasps that arrive."""

STRAY = 0.025
"""How often a meter that hangs elsewhere than the records say reports, per reporting meter."""

MOST_CHANCE = 0.3


@dataclass(slots=True)
class Losses:
    """Places bursts of losses with an exact time."""

    part: Part
    darkness: Darkness
    loners: Loners

    def burst(self, losses: Sequence[int]) -> None:
        """Place a burst of exact losses."""
        self.darkness.settle_until(self.part.signals[losses[0]].at)
        fresh: list[tuple[int, Loss]] = []
        doubted: dict[int, list[tuple[int, Loss, Hypothesis]]] = {}
        known: dict[int, Hypothesis] = {}
        for index in losses:
            signal = self.part.signals[index]
            held = self.part.holder(signal, CLOCKS)
            if held is not None and held.edge < 0:
                held = self.part.device_holder(signal, CLOCKS) or held
            loss = Loss(signal.meter, signal.node, signal.at, signal.exact)
            if held is None:
                fresh.append((index, loss))
            elif signal.at <= held.since + CLOCKS and held.named and not held.pin:
                known[held.edge] = held
                fresh.append((index, loss))
            elif signal.at <= held.since + CLOCKS or held.pin:
                held.lose(index, signal.meter, signal.node, signal.at)
            else:
                doubted.setdefault(id(held), []).append((index, loss, held))
        freed: dict[int, Hypothesis] = {}
        for members in doubted.values():
            self._doubt(members, fresh, freed, known)
        if fresh:
            self._explain(sorted(fresh), freed, known)

    def _doubt(
        self,
        members: Sequence[tuple[int, Loss, Hypothesis]],
        fresh: list[tuple[int, Loss]],
        freed: dict[int, Hypothesis],
        known: dict[int, Hypothesis],
    ) -> None:
        """Free the losses of meters thought dark, where so many show that they had power."""
        held = members[0][2]
        proving = {loss.meter for _, loss, _ in members if _had_power(held, loss)}
        many = held.edge < 0 or len(proving) >= max(3.0, FREED * len(held.lost))
        for index, loss, _ in members:
            if many:
                freed[index] = held
                fresh.append((index, loss))
            else:
                held.lose(index, loss.meter, loss.node, loss.at)
        if many and held.edge >= 0:
            held.shrunk = held.over_at is None
            held.remains = []
            self._trip_again(held, known)

    def _trip_again(self, held: Hypothesis, known: dict[int, Hypothesis]) -> None:
        """Let a trip told since then be another outage: the device had closed unheard."""
        signals = self.part.signals
        again = [
            e
            for e in held.events
            if signals[e].what is What.TRIP and signals[e].at > held.since + CLOCKS
        ]
        if again:
            held.events = [e for e in held.events if e not in again]
            held.shrunk = False
            found = self.part.open(held.edge, signals[again[0]].at)
            found.named, found.events = True, again
            known[held.edge] = found

    def _explain(
        self,
        losses: Sequence[tuple[int, Loss]],
        freed: Mapping[int, Hypothesis],
        known: Mapping[int, Hypothesis],
    ) -> None:
        first: dict[int, Loss] = {}
        for _, loss in losses:
            first.setdefault(loss.meter, loss)
        at = losses[0][1].at
        chance = self.part.rate / 60.0 + STRAY * len(first) / max(self.part.meters, 1)
        habit = Habit(HEARD, -log(min(MOST_CHANCE, chance)))
        distinct = list(first.values())
        live = self.darkness.live(at, known)
        opened = judge(self.part.devices, distinct, live, habit, known)
        for index, loss in self._open(opened, losses, known):
            held = freed.get(index)
            if held is not None and not self._stands(held):
                held = self.part.device_holder(self.part.signals[index], CLOCKS)
            if held is not None:
                held.lose(index, loss.meter, loss.node, loss.at)
            else:
                self.loners.single(index, loss.meter, loss.node, loss.at)

    def _stands(self, held: Hypothesis) -> bool:
        """Return whether the outage was not gathered with others meanwhile."""
        return held.edge >= 0 or self.part.by_meter.get(held.meter) is held

    def _open(
        self,
        edges: Sequence[int],
        losses: Sequence[tuple[int, Loss]],
        known: Mapping[int, Hypothesis],
    ) -> list[tuple[int, Loss]]:
        """Open hypotheses at the devices with the losses below them; return the others."""
        wanted = set(edges)
        groups: dict[int, list[tuple[int, Loss]]] = {edge: [] for edge in edges}
        left: list[tuple[int, Loss]] = []
        for index, loss in losses:
            above = [e for e in self.part.devices.above(loss.node) if e in wanted]
            (groups[above[0]] if above else left).append((index, loss))
        for edge, members in groups.items():
            found = known.get(edge)
            if found is None and members:
                times = sorted(loss.at for _, loss in members)
                since = times[len(times) // 2] if len(times) > 2 else times[0]
                found = self.part.at(edge, since)
            for index, loss in members:
                if found is not None and loss.at >= found.since - CLOCKS:
                    found.lose(index, loss.meter, loss.node, loss.at)
                else:
                    left.append((index, loss))
            self.darkness.forget([loss for _, loss in members])
        return sorted(left)


def _had_power(held: Hypothesis, loss: Loss) -> bool:
    """Return whether the loss is not the one that the meter reported already.

    One without a time of its own may be late; it goes where the others of its moment go.
    """
    before = held.lost.get(loss.meter)
    return loss.exact and (before is None or loss.at - before > CLOCKS)
