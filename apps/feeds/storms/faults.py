"""What breaks: a feeder, a section, a transformer, or one customer's service."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING

from apps.feeds.storms.world import World

if TYPE_CHECKING:
    from apps.network.topology import Grid

DRAWS = 20
LONGEST_BLINK = 8.0


class Cause(StrEnum):
    """What kind of thing broke."""

    FEEDER = "feeder"
    SECTION = "section"
    TRANSFORMER = "transformer"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what opened, who went dark because of it, and when it clears by itself.

    `device` is a device's code, or that of a meter for a service fault. `meters` are numbers of
    the world. `clears_at` is None for a fault that somebody has to repair.
    """

    number: int
    cause: Cause
    device: str
    at: datetime
    meters: tuple[int, ...]
    clears_at: datetime | None = None
    is_blink: bool = False


@dataclass(frozen=True, slots=True)
class Weather:
    """How often what breaks, and how often it mends itself.

    `passing` is the share of faults that clear by themselves within `passing_for` (shortest and
    longest), `blinks` the share that is over within seconds.
    """

    weights: Mapping[Cause, float] = field(
        default_factory=lambda: {
            Cause.TRANSFORMER: 0.5,
            Cause.SERVICE: 0.2,
            Cause.SECTION: 0.15,
            Cause.FEEDER: 0.15,
        }
    )
    passing: float = 0.2
    passing_for: tuple[timedelta, timedelta] = (
        timedelta(seconds=20),
        timedelta(seconds=60),
    )
    blinks: float = 0.1


class Targets:
    """What can break, by cause."""

    def __init__(self, world: World, *, spared: Collection[str] = ()) -> None:
        """Sort the protective devices; what feeds a meter in `spared` never breaks."""
        self.world = world
        self.by_cause: dict[Cause, list[str]] = {cause: [] for cause in Cause}
        kept = self._spared_nodes(spared)
        grid = world.grid
        for edge in range(len(grid.closed)):
            if not grid.is_protective(edge):
                continue
            found = grid.interrupted_by(edge)
            if found.customers and not (kept and kept.intersection(found.nodes.tolist())):
                code = grid.edge_code(edge)
                self.by_cause[self._cause(edge, code)].append(code)
        self.by_cause[Cause.SERVICE] = [
            meter.code for meter in world.meters if meter.node not in kept
        ]

    def _spared_nodes(self, spared: Collection[str]) -> set[int]:
        numbers = [n for code in spared if (n := self.world.number(code)) is not None]
        return {self.world.meters[number].node for number in numbers}

    def _cause(self, edge: int, code: str) -> Cause:
        if code in self.world.watched:
            return Cause.FEEDER
        kind = self.world.grid.edge_kind(edge)
        return Cause.TRANSFORMER if kind == "transformer" else Cause.SECTION

    def draw(
        self,
        rng: Random,
        weather: Weather,
        grid: "Grid",
        dark: Collection[int],
        *,
        number: int,
        at: datetime,
    ) -> Fault | None:
        """Draw a fault that puts somebody in the dark who has power; None where none is found."""
        causes = [cause for cause in weather.weights if self.by_cause[cause]]
        weights = [weather.weights[cause] for cause in causes]
        for _ in range(DRAWS if causes else 0):
            cause = rng.choices(causes, weights)[0]
            device = rng.choice(self.by_cause[cause])
            meters = self._meters(grid, cause, device)
            lost = [number for number in meters if number not in dark]
            if lost:
                clears_at, is_blink = _clearing(rng, weather, cause, at)
                return Fault(number, cause, device, at, tuple(lost), clears_at, is_blink)
        return None

    def _meters(self, grid: "Grid", cause: Cause, device: str) -> Sequence[int]:
        if cause is not Cause.SERVICE:
            return self.world.interrupted(grid, device)
        number = self.world.number(device)
        return [] if number is None else self.world.live(grid, [number])


def _clearing(
    rng: Random, weather: Weather, cause: Cause, at: datetime
) -> tuple[datetime | None, bool]:
    """Return when the fault clears by itself, and whether it is a blink."""
    if cause is Cause.SERVICE:
        return None, False
    chance = rng.random()
    if chance < weather.blinks:
        return at + timedelta(seconds=rng.uniform(1.0, LONGEST_BLINK)), True
    if chance < weather.blinks + weather.passing:
        shortest, longest = (span.total_seconds() for span in weather.passing_for)
        return at + timedelta(seconds=rng.uniform(shortest, longest)), False
    return None, False
