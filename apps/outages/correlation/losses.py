"""Bursts of exact losses: which devices opened, and who was wrongly thought dark."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from apps.outages.correlation.darkness import Darkness
from apps.outages.correlation.evidence import Signal, What
from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.loners import Loners
from apps.outages.correlation.state import CLOCKS, FREED, Part
from apps.outages.correlation.wave import judge
from apps.outages.correlation.weights import habit_of

STRAY = 0.025
"""How often a meter that hangs elsewhere than the records say reports, per reporting meter."""


FILLED = 0.3
"""The share of a device's meters that proves that the way to it had power."""


@dataclass(slots=True)
class Losses:
    """Places bursts of losses with an exact time."""

    part: Part
    darkness: Darkness
    loners: Loners

    def burst(self, losses: Sequence[int]) -> None:
        """Place a burst of exact losses."""
        part = self.part
        self.darkness.settle_until(part.signals[losses[0]].at)
        fresh: list[int] = []
        doubted: dict[int, list[tuple[int, Hypothesis]]] = {}
        known: dict[int, Hypothesis] = {}
        for index in losses:
            signal = part.signals[index]
            held = part.holder(signal, CLOCKS)
            if held is not None and held.edge < 0:
                held = part.device_holder(signal, CLOCKS) or held
            if held is None:
                fresh.append(index)
            elif signal.at <= held.since + CLOCKS and held.named and not held.pin:
                known[held.edge] = held
                fresh.append(index)
            elif signal.at <= held.since + CLOCKS or held.pin:
                held.lose(index, signal.meter, signal.node, signal.at)
            else:
                doubted.setdefault(id(held), []).append((index, held))
        freed: dict[int, Hypothesis] = {}
        for members in doubted.values():
            held = members[0][1]
            self._doubt(held, [index for index, _ in members], freed, known)
        if fresh or freed:
            self._explain(sorted([*fresh, *freed]), freed, known)

    def _fill_a_part(self, nodes: Iterable[int]) -> bool:
        """Return whether so many below one device had power that the way there had it."""
        devices = self.part.devices
        told = devices.count(nodes)
        return any(n >= max(3.0, FILLED * devices.size(e)) for e, n in told.items())

    def _doubt(
        self,
        held: Hypothesis,
        members: Sequence[int],
        freed: dict[int, Hypothesis],
        known: dict[int, Hypothesis],
    ) -> None:
        """Free the losses of meters thought dark, where so many show that they had power."""
        losses = [self.part.signals[index] for index in members]
        proving = {loss.meter: loss.node for loss in losses if _had_power(held, loss)}
        few = len(proving) < max(3.0, FREED * len(held.lost))
        if held.edge >= 0 and few and not self._fill_a_part(proving.values()):
            for index, loss in zip(members, losses, strict=True):
                held.lose(index, loss.meter, loss.node, loss.at)
            return
        freed.update(dict.fromkeys(members, held))
        if held.edge >= 0:
            held.shrunk = held.over_at is None
            held.shrunk_at = losses[len(losses) // 2].at
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
        losses: Sequence[int],
        freed: Mapping[int, Hypothesis],
        known: Mapping[int, Hypothesis],
    ) -> None:
        signals = self.part.signals
        first: dict[int, Signal] = {}
        for index in losses:
            first.setdefault(signals[index].meter, signals[index])
        chance = self.part.rate / 60.0 + STRAY * len(first) / max(self.part.meters, 1)
        distinct = list(first.values())
        live = self.darkness.live(distinct[0].at, known)
        told = {edge: held.since for edge, held in known.items()}
        opened = judge(self.part.devices, distinct, live, habit_of(chance), told)
        again = {held.edge for held in freed.values() if held.edge >= 0}
        self._place_alone(self._open(opened, losses, known, again), freed)

    def _place_alone(self, losses: Sequence[int], freed: Mapping[int, Hypothesis]) -> None:
        """Leave the losses to where they were, else at their meters.

        A meter that tells its loss twice, as it does where its modem has a gasp of its own, has
        one outage.
        """
        placed: set[int] = set()
        for index in losses:
            loss, held = self.part.signals[index], freed.get(index)
            if held is not None and not self._stands(held):
                held = self.part.device_holder(loss, CLOCKS)
            elif held is None and loss.meter in placed:
                held = self.part.holder(loss, CLOCKS)
            if held is not None:
                held.lose(index, loss.meter, loss.node, loss.at)
            else:
                self.loners.single(index, loss.meter, loss.node, loss.at)
                placed.add(loss.meter)

    def _stands(self, held: Hypothesis) -> bool:
        """Return whether the outage was not gathered with others meanwhile."""
        return held.edge >= 0 or self.part.by_meter.get(held.meter) is held

    def _open(
        self,
        edges: Sequence[int],
        losses: Sequence[int],
        known: Mapping[int, Hypothesis],
        again: Container[int],
    ) -> list[int]:
        """Open hypotheses at the devices with the losses below them; return the others."""
        signals, groups = self.part.signals, self._grouped(edges, losses)
        left = groups.pop(-1)
        for edge, members in groups.items():
            found = known.get(edge)
            if found is None and members:
                middle = len(members) // 2 if len(members) > 2 else 0
                since = signals[members[middle]].at
                opens = self.part.open if edge in again else self.part.at
                found = opens(edge, since)
            for index in members:
                loss = signals[index]
                if found is not None and loss.at >= found.since - CLOCKS:
                    found.lose(index, loss.meter, loss.node, loss.at)
                else:
                    left.append(index)
            self.darkness.forget([signals[index] for index in members])
        return sorted(left)

    def _grouped(self, edges: Sequence[int], losses: Sequence[int]) -> dict[int, list[int]]:
        """Return the losses by the nearest of the devices above them, -1 for none."""
        above, signals = self.part.devices.above, self.part.signals
        groups: dict[int, list[int]] = {edge: [] for edge in (*edges, -1)}
        nearest: dict[tuple[int, ...], list[int]] = {}
        for index in losses:
            chain = above(signals[index].node)
            group = nearest.get(chain)
            if group is None:
                edge = next((edge for edge in chain if edge in groups), -1)
                group = nearest[chain] = groups[edge]
            group.append(index)
        return groups


def _had_power(held: Hypothesis, loss: Signal) -> bool:
    """Return whether the loss is not the one that the meter reported already.

    One without a time of its own may be late; it goes where the others of its moment go.
    """
    before = held.lost.get(loss.meter)
    return loss.exact and (before is None or loss.at - before > CLOCKS)
