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
    device, `all_at` every one; `by_meter` the last of each single meter. `_last` and `_all`
    remember what they have above each device, itself included, until there is another one.
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
    _last: dict[int, list[Hypothesis]] = field(default_factory=dict)
    _all: dict[int, list[Hypothesis]] = field(default_factory=dict)

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
                before.replaced_at = found.since
                if before.over_at is None:
                    before.fade(found.since)
            self.by_edge[found.edge] = found
            self.all_at.setdefault(found.edge, []).append(found)
            self._last.clear()
            self._all.clear()
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
        for held in self.last_above(signal.node):
            if self.holds(held, signal, slack):
                return held
        return None

    def holds(self, held: Hypothesis, signal: Signal, slack: float) -> bool:
        """Return whether the signal's place was in the dark because of this."""
        at, over = signal.at, held.over_at
        if at < held.since - slack or not held.may_be_dark(signal.meter):
            return False
        if over is None or at <= over:
            return True
        if not held.remains:
            return False
        return held.has_remains(self.devices.position(signal.node))

    def last_above(self, node: int) -> Sequence[Hypothesis]:
        """Return the last hypothesis of each device above the node, the nearest first."""
        chain = self.devices.above(node)
        if not chain:
            return ()
        found = self._last.get(chain[0])
        if found is None:
            found = [self.by_edge[edge] for edge in chain if edge in self.by_edge]
            self._last[chain[0]] = found
        return found

    def open_above(self, held: Hypothesis, at: float) -> list[Hypothesis]:
        """Return what was open at that moment above the device of the hypothesis."""
        above = self.last_above(held.node)
        return [h for h in above if h is not held and h.since <= at and not h.is_over(at)]

    def all_above(self, node: int) -> Sequence[Hypothesis]:
        """Return every hypothesis of the devices above the node, those of the nearest first."""
        chain = self.devices.above(node)
        if not chain:
            return ()
        found = self._all.get(chain[0])
        if found is None:
            found = [held for edge in chain for held in self.all_at.get(edge, ())]
            self._all[chain[0]] = found
        return found
