"""What is known of one part of the network while its signals are read."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from apps.outages.correlation.evidence import Signal
from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.parts import Devices

CLOCKS = 40.0
"""Seconds that two clocks may be apart."""

FREED = 0.1
"""The share of an outage's reporters that prove it wrong where they had power."""


@dataclass(slots=True)
class Part:
    """The hypotheses so far.

    `rate` is how often a meter reports a loss by itself, per hour; `meters` how many the part
    has; `now` the moment until which silence counts. `by_edge` has the last hypothesis of each
    device, `all_at` every one; `by_meter` the last of each single meter.
    """

    devices: Devices
    signals: Sequence[Signal]
    rate: float
    meters: int
    now: float
    found: list[Hypothesis] = field(default_factory=list)
    by_edge: dict[int, Hypothesis] = field(default_factory=dict)
    all_at: dict[int, list[Hypothesis]] = field(default_factory=dict)
    by_meter: dict[int, Hypothesis] = field(default_factory=dict)

    def at(self, edge: int, since: float) -> Hypothesis:
        """Return the hypothesis that the device opened then: the one there is, or a new one."""
        held = self.by_edge.get(edge)
        if held is not None and not held.settled and not held.is_over(since):
            return held
        return self.open(edge, since)

    def open(
        self,
        edge: int,
        since: float,
        parent: Hypothesis | None = None,
    ) -> Hypothesis:
        """Return a new hypothesis: the device opened then."""
        node = self.devices.fed(edge)
        found = Hypothesis(edge, node, -1, since, parent=parent)
        self.keep(found)
        return found

    def keep(self, found: Hypothesis) -> None:
        """Let the hypothesis take part in what follows."""
        self.found.append(found)
        if found.edge >= 0:
            before = self.by_edge.get(found.edge)
            if before is not None:
                before.replaced = True
                if before.over_at is None:
                    before.faded_at = found.since
            self.by_edge[found.edge] = found
            self.all_at.setdefault(found.edge, []).append(found)
        elif found.meter >= 0:
            self.by_meter[found.meter] = found

    def holder(self, signal: Signal, slack: float) -> Hypothesis | None:
        """Return the open hypothesis that has the signal's place in the dark, the innermost."""
        held = self.by_meter.get(signal.meter)
        if held is not None and self.holds(held, signal, slack):
            return held
        return self.device_holder(signal, slack)

    def device_holder(self, signal: Signal, slack: float) -> Hypothesis | None:
        """Return the same, of devices only."""
        for edge in self.devices.above(signal.node):
            held = self.by_edge.get(edge)
            if held is not None and self.holds(held, signal, slack):
                return held
        return None

    def holds(self, held: Hypothesis, signal: Signal, slack: float) -> bool:
        """Return whether the signal's place was in the dark because of this."""
        if signal.at < held.since - slack:
            return False
        position = self.devices.position(signal.node)
        return held.is_dark(signal.meter, position, signal.at)

    def meters_between(self, first: int, last: int) -> int:
        """Return how many meters hang at these positions of the tree."""
        sums = self.devices.grid.tree.meters_before
        return int(sums[last]) - int(sums[first])
