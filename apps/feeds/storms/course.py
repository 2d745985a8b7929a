"""The course of a storm: what opens and closes when, and who is dark from when to when."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import hypot
from random import Random

import numpy as np
from numpy.typing import NDArray

from apps.feeds.storms.ranges import Ranges, Reach
from apps.feeds.storms.settings import LARGE, Gusts, Setting, Target

DRAWS = 60
ATTEMPTS = 20
CLOSE_ENOUGH = 0.05
MOMENTARY = 300.0
LEAST, MOST = 0.02, 8.0


@dataclass(frozen=True, slots=True)
class Mishap:
    """A fault as drawn: `at`, `step_at` and `ends_at` in seconds of the storm.

    With a `step` a part is fed again at `step_at`: that part, or if `head_first` all but it.
    """

    number: int
    reach: Reach
    at: float
    ends_at: float
    step: Reach | None = None
    step_at: float = 0.0
    head_first: bool = False


@dataclass(frozen=True, slots=True)
class Spell:
    """One meter's time in the dark, by position: which fault began it, which one ended it."""

    position: int
    start: float
    end: float
    fault: int
    last_fault: int


@dataclass(slots=True)
class Course:
    """The faults, the spells in the dark, and per fault whom it kept dark from when to when."""

    faults: list[Mishap]
    spells: list[Spell] = field(default_factory=list)
    kept: dict[int, dict[int, tuple[float, float]]] = field(default_factory=dict)

    def is_momentary(self, number: int) -> bool:
        """Return whether everybody whom the fault put in the dark was back within 5 minutes."""
        return all(end - start <= MOMENTARY for start, end in self.kept[number].values())


def plan(ranges: Ranges, setting: Setting, rng: Random, faults: int) -> Course:
    """Return the course of a storm in which about as many are dark as the setting says."""
    if setting.dark is None:
        return play(_Draft(ranges, setting, rng, 1.0).draw(faults), len(ranges.order))
    wanted = setting.dark * faults * min(1.0, len(ranges.order) / setting.meters)
    scale, best = 1.0, None
    for _ in range(ATTEMPTS):
        drawn = _Draft(ranges, setting, Random(rng.getrandbits(64)), scale).draw(faults)  # noqa: S311
        found = play(drawn, len(ranges.order))
        off = abs(len(found.spells) - wanted)
        if best is None or off < abs(len(best.spells) - wanted):
            best = found
        if off <= CLOSE_ENOUGH * wanted:
            break
        ratio = wanted / max(len(found.spells), 1)
        scale = min(max(scale * ratio**0.7, LEAST), MOST)
    return best or Course([])


class _Draft:
    """Draws the faults of a storm, none on a device that is open already."""

    def __init__(self, ranges: Ranges, setting: Setting, rng: Random, scale: float) -> None:
        self.ranges, self.setting, self.rng = ranges, setting, rng
        self.targets = [target for target in Target if ranges.by_target[target]]
        self.weights = [
            setting.weights.get(target, 0.0) * (scale if target in LARGE else 1.0)
            for target in self.targets
        ]
        self.devices = [r for r in ranges.reaches if r.target != Target.SERVICE]
        self.made: list[Mishap] = []

    def draw(self, faults: int) -> list[Mishap]:
        """Return the faults in the order of their beginning."""
        if not self.targets:
            return []
        if self.setting.gusts is None:
            moments = [self.rng.uniform(0, self.setting.lasts) for _ in range(faults)]
            for at in sorted(moments):
                self._one(at, self.ranges.by_target)
        else:
            self._fronts(faults)
        return self.made

    def _fronts(self, faults: int) -> None:
        """Draw fronts until there are enough faults; a front may run out of what can break."""
        gusts = self.setting.gusts or Gusts()
        while (left := faults - len(self.made)) > 0:
            sizes: list[int] = []
            while sum(sizes) < left:
                sizes.append(min(self.rng.randint(*gusts.size), left - sum(sizes)))
            moments = sorted(self.rng.uniform(0, self.setting.lasts) for _ in sizes)
            before = len(self.made)
            for at, size in zip(moments, sizes, strict=True):
                self._front(at, size, gusts)
            if len(self.made) == before:
                return

    def _front(self, at: float, size: int, gusts: Gusts) -> None:
        near = self._around(gusts.across)
        for _ in range(size):
            self._one(at, near)
            at += self.rng.expovariate(1 / gusts.gap)

    def _around(self, across: float) -> dict[Target, list[Reach]]:
        """Return what can break in a circle so wide, in metres."""
        middle = self.rng.choice(self.ranges.reaches)
        return {
            target: [
                reach
                for reach in reaches
                if hypot(reach.x - middle.x, reach.y - middle.y) <= across / 2
            ]
            for target, reaches in self.ranges.by_target.items()
        }

    def _one(self, at: float, among: dict[Target, list[Reach]]) -> None:
        """Draw a fault that takes power from somebody, or one below what is open already."""
        running = [fault for fault in self.made if fault.at <= at < fault.ends_at]
        taken = {fault.reach.code for fault in self.made if fault.ends_at > at}
        below = bool(running) and self.rng.random() < self.setting.nested
        weights = [
            weight if among[target] else 0.0
            for target, weight in zip(self.targets, self.weights, strict=True)
        ]
        if not any(weights):
            return
        for _ in range(DRAWS):
            target = self.rng.choices(self.targets, weights)[0]
            reach = self.rng.choice(among[target])
            above = [fault for fault in running if _within(reach, fault.reach)]
            if reach.code in taken:
                continue
            if self.setting.apart and any(
                fault.reach.feeder == reach.feeder for fault in running
            ):
                continue
            if bool(above) == below:
                self.made.append(self._timed(reach, at, above))
                return

    def _timed(self, reach: Reach, at: float, above: Sequence[Mishap]) -> Mishap:
        setting, rng, number = self.setting, self.rng, len(self.made) + 1
        if above:
            latest = max(fault.ends_at for fault in above)
            return Mishap(number, reach, at, latest + rng.uniform(600, 3600))
        if reach.target != Target.SERVICE and rng.random() < setting.momentary:
            return Mishap(number, reach, at, at + rng.uniform(*setting.momentary_for))
        ends_at = at + rng.uniform(*setting.repair)
        if rng.random() < setting.steps and (part := self._part(reach)) is not None:
            step_at = at + (ends_at - at) * rng.uniform(0.3, 0.7)
            return Mishap(number, reach, at, ends_at, part, step_at, rng.random() < 0.5)
        return Mishap(number, reach, at, ends_at)

    def _part(self, reach: Reach) -> Reach | None:
        """Return a device below that feeds a good part of those the given one feeds."""
        size = reach.last - reach.first
        parts = [
            part
            for part in self.devices
            if _within(part, reach) and 0.15 <= (part.last - part.first) / size <= 0.8
        ]
        return self.rng.choice(parts) if size > 5 and parts else None


