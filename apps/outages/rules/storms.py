"""Storm mode: when it begins and ends by itself, and which rule then is in force. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Rule:
    """How near in time and in metres events must be to belong together."""

    window: timedelta
    radius: float
    name: str


@dataclass(frozen=True, slots=True)
class Thresholds:
    """So many events or new outages an hour are a storm; so few events for so long are none."""

    events: int
    outages: int
    calm_events: int
    calm_for: timedelta


@dataclass(frozen=True, slots=True)
class Rates:
    """What came in within the last hour, counted no further than the thresholds ask."""

    events: int
    outages: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where storm mode stands. `quiet_since`: since when it has been calm while it is on.

    `is_armed` is False where a person switched it off while it stormed on: the portal holds
    back until the storm that the person knew of is over.
    """

    is_on: bool
    by_hand: bool = False
    quiet_since: datetime | None = None
    is_armed: bool = True


class Turn(StrEnum):
    """What the portal does about storm mode by itself."""

    NOTHING = "nothing"
    BEGIN = "begin"
    END = "end"
    GROW_QUIET = "grow_quiet"
    STORM_ON = "storm_on"
    ARM = "arm"


def is_storm(rates: Rates, limits: Thresholds) -> bool:
    """Return whether so much comes in that it is a storm."""
    return rates.events >= limits.events or rates.outages >= limits.outages


def is_calm(rates: Rates, limits: Thresholds) -> bool:
    """Return whether so little comes in that the storm may be over."""
    return rates.events < limits.calm_events and not is_storm(rates, limits)


def turn(standing: Standing, rates: Rates, limits: Thresholds, *, at: datetime) -> Turn:
    """Return what is to be done. What a person switched on only a person switches off."""
    if not standing.is_on:
        return _turn_while_off(standing, rates, limits)
    if standing.by_hand:
        return Turn.NOTHING
    if not is_calm(rates, limits):
        return Turn.NOTHING if standing.quiet_since is None else Turn.STORM_ON
    if standing.quiet_since is None:
        return Turn.GROW_QUIET
    over = at - standing.quiet_since >= limits.calm_for
    return Turn.END if over else Turn.NOTHING


def _turn_while_off(standing: Standing, rates: Rates, limits: Thresholds) -> Turn:
    storms = is_storm(rates, limits)
    if standing.is_armed:
        return Turn.BEGIN if storms else Turn.NOTHING
    return Turn.NOTHING if storms else Turn.ARM
