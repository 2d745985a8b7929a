"""Kinds of storms: three on which correlation is tried, easy, hard and gust, and a plain one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

HOUR = 3600.0


class Target(StrEnum):
    """What a fault opens, the largest first; a service has no device of its own.

    A fuse has transformers below it, a low fuse none.
    """

    BREAKER = "breaker"
    RECLOSER = "recloser"
    SECTIONALISER = "sectionaliser"
    FUSE = "fuse"
    TRANSFORMER = "transformer"
    LOW_FUSE = "low_fuse"
    SERVICE = "service"


LARGE = (Target.BREAKER, Target.RECLOSER, Target.SECTIONALISER)
"""Drawn more or less often until about so many are dark as the setting says."""

WEIGHTS = {
    Target.BREAKER: 0.11,
    Target.RECLOSER: 0.14,
    Target.SECTIONALISER: 0.12,
    Target.FUSE: 0.24,
    Target.TRANSFORMER: 0.24,
    Target.LOW_FUSE: 0.06,
    Target.SERVICE: 0.09,
}


@dataclass(frozen=True, slots=True)
class Mishaps:
    """What goes wrong between a meter and the portal. Shares are 0 to 1, times seconds.

    `late` of the signals that arrive come within `late_by`; `timeless` of the meters give no
    time of their own; their clocks differ by a normal error of `clock`; `misplaced` of them
    hang on a neighbouring transformer in the records. A `repeat` is the same event again, a
    `retry` has a new name. `noise` is the share of all signals that belong to no outage,
    `blinks` that part of it which comes from laterals that blink.
    """

    gasps: float = 0.62
    power_ups: float = 0.9
    late: float = 0.03
    late_by: tuple[float, float] = (600.0, 5400.0)
    timeless: float = 0.2
    clock: float = 12.0
    misplaced: float = 0.04
    repeat: float = 0.04
    retry: float = 0.05
    retry_after: tuple[float, float] = (4.0, 240.0)
    onu: float = 0.12
    calls: float = 0.02
    call_after: float = 480.0
    scada_lost: float = 0.15
    scada_late: float = 0.2
    scada_late_by: tuple[float, float] = (30.0, 600.0)
    noise: float = 0.06
    blinks: float = 0.45


@dataclass(frozen=True, slots=True)
class Gusts:
    """Fronts of so many faults, at most so far from each other (metres), seconds apart."""

    size: tuple[int, int] = (5, 20)
    across: float = 4_000.0
    gap: float = 6.0


@dataclass(frozen=True, slots=True)
class Setting:
    """One kind of storm: `faults` begin within `lasts` seconds.

    `dark` is the mean number of meters that a fault puts in the dark in a network of `meters`
    or more, and less in proportion in a smaller one; None leaves it to the draw.
    `repair` is how long faults last that are neither momentary nor passed over in steps;
    `momentary`, `nested` and `steps` are shares of the faults.
    """

    name: str
    faults: int = 200
    lasts: float = 3 * HOUR
    meters: int = 3_000
    dark: float | None = 242.0
    repair: tuple[float, float] = (900.0, 7200.0)
    momentary: float = 0.12
    momentary_for: tuple[float, float] = (60.0, 230.0)
    nested: float = 0.06
    steps: float = 0.15
    watched_reclosers: float = 0.7
    apart: bool = False
    mishaps: Mishaps = field(default_factory=Mishaps)
    weights: Mapping[Target, float] = field(default_factory=lambda: dict(WEIGHTS))
    gusts: Gusts | None = None

    @property
    def longest(self) -> float:
        """Return within how many seconds nearly all of a storm has happened and arrived."""
        nested = HOUR if self.nested else 0.0
        late = self.mishaps.late_by[1] if self.mishaps.late else 600.0
        return self.lasts + self.repair[1] + nested + late


HARD = Setting("hard")
GUST = replace(HARD, name="gust", gusts=Gusts())
EASY = Setting(
    "easy",
    faults=100,
    repair=(600.0, 2400.0),
    nested=0.0,
    steps=0.05,
    apart=True,
    mishaps=Mishaps(
        gasps=0.95,
        power_ups=0.98,
        late=0.0,
        timeless=0.0,
        clock=1.0,
        misplaced=0.0,
        repeat=0.01,
        retry=0.01,
        scada_lost=0.0,
        scada_late=0.0,
        noise=0.01,
        blinks=0.3,
    ),
)
PLAIN = Setting(
    "plain",
    faults=20,
    lasts=600.0,
    dark=None,
    nested=0.0,
    steps=0.0,
    mishaps=Mishaps(late=0.0, timeless=0.0, clock=0.0, misplaced=0.0, noise=0.03),
)
SETTINGS = {setting.name: setting for setting in (EASY, HARD, GUST, PLAIN)}