def _within(one: Reach, other: Reach) -> bool:
    return other.first <= one.first and one.last <= other.last


# --- What the faults do -------------------------------------------------------------------
def play(faults: list[Mishap], count: int) -> Course:
    """Let the faults happen to so many meters; return who was dark because of which."""
    stage = _Stage(faults, count)
    turns: list[tuple[float, int, str]] = []
    for fault in faults:
        turns.append((fault.at, fault.number, "begin"))
        turns.append((fault.ends_at, fault.number, "end"))
        if fault.step is not None:
            turns.append((fault.step_at, fault.number, "step"))
    heapq.heapify(turns)
    while turns:
        at, number, what = heapq.heappop(turns)
        if what == "begin":
            stage.begin(number, at)
        else:
            stage.back(number, at, is_last=what == "end")
    return stage.course


class _Stage:
    """`cover` counts the open faults above each meter, by position; `owner` has its fault."""

    def __init__(self, faults: list[Mishap], count: int) -> None:
        self.course = Course(faults, kept={fault.number: {} for fault in faults})
        self.faults = {fault.number: fault for fault in faults}
        self.running: dict[int, list[NDArray[np.int64]]] = {}
        self.cover = np.zeros(count, np.int32)
        self.owner = np.zeros(count, np.int64)
        self.first = np.zeros(count, np.int64)
        self.since = np.zeros(count)
        self.dark_at = np.zeros(count)

    def begin(self, number: int, at: float) -> None:
        """Open the device of the fault."""
        reach = self.faults[number].reach
        covered = np.arange(reach.first, reach.last)
        lost = covered[self.cover[covered] == 0]
        self.cover[covered] += 1
        self.owner[lost] = self.first[lost] = number
        self.since[lost] = self.dark_at[lost] = at
        self.running[number] = [covered]

    def back(self, number: int, at: float, *, is_last: bool) -> None:
        """Feed again what the fault holds, or the part that its step feeds."""
        fault = self.faults[number]
        (held,) = self.running.pop(number)
        if not is_last and fault.step is not None:
            inside = (held >= fault.step.first) & (held < fault.step.last)
            freed, rest = held[inside != fault.head_first], held[inside == fault.head_first]
            self.running[number] = [rest]
        else:
            freed = held
        self.cover[freed] -= 1
        returned = freed[self.cover[freed] == 0]
        for position in returned.tolist():
            self._end(position, at)
        if len(returned):
            self._hand_over(number, freed, at)

    def _end(self, position: int, at: float) -> None:
        owner = int(self.owner[position])
        self._keep(owner, position, at)
        first, start = int(self.first[position]), float(self.dark_at[position])
        self.course.spells.append(Spell(position, start, at, first, owner))
        self.owner[position] = 0

    def _hand_over(self, number: int, freed: NDArray[np.int64], at: float) -> None:
        """Give who stays dark, and was the fault's, to the smallest fault that holds them."""
        dark = freed[(self.cover[freed] > 0) & (self.owner[freed] == number)]
        holders = sorted(
            (len(held), other)
            for other, (held,) in self.running.items()
            if np.isin(held, dark).any()
        )
        for position in dark.tolist():
            self._keep(number, position, at)
        self.since[dark] = at
        for _, other in reversed(holders):
            mine = dark[np.isin(dark, self.running[other][0])]
            self.owner[mine] = other

    def _keep(self, number: int, position: int, until: float) -> None:
        kept = self.course.kept[number]
        start, _ = kept.get(position, (float(self.since[position]), 0.0))
        kept[position] = (start, until)
