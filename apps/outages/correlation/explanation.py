"""Why this device: every candidate with what speaks for it, what is silent, what contradicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from apps.outages.correlation.evidence import Signal, What
from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.losses import HEARD
from apps.outages.correlation.outcome import Outcome
from apps.outages.correlation.parts import Devices
from apps.outages.correlation.state import CLOCKS
from apps.outages.correlation.wave import DEVICE_PRICE, Habit

HABIT = Habit(HEARD, lone=7.0)
"""As in a wave, where about one report in a thousand meters comes by chance."""

CONTRADICTION = 3.0
"""What a meter costs that says it has power while the device is said to be open, in nats."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """One candidate: how many meters speak for it, are silent, say they have power.

    `score` is in nats: what it explains less what its silence and contradictions cost. `named`
    says that SCADA, or somebody, named the device.
    """

    edge: int
    meters: int
    reports: int
    silent: int
    against: int
    score: float
    named: bool
    chosen: bool


def explain(
    devices: Devices, found: Hypothesis, outcome: Outcome, signals: Sequence[Signal]
) -> list[Weighed]:
    """Return the candidates, the best first: every device above a meter that reported."""
    reporting = {m: found.nodes[m] for m in found.lost}
    powered = _powered(found, outcome, signals)
    named = {signals[e].edge for e in found.events if signals[e].what is What.TRIP}
    edges = {e for node in reporting.values() for e in devices.above(node)} | named
    if found.edge >= 0:
        edges.add(found.edge)
    weighed = [
        _weigh(devices, edge, reporting, powered, found, named=edge in named)
        for edge in devices.known(list(edges))
    ]
    return sorted(weighed, key=lambda w: (not w.chosen, -w.score))


def _powered(
    found: Hypothesis, outcome: Outcome, signals: Sequence[Signal]
) -> Mapping[int, int]:
    """Return the meters, with their nodes, that said they had power while it went on."""
    end = outcome.ended_at or found.over_at or float("inf")
    return {
        s.meter: s.node
        for s in signals
        if s.what in (What.UP, What.LIT)
        and s.meter not in found.lost
        and found.since + CLOCKS < s.at < end - CLOCKS
    }


def _weigh(
    devices: Devices,
    edge: int,
    reporting: Mapping[int, int],
    powered: Mapping[int, int],
    found: Hypothesis,
    *,
    named: bool,
) -> Weighed:
    reports = sum(edge in devices.above(node) for node in reporting.values())
    against = sum(edge in devices.above(node) for node in powered.values())
    meters = devices.size(edge)
    silent = max(0, meters - reports - against)
    score = reports * (HABIT.lone - HABIT.speaking) - silent * HABIT.silence
    score -= DEVICE_PRICE * (not named) + CONTRADICTION * against
    chosen = edge == found.edge
    return Weighed(edge, meters, reports, silent, against, round(score, 1), named, chosen)
