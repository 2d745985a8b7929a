"""Why this device: every candidate with what speaks for it, what is silent, what contradicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from apps.outages.correlation.evidence import Signal, What
from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.outcome import Outcome
from apps.outages.correlation.parts import Devices
from apps.outages.correlation.state import CLOCKS
from apps.outages.correlation.weights import DARK_PRICE, DEVICE_PRICE, HEARD, Habit

HABIT = Habit(HEARD, lone=7.0)
"""As in a wave, where about one report in a thousand meters comes by chance."""

CONTRADICTION = 3.0
"""What a meter costs that says it has power while the device is said to be open, in nats."""


class Why(StrEnum):
    """How a candidate compares with the chosen device.

    `NAMED`: SCADA or somebody named it. `BEST`: it explains the reports best. `SAME`: it has the
    same meters below it and cannot be told apart. `NOT_NAMED`: another one was named. `TIMES`:
    by numbers alone as good, but the times of the reports, or what people decided, speak for the
    chosen one. `POWERED`: more meters below it have power. `LESS`: it leaves reports unexplained.
    `SILENT`: too many below it are silent.
    """

    NAMED = "named"
    BEST = "best"
    SAME = "same"
    NOT_NAMED = "not_named"
    TIMES = "times"
    POWERED = "powered"
    LESS = "less"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Weighed:
    """One candidate: how many meters speak for it, are silent, say they have power.

    `score` is in nats: what it explains less what its silence and contradictions cost. `named`
    says that SCADA, or somebody, named the device: it is open for certain, so that who is silent
    below it says nothing against it. `why` compares it with the chosen one.
    """

    edge: int
    meters: int
    reports: int
    silent: int
    against: int
    score: float
    named: bool
    chosen: bool
    why: Why = Why.BEST


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
    told = _compared(devices, weighed, len(reporting))
    return sorted(told, key=lambda w: (not w.chosen, -w.score))


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
    score = reports * (HABIT.lone - HABIT.speaking) - CONTRADICTION * against
    if not named:
        heard = [*reporting.values(), *powered.values()]
        score -= DEVICE_PRICE + _silence(devices, edge, heard)
    chosen = edge == found.edge
    return Weighed(edge, meters, reports, silent, against, round(score, 1), named, chosen)


def _silence(devices: Devices, edge: int, heard: Sequence[int]) -> float:
    """Return what the silence below a device costs that nobody named.

    As in a wave: a branch that is wholly silent costs no more than that it was dark before.
    """
    below = [node for node in heard if edge in devices.above(node)]
    if not below:
        return min(devices.size(edge) * HABIT.silence, DARK_PRICE)
    cost, rest = 0.0, devices.size(edge)
    for child in devices.children(edge):
        rest -= devices.size(child)
        cost += _silence(devices, child, below)
    direct = sum(devices.above(node)[0] == edge for node in below)
    return cost + max(0, rest - direct) * HABIT.silence


def _compared(devices: Devices, weighed: Sequence[Weighed], reports: int) -> list[Weighed]:
    """Say of each how it compares with the chosen one."""
    chosen = next((w for w in weighed if w.chosen), None)
    return [replace(w, why=_why(devices, w, chosen, reports)) for w in weighed]


def _why(devices: Devices, one: Weighed, chosen: Weighed | None, reports: int) -> Why:
    if one.chosen:
        return Why.NAMED if one.named else Why.BEST
    if one.named:
        return Why.NAMED
    if chosen is None:
        return Why.SILENT
    if devices.span(one.edge) == devices.span(chosen.edge) or (
        one.meters == chosen.meters and one.reports == chosen.reports
    ):
        return Why.SAME
    if chosen.named:
        return Why.NOT_NAMED
    if one.score >= chosen.score:
        return Why.TIMES
    if one.against > chosen.against:
        return Why.POWERED
    return Why.LESS if one.reports < reports else Why.SILENT
