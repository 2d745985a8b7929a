"""A storm by which correlation is measured, with all that was true of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from apps.feeds.storms.course import Course, plan
from apps.feeds.storms.ranges import Ranges, misplaced
from apps.feeds.storms.settings import Setting, Target
from apps.feeds.storms.signals import Signal
from apps.feeds.storms.telling import Named, Teller
from apps.feeds.storms.world import World


@dataclass(frozen=True, slots=True)
class TrueOutage:
    """One outage as it was: the device, who was dark from when to when, and what was heard.

    `device` is that of a meter for a fault of one service. `dark` maps the codes of meters.
    """

    number: int
    cause: Target
    device: str
    started_at: datetime
    is_momentary: bool
    dark: dict[str, tuple[datetime, datetime]]
    events: tuple[Named, ...]

    def as_line(self) -> dict[str, Any]:
        """Return the outage as plain values."""
        return {
            "fault": self.number,
            "cause": self.cause.value,
            "device_id": self.device,
            "momentary": self.is_momentary,
            "started_at": self.started_at.isoformat(),
            "meters": {
                code: [start.isoformat(), end.isoformat()]
                for code, (start, end) in sorted(self.dark.items())
            },
            "events": [[e.source, e.name, e.meter, e.word] for e in self.events],
        }


@dataclass(frozen=True, slots=True)
class Trial:
    """The signals in the order of their arrival, the outages, and the names of the noise.

    `world` is what is true; the records differ in where some meters hang.
    """

    world: World
    signals: list[Signal]
    outages: list[TrueOutage]
    noise: tuple[Named, ...]

    def lines(self) -> list[dict[str, Any]]:
        """Return the events as others send them, each with when the head-end got it."""
        return [
            {
                **signal.event,
                "received_at": signal.arrives_at.isoformat(timespec="milliseconds"),
            }
            for signal in self.signals
        ]

    def truth_lines(self) -> list[dict[str, Any]]:
        """Return the truth as plain values: the outages, and last the noise."""
        noise = [[e.source, e.name, e.meter, e.word] for e in self.noise]
        return [*(outage.as_line() for outage in self.outages), {"noise": noise}]


def trial(
    records: World,
    setting: Setting,
    *,
    seed: int,
    starts_at: datetime,
    faults: int | None = None,
) -> Trial:
    """Return a storm of a setting on the network as the records have it."""
    rng = Random(f"{setting.name}-{seed}")  # noqa: S311 - a storm is no secret
    world = misplaced(records, setting.mishaps.misplaced, rng)
    ranges = Ranges(world)
    course = plan(ranges, setting, rng, setting.faults if faults is None else faults)
    watched = world.watched | {
        reach.code
        for reach in ranges.by_target[Target.RECLOSER]
        if rng.random() < setting.watched_reclosers
    }
    run = f"{setting.name}-{seed}-{starts_at:%y%m%d%H%M}"
    told = Teller(ranges, setting, rng, starts_at, run).tell(course, watched)
    told.signals.sort(key=lambda signal: (signal.arrives_at, signal.name))
    outages = _outages(ranges, course, told.names, starts_at)
    return Trial(world, told.signals, outages, tuple(told.names.get(0, ())))


def _outages(
    ranges: Ranges, course: Course, names: dict[int, list[Named]], starts_at: datetime
) -> list[TrueOutage]:
    codes = [ranges.world.meters[number].code for number in ranges.order.tolist()]

    def moment(seconds: float) -> datetime:
        return starts_at + timedelta(seconds=seconds)

    return [
        TrueOutage(
            fault.number,
            fault.reach.target,
            fault.reach.code,
            moment(min(start for start, _ in kept.values())),
            course.is_momentary(fault.number),
            {codes[p]: (moment(start), moment(end)) for p, (start, end) in kept.items()},
            tuple(names.get(fault.number, ())),
        )
        for fault in course.faults
        if (kept := course.kept[fault.number])
    ]
