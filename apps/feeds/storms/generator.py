"""A whole storm at once, with what was true: the same seed gives the same storm."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from apps.feeds.storms.faults import Cause, Fault, Targets, Weather
from apps.feeds.storms.signals import ROUGH, Habits, Signal, Speaker
from apps.feeds.storms.world import World

if TYPE_CHECKING:
    from apps.network.topology import Grid

NOISE = 0.03
STORMY = Weather(
    weights={
        Cause.TRANSFORMER: 0.45,
        Cause.SERVICE: 0.15,
        Cause.SECTION: 0.2,
        Cause.FEEDER: 0.2,
    },
    passing=0.15,
    passing_for=(timedelta(minutes=1), timedelta(minutes=4)),
    blinks=0.1,
)


@dataclass(frozen=True, slots=True)
class Truth:
    """What really happened in one fault: the device, who was dark, from when to when.

    `ended_at` holds for each meter when its power came back.
    """

    number: int
    cause: Cause
    device: str
    started_at: datetime
    ended_at: dict[str, datetime]
    events: tuple[str, ...]

    def as_line(self) -> dict[str, Any]:
        """Return the truth as plain values."""
        return {
            "fault": self.number,
            "cause": self.cause.value,
            "device_id": self.device,
            "started_at": self.started_at.isoformat(),
            "meters": {code: at.isoformat() for code, at in sorted(self.ended_at.items())},
            "events": list(self.events),
        }


@dataclass(frozen=True, slots=True)
class Storm:
    """The signals in the order of their arrival, and the truth about each fault."""

    signals: list[Signal]
    truth: list[Truth]

    def lines(self) -> list[dict[str, Any]]:
        """Return the events as others send them, each with when the head-end got it."""
        return [
            {
                **signal.event,
                "received_at": signal.arrives_at.isoformat(timespec="milliseconds"),
            }
            for signal in self.signals
        ]


@dataclass(frozen=True, slots=True)
class _Happening:
    fault: Fault
    ends_at: datetime


def generate(
    world: World,
    *,
    seed: int,
    faults: int,
    starts_at: datetime,
    lasts: timedelta = timedelta(minutes=10),
    habits: Habits = ROUGH,
) -> Storm:
    """Return a storm of so many faults that begin within `lasts`.

    Repairs take a quarter of an hour to two hours. What a fault below an open feeder leaves
    in the dark comes back with the feeder.
    """
    rng = Random(seed)  # noqa: S311 - a storm is no secret
    course = _Course(world, rng, Speaker(world, rng, habits, f"storm-{seed}"))
    moments = sorted(rng.uniform(0, lasts.total_seconds()) for _ in range(faults))
    for number, seconds in enumerate(moments, start=1):
        course.advance(starts_at + timedelta(seconds=seconds))
        course.begin(number, starts_at + timedelta(seconds=seconds))
    course.advance(None)
    course.add_noise(starts_at, lasts)
    course.signals.sort(key=lambda signal: (signal.arrives_at, signal.name))
    return Storm(
        course.signals, [course.truths[number] for number in sorted(course.truths)]
    )


class _Course:
    """The storm while it goes on: what is open, who is dark and because of which fault."""

    def __init__(self, world: World, rng: Random, speaker: Speaker) -> None:
        self.world, self.rng, self.speaker = world, rng, speaker
        self.targets = Targets(world)
        self.grid: Grid = world.grid
        self.running: list[_Happening] = []
        self.dark: dict[int, int] = {}
        self.heard: set[int] = set()
        self.signals: list[Signal] = []
        self.truths: dict[int, Truth] = {}

    def begin(self, number: int, at: datetime) -> None:
        fault = self.targets.draw(
            self.rng, STORMY, self.grid, self.dark, number=number, at=at
        )
        if fault is None:
            return
        repair = timedelta(minutes=self.rng.uniform(15, 120))
        self.running.append(_Happening(fault, fault.clears_at or at + repair))
        if fault.cause is not Cause.SERVICE:
            self.grid = self.world.switched(self.grid, fault.device, closed=False)
        self.dark.update(dict.fromkeys(fault.meters, number))
        said = self.speaker.loss(fault)
        self.heard.update(signal.meter for signal in said if signal.meter >= 0)
        self.signals += said
        names = tuple(sorted({signal.name for signal in said}))
        self.truths[number] = Truth(number, fault.cause, fault.device, at, {}, names)

    def advance(self, until: datetime | None) -> None:
        """Let what ends before `until` end, in its order."""
        self.running.sort(key=lambda happening: happening.ends_at)
        while self.running and (until is None or self.running[0].ends_at <= until):
            self._end(self.running.pop(0))

    def _end(self, happening: _Happening) -> None:
        fault, at = happening.fault, happening.ends_at
        if fault.cause is not Cause.SERVICE:
            self.grid = self.world.switched(self.grid, fault.device, closed=True)
        services = {
            number
            for other in self.running
            if other.fault.cause is Cause.SERVICE
            for number in other.fault.meters
        }
        waiting = [number for number in self.dark if number not in services]
        returned = self.world.live(self.grid, waiting)
        for number in returned:
            truth = self.truths[self.dark.pop(number)]
            truth.ended_at[self.world.meters[number].code] = at
        gone = set(returned)
        self.signals = [
            s
            for s in self.signals
            if not (s.is_call and s.meter in gone and s.arrives_at > at)
        ]
        self.signals += self.speaker.back(fault, returned, self.heard, at)
        self.heard -= gone

    def add_noise(self, starts_at: datetime, lasts: timedelta) -> None:
        for _ in range(int(NOISE * len(self.signals))):
            seconds = self.rng.uniform(0, lasts.total_seconds())
            self.signals.append(self.speaker.noise(starts_at + timedelta(seconds=seconds)))
