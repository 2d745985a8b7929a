"""When power will be back: what like outages of the past say of one that stands. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor

from apps.outages.rules.words import ETR_RANK, EtrSource

LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9
MINUTE = timedelta(minutes=1)
# What no person said: it may be estimated anew.
AUTOMATIC = (EtrSource.STATISTICS, EtrSource.DEFAULT)


@dataclass(frozen=True, slots=True)
class Likeness:
    """What makes outages alike: the kind of their device, and their cause and region if given."""

    kind: str
    cause: str = ""
    region: str = ""

    def __str__(self) -> str:
        return ", ".join(word for word in (self.kind, self.cause, self.region) if word)

    def wider(self) -> tuple["Likeness", ...]:
        """Return the classes to which such an outage belongs, the narrowest first."""
        kind = Likeness(self.kind)
        found = (
            self,
            Likeness(self.kind, self.cause),
            Likeness(self.kind, "", self.region),
        )
        return tuple(dict.fromkeys((*found, kind)))


@dataclass(frozen=True, slots=True)
class Forecast:
    """How long an outage will have lasted: the median of `samples` like ones, 10 to 90 %."""

    lasts: timedelta
    low: timedelta
    high: timedelta
    samples: int
    likeness: Likeness


class Experience:
    """How long past outages lasted, by what makes them alike."""

    def __init__(self, past: Iterable[tuple[Likeness, Iterable[float]]] = ()) -> None:
        """Take how many seconds the outages of each kind, cause and region lasted."""
        self._seconds: dict[Likeness, list[float]] = {}
        for likeness, seconds in past:
            for known in likeness.wider():
                self._seconds.setdefault(known, []).extend(seconds)
        for lasted in self._seconds.values():
            lasted.sort()

    def samples(self, likeness: Likeness) -> int:
        """Return how many outages of the class there were."""
        return len(self._seconds.get(likeness, ()))

    def forecast(
        self, likeness: Likeness, *, lasted: timedelta, least: int
    ) -> Forecast | None:
        """Return how long such an outage will have lasted, given that it lasts so long already.

        Only past outages that lasted longer count. The class is widened until it has at least
        `least` of them; None where even the widest has too few.
        """
        for known in likeness.wider():
            seconds = self._seconds.get(known, ())
            longer = seconds[bisect_right(seconds, lasted.total_seconds()) :]
            if len(longer) >= max(least, 1):
                low, middle, high = (quantile(longer, p) for p in (LOW, MIDDLE, HIGH))
                return Forecast(
                    timedelta(seconds=middle),
                    timedelta(seconds=low),
                    timedelta(seconds=high),
                    len(longer),
                    known,
                )
        return None

    def lasted(self, likeness: Likeness, *, least: int) -> Sequence[float]:
        """Return the ordered seconds that such outages lasted; none where too few are known."""
        for known in likeness.wider():
            seconds = self._seconds.get(known, ())
            if len(seconds) >= max(least, 1):
                return seconds
        return ()


# How much shorter and longer than the default the work takes where nothing better is known.
AROUND_DEFAULT = (0.5, 1.0, 1.6)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the quantile of ordered numbers, linear between neighbours."""
    place = share * (len(ordered) - 1)
    below = floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def default_minutes(minutes: Mapping[str, int], kind: str) -> int:
    """Return the minutes that hold for a kind of device where nothing better is known."""
    return minutes.get(kind, minutes["service"])


def whole_minute(moment: datetime) -> datetime:
    """Return the moment, rounded up: nobody believes in the seconds of an estimate."""
    start = moment.replace(second=0, microsecond=0)
    return start if start == moment else start + MINUTE


def is_outranked(source: EtrSource, *, by: str) -> bool:
    """Return whether a more trusted source than this one has spoken."""
    return bool(by) and ETR_RANK[EtrSource(by)] < ETR_RANK[source]


__all__ = [
    "AROUND_DEFAULT",
    "AUTOMATIC",
    "Experience",
    "Forecast",
    "Likeness",
    "default_minutes",
    "is_outranked",
    "quantile",
    "whole_minute",
]
