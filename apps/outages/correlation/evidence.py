"""What one part of the network has said, as columns the inference reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import NamedTuple
from uuid import UUID


class What(IntEnum):
    """What a signal says. At one moment losses count before returns.

    A `LOSS` carries the moment at which power went; a `HINT` comes when somebody noticed, or
    from a meter without a time of its own. `TRIP` and `CLOSE` speak of the device itself. A
    meter that was asked is `LIT` where it has power, since when nobody knows.
    """

    TRIP = 0
    LOSS = 1
    HINT = 2
    CLOSE = 3
    UP = 4
    LIT = 5


# Read once: a member is looked up anew, and slowly, each time that its class is asked for it.
_TRIP, _LOSS, _HINT, _CLOSE, _UP, _LIT = What


class Signal(NamedTuple):
    """One event of a part. Times are seconds since 1970, positions are those of the grid.

    `meter` is the meter's number or -1, `node` where it hangs, `edge` the device that the signal
    speaks of or -1. `call` says that a person reported it, `exact` that the time is the meter's
    own and not that of the arrival. `name` decides between equals and is
    the same however often and in whatever order events come in.
    """

    at: float
    what: What
    meter: int
    node: int
    edge: int
    call: bool
    exact: bool
    name: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Pin:
    """An outage that the inference may not move: somebody confirmed it, ended it, planned it.

    `edge` is its device or -1, `meter` its single meter or -1. It explains losses from `since`
    until `until` (None: still open).
    """

    key: UUID
    edge: int
    node: int
    meter: int
    since: float
    until: float | None
    planned: bool = False


SAME_MOMENT = timedelta(milliseconds=2)
"""A meter's time that is this near its arrival is none of its own."""


def what_said(*, back: bool, of_device: bool, noticed: bool, asked: bool = False) -> What:
    """Return what a signal says.

    `back` means that power is back, `of_device` that it speaks of the device itself, `noticed`
    that a person reported it, `asked` that the meter answered a question.
    """
    if of_device:
        return _CLOSE if back else _TRIP
    if back:
        return _LIT if asked else _UP
    return _HINT if noticed or asked else _LOSS


def ordered(signals: Iterable[Signal]) -> list[Signal]:
    """Return each signal once, in the one order in which they are judged."""
    return sorted(set(signals))
