"""What is heard of a fault: lossy and late meters, callers, optical units, SCADA; and noise.

Each signal is an event as the public intake takes it, with the moment at which it arrives.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from apps.feeds.storms.faults import Fault
from apps.feeds.storms.world import Meter, World

FEW = 5
NOISE_WORDS = ("comm_fail", "battery_low", "clock_sync", "cover_open", "voltage_sag")
COMPLAINTS = (
    "No power in the whole street.",
    "Lights went out with a bang.",
    "The neighbours are dark too.",
    "No electricity since a few minutes.",
)


@dataclass(frozen=True, slots=True)
class Habits:
    """How reliable who is. Shares are 0 to 1, times are seconds."""

    last_gasp: float = 0.62
    gasp_delay: float = 3.0
    longest_delay: float = 25.0
    retry: float = 0.06
    onu: float = 0.5
    calls: float = 0.02
    call_delay: float = 20.0
    scada_lost: float = 0.0
    scada_late: float = 0.05
    silent_return: float = 0.12


CALM = Habits()
ROUGH = Habits(
    last_gasp=0.55,
    gasp_delay=6.0,
    longest_delay=60.0,
    retry=0.12,
    calls=0.04,
    call_delay=40.0,
    scada_lost=0.1,
    scada_late=0.25,
)


@dataclass(frozen=True, slots=True)
class Signal:
    """An event and when it arrives. `meter` is the number of whom it is about, -1 for a device."""

    arrives_at: datetime
    event: dict[str, Any] = field(compare=False)
    meter: int = -1

    @property
    def name(self) -> str:
        """Return the identity of the event under its source."""
        return str(self.event["source_event_id"])

    @property
    def is_call(self) -> bool:
        """Return whether a person called."""
        return bool(self.event["source_type"] == "call_center")


class Speaker:
    """Says what the world says. `run` keeps the names of events apart from other runs."""

    def __init__(self, world: World, rng: Random, habits: Habits, run: str) -> None:
        self.world = world
        self.rng = rng
        self.habits = habits
        self.run = run
        self._noise = 0

    # --- Power goes -----------------------------------------------------------------------
    def loss(self, fault: Fault) -> list[Signal]:
        """Return all that is heard when the fault happens."""
        found = self._trip(fault)
        for number in fault.meters:
            found += self._gasps(fault, number)
            found += self._optical(fault, number)
        if not fault.is_blink:
            found += self._calls(fault)
        return sorted(found, key=lambda signal: signal.arrives_at)

    def _trip(self, fault: Fault) -> list[Signal]:
        if fault.device not in self.world.watched:
            return []
        name = f"{self.run}-{fault.number}-trip"
        if self.rng.random() < self.habits.scada_lost:
            event = self._event("scada", name, "comm_fail", fault.at)
            return [self._later({**event, "device_id": fault.device}, 1.0)]
        late = self.rng.random() < self.habits.scada_late
        delay = self.rng.uniform(20, 60) if late else self.rng.uniform(0.2, 1.5)
        event = self._event("scada", name, "breaker_trip", fault.at)
        event["device_id"] = fault.device
        return [Signal(fault.at + timedelta(seconds=delay), event)]

    def _gasps(self, fault: Fault, number: int) -> list[Signal]:
        """Return the last gasp, if it comes through, and the head-end's repetition of it."""
        if self.rng.random() >= self.habits.last_gasp:
            return []
        meter = self.world.meters[number]
        at = fault.at + timedelta(seconds=self.rng.uniform(0, 1))
        name = f"{self.run}-{fault.number}-gasp-{meter.code}"
        event = self._event("smart_meter", name, "last_gasp", at)
        event["meter_id"] = meter.code
        first = Signal(at + self._delay(self.habits.gasp_delay), event, number)
        if self.rng.random() >= self.habits.retry:
            return [first]
        again = timedelta(seconds=self.rng.uniform(4, 20))
        return [first, Signal(first.arrives_at + again, event, number)]

    def _optical(self, fault: Fault, number: int) -> list[Signal]:
        meter = self.world.meters[number]
        if not meter.onu or self.rng.random() >= self.habits.onu:
            return []
        at = fault.at + timedelta(seconds=self.rng.uniform(0, 2))
        event = self._event(
            "onu", f"{self.run}-{fault.number}-onu-{meter.code}", "dying_gasp", at
        )
        event["onu_id"] = meter.onu
        return [Signal(at + self._delay(self.habits.gasp_delay), event, number)]

    def _calls(self, fault: Fault) -> list[Signal]:
        few = len(fault.meters) <= FEW
        share = 0.4 if few else self.habits.calls
        callers = [
            number
            for number in fault.meters
            if self.world.meters[number].customer and self.rng.random() < share
        ]
        return [self._call(fault, number) for number in callers]

    def _call(self, fault: Fault, number: int) -> Signal:
        meter = self.world.meters[number]
        after = 5 + self.rng.expovariate(1 / self.habits.call_delay)
        at = fault.at + timedelta(seconds=after)
        name = f"{self.run}-{fault.number}-call-{meter.code}"
        event = self._event("call_center", name, "no_power", at)
        event["description"] = self.rng.choice(COMPLAINTS)
        if meter.phone and self.rng.random() < 0.5:
            event["phone"] = meter.phone
        else:
            event["customer_id"] = meter.customer
        return Signal(at, event, number)

    # --- Power returns --------------------------------------------------------------------
    def back(
        self, fault: Fault, returned: Sequence[int], heard: Iterable[int], at: datetime
    ) -> list[Signal]:
        """Return what is heard when power is back at the meters; `heard` reported its loss.

        A meter that reported the loss reports the return, however late; of the others some
        stay silent.
        """
        found = []
        if fault.device in self.world.watched:
            name = f"{self.run}-{fault.number}-close"
            event = self._event("scada", name, "breaker_close", at)
            event["device_id"] = fault.device
            found.append(Signal(at + timedelta(seconds=0.5), event))
        spoke = set(heard)
        found += [
            self._power_up(fault, number, at)
            for number in returned
            if number in spoke or self.rng.random() >= self.habits.silent_return
        ]
        return sorted(found, key=lambda signal: signal.arrives_at)

    def _power_up(self, fault: Fault, number: int, at: datetime) -> Signal:
        meter = self.world.meters[number]
        on = at + timedelta(seconds=self.rng.uniform(0, 1))
        name = f"{self.run}-{fault.number}-up-{meter.code}"
        event = self._event("smart_meter", name, "power_up", on)
        event["meter_id"] = meter.code
        return Signal(on + self._delay(self.habits.gasp_delay), event, number)

    # --- Noise ----------------------------------------------------------------------------
    def noise(self, at: datetime) -> Signal:
        """Return something that says nothing about power, or that nobody can place."""
        self._noise += 1
        name = f"{self.run}-noise-{self._noise}"
        if self.rng.random() < 0.15:
            event = self._event("call_center", name, "no_power", at)
            event["phone"] = f"+99900{self.rng.randrange(10**6):06d}"
            return Signal(at, event)
        meter: Meter = self.rng.choice(self.world.meters)
        event = self._event("smart_meter", name, self.rng.choice(NOISE_WORDS), at)
        event["meter_id"] = meter.code
        return self._later(event, 2.0)

    # --- Parts ----------------------------------------------------------------------------
    def _delay(self, mean: float) -> timedelta:
        drawn = self.rng.expovariate(1 / mean)
        return timedelta(seconds=min(drawn, self.habits.longest_delay))

    def _later(self, event: dict[str, Any], seconds: float) -> Signal:
        at = datetime.fromisoformat(event["timestamp"])
        return Signal(at + timedelta(seconds=seconds), event)

    @staticmethod
    def _event(source: str, name: str, word: str, at: datetime) -> dict[str, Any]:
        return {
            "event_type": word,
            "source_type": source,
            "source_event_id": name,
            "timestamp": at.isoformat(timespec="milliseconds"),
        }


__all__ = ["CALM", "ROUGH", "Habits", "Signal", "Speaker"]
