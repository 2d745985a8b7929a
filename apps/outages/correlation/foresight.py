"""What a batch says by itself: at which devices its losses have a common cause. Pure.

A storm comes in by thousands of events. Those of one cause then open one outage at the device,
instead of one a transformer, which the judge would gather again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter

from apps.outages.correlation.course import infer
from apps.outages.correlation.evidence import Signal
from apps.outages.correlation.parts import Devices

FEWEST = 100
"""Events from which on it is worth looking: fewer are matched one by one."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What some events of a batch have in common: the open device, or -1 for a single meter."""

    number: int
    edge: int


def foresee(devices: Devices, told: Mapping[int, tuple[int, Signal]]) -> dict[int, Cause]:
    """Return the cause of each event by the event's position.

    `told` has the feeder's number and the signal of each event on the network, by position.
    """
    if len(told) < FEWEST:
        return {}
    positions: dict[int, dict[Signal, list[int]]] = {}
    for position, (feeder, signal) in told.items():
        positions.setdefault(feeder, {}).setdefault(signal, []).append(position)
    found: dict[int, Cause] = {}
    count = 0
    for feeder, said in positions.items():
        pairs = sorted(said.items(), key=itemgetter(0))
        signals = [signal for signal, _ in pairs]
        for hypothesis in infer(devices, signals, (), devices.meters_of(feeder)):
            count += 1
            cause = Cause(count, hypothesis.edge)
            for event in hypothesis.events:
                for position in pairs[event][1]:
                    found[position] = cause
    return found
