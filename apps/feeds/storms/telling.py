"""What is heard of a storm's course: lossy, late, doubled, with clocks that are off."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from apps.feeds.storms.course import Course, Mishap, Spell
from apps.feeds.storms.ranges import Ranges
from apps.feeds.storms.settings import Setting, Target
from apps.feeds.storms.signals import COMPLAINTS, NOISE_WORDS, Signal

FEW = 5
TRIPS = {"breaker": "breaker_trip", "recloser": "recloser_lockout"}
CLOSES = {"breaker": "breaker_close", "recloser": "recloser_close"}
TRIP_WORDS = frozenset(TRIPS.values())
LOSSES = TRIP_WORDS | {"last_gasp", "dying_gasp", "no_power"}
BLINK_SECONDS = (5.0, 45.0)
MOST_BLINKING = 250


@dataclass(frozen=True, slots=True)
class Named:
    """An event by its name, with whose it is: a meter's code, or "" for a device's."""

    source: str
    name: str
    meter: str
    word: str


@dataclass(slots=True)
class Told:
    """The signals, not yet in order, and the names by fault; 0 has the noise's."""

    signals: list[Signal] = field(default_factory=list)
    names: dict[int, list[Named]] = field(default_factory=dict)


class Teller:
    """Says what is heard. `run` keeps the names of events apart from those of other storms."""

    def __init__(
        self, ranges: Ranges, setting: Setting, rng: Random, start: datetime, run: str
    ) -> None:
        self.ranges, self.setting, self.rng = ranges, setting, rng
        self.habits = setting.mishaps
        self.start, self.run = start, run
        self.meters = ranges.world.meters
        self.clock = [rng.gauss(0, self.habits.clock) for _ in self.meters]
        self.timeless = [rng.random() < self.habits.timeless for _ in self.meters]
        self.told = Told()
        self.dark: dict[int, list[Spell]] = {}

    def tell(self, course: Course, watched: frozenset[str]) -> Told:
        """Return all that is heard of the course, and the noise beside it."""
        for spell in course.spells:
            self.dark.setdefault(spell.position, []).append(spell)
        sizes = {number: len(kept) for number, kept in course.kept.items()}
        for fault in course.faults:
            if fault.reach.code in watched and sizes[fault.number]:
                self._scada(fault)
        for spell in course.spells:
            self._spell(spell, sizes[spell.fault])
        self._noise(course)
        return self.told

    # --- Outages ------------------------------------------------------------------------
    def _scada(self, fault: Mishap) -> None:
        kind, code = fault.reach.target.value, fault.reach.code
        closes_at = fault.step_at if fault.step and fault.head_first else fault.ends_at
        for at, words in ((fault.at, TRIPS), (closes_at, CLOSES)):
            word = words.get(kind, words["breaker"])
            delay = self.rng.uniform(0.2, 2.0)
            if self.rng.random() < self.habits.scada_lost:
                word = "comm_fail"
            elif self.rng.random() < self.habits.scada_late:
                delay += self.rng.uniform(*self.habits.scada_late_by)
            event = self._event("scada", word, at, device_id=code)
            owner = 0 if word == "comm_fail" else fault.number
            self._say(owner, at + delay, event, -1)

    def _spell(self, spell: Spell, size: int) -> None:
        number = int(self.ranges.order[spell.position])
        meter, rng = self.meters[number], self.rng
        if rng.random() < self.habits.gasps:
            crowd = rng.uniform(0, min(size / 25, 60.0))
            at = spell.start + rng.uniform(0, 1.5)
            self._meter(spell.fault, number, "last_gasp", at, crowd)
        if rng.random() < self.habits.power_ups:
            at = spell.end + rng.uniform(1, 8)
            crowd = rng.uniform(0, min(size / 15, 120.0))
            self._meter(spell.last_fault, number, "power_up", at, crowd)
        if meter.onu and rng.random() < self.habits.onu:
            at = spell.start + rng.uniform(0, 2)
            event = self._event("onu", "dying_gasp", at, onu_id=meter.onu)
            self._say(spell.fault, at + self._delay(), event, number)
        share = 0.4 if size <= FEW else self.habits.calls
        if meter.customer and rng.random() < share:
            self._call(spell, number)

    def _call(self, spell: Spell, number: int) -> None:
        at = spell.start + 60 + self.rng.expovariate(1 / self.habits.call_after)
        if at >= spell.end:
            return
        meter = self.meters[number]
        by_phone = meter.phone and self.rng.random() < 0.5
        place = {"phone": meter.phone} if by_phone else {"customer_id": meter.customer}
        event = self._event("call_center", "no_power", at, **place)
        event["description"] = self.rng.choice(COMPLAINTS)
        self._say(spell.fault, at + self.rng.uniform(1, 20), event, number)

    def _meter(
        self, fault: int, number: int, word: str, at: float, crowd: float = 0.0
    ) -> None:
        """Say what a meter reports, and what the head-end makes of it."""
        habits, rng = self.habits, self.rng
        arrives = at + self._delay() + crowd
        if rng.random() < habits.late:
            arrives += rng.uniform(*habits.late_by)
        event = self._reported(number, word, at, arrives)
        self._say(fault, arrives, event, number)
        if rng.random() < habits.repeat:
            self.told.signals.append(
                Signal(self._moment(arrives + rng.uniform(1, 300)), event, number)
            )
        if rng.random() < habits.retry:
            again = arrives + rng.uniform(*habits.retry_after)
            self._say(fault, again, self._reported(number, word, at, again), number)

    def _reported(
        self, number: int, word: str, at: float, arrives: float
    ) -> dict[str, Any]:
        own = arrives if self.timeless[number] else at + self.clock[number]
        code = self.meters[number].code
        return self._event("smart_meter", word, own, meter_id=code)

    # --- Noise --------------------------------------------------------------------------
    def _noise(self, course: Course) -> None:
        share = self.habits.noise
        wanted = int(len(self.told.signals) * share / (1 - share))
        until = len(self.told.signals)
        laterals = [
            reach
            for target in (Target.FUSE, Target.TRANSFORMER)
            for reach in self.ranges.by_target[target]
            if 1 < reach.last - reach.first <= MOST_BLINKING
        ]
        tries = 0
        while (
            laterals and tries < wanted and self._made(until) < wanted * self.habits.blinks
        ):
            reach, tries = self.rng.choice(laterals), tries + 1
            self._blink(range(reach.first, reach.last), self._any_time())
        while self._made(until) < wanted and tries < 20 * wanted:
            tries += 1
            self._single()

    def _made(self, before: int) -> int:
        return len(self.told.signals) - before

    def _any_time(self) -> float:
        return self.rng.uniform(0, self.setting.lasts)

    def _blink(self, positions: range, at: float) -> None:
        """Let everybody below a device flicker who has power around that time."""
        back = at + self.rng.uniform(*BLINK_SECONDS)
        for position in positions:
            if self._is_dark(position, at - 60, back + 60):
                continue
            number = int(self.ranges.order[position])
            if self.rng.random() < self.habits.gasps:
                self._meter(0, number, "last_gasp", at + self.rng.uniform(0, 1.5))
            if self.rng.random() < self.habits.power_ups:
                self._meter(0, number, "power_up", back + self.rng.uniform(0, 3))

    def _single(self) -> None:
        rng, at = self.rng, self._any_time()
        position = rng.randrange(len(self.ranges.order))
        number = int(self.ranges.order[position])
        chance = rng.random()
        if chance < 0.04:
            phone = f"+99900{rng.randrange(10**6):06d}"
            event = self._event("call_center", "no_power", at, phone=phone)
            self._say(0, at + rng.uniform(1, 20), event, -1)
        elif chance < 0.35:
            self._meter(0, number, rng.choice(NOISE_WORDS), at)
        elif not self._is_dark(position, at - 60, at + 60):
            self._meter(0, number, "last_gasp", at)
            if rng.random() < 0.5:
                self._meter(0, number, "power_up", at + rng.uniform(3, 55))

    def _is_dark(self, position: int, start: float, end: float) -> bool:
        spells = self.dark.get(position, ())
        return any(spell.start < end and start < spell.end for spell in spells)

    # --- Parts --------------------------------------------------------------------------
    def _delay(self) -> float:
        return min(0.3 + self.rng.expovariate(1 / 5.0), 45.0)

    def _moment(self, seconds: float) -> datetime:
        return self.start + timedelta(seconds=seconds)

    def _event(self, source: str, word: str, at: float, **place: str) -> dict[str, Any]:
        return {
            "event_type": word,
            "source_type": source,
            "source_event_id": f"{self.run}-{self.rng.getrandbits(52):013x}",
            "timestamp": self._moment(at).isoformat(timespec="milliseconds"),
            **place,
        }

    def _say(
        self, fault: int, arrives: float, event: Mapping[str, Any], number: int
    ) -> None:
        self.told.signals.append(Signal(self._moment(arrives), dict(event), number))
        code = self.meters[number].code if number >= 0 else ""
        self.told.names.setdefault(fault, []).append(
            Named(event["source_type"], event["source_event_id"], code, event["event_type"])
        )
