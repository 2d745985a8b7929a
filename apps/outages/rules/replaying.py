"""What a replay shows, and how it is kept: each outage once, and who comes and goes by minute."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

MINUTE = timedelta(minutes=1)


class Shown(NamedTuple):
    """An outage at one minute: its device, since when, whether it is over, and its customers.

    Off the network `feeder` is None, `device` the substation or `latitude, longitude` in
    degrees, and `kind` `substation` or `coordinates`.
    """

    device: str
    kind: str
    feeder: int | None
    since: datetime
    customers: int
    is_over: bool
    momentary: bool
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True)
class Frame:
    """What was known at the end of a minute, and how many events came in during it by source."""

    at: datetime
    outages: tuple[Shown, ...]
    events: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Replay:
    """The frames of a period; the devices of its outages as replayed and as recorded.

    `missing` are recorded and not replayed, `surplus` the other way round. Off the network an
    outage is the same only where the same events speak for it.
    """

    frames: list[Frame]
    events: int
    replayed: list[str]
    recorded: list[str]
    missing: list[str]
    surplus: list[str]


class Period(NamedTuple):
    """What is played: from `start` (inclusive) to `end` (exclusive), minute by minute."""

    start: datetime
    end: datetime

    def minutes(self) -> Iterator[datetime]:
        """Return the end of each minute."""
        at = self.start
        while at < self.end:
            at = min(at + MINUTE, self.end)
            yield at

    def minute_of(self, at: datetime) -> datetime:
        """Return the end of the minute in which the moment lies."""
        begun = (at - self.start) // MINUTE
        return min(self.start + (begun + 1) * MINUTE, self.end)


@dataclass(frozen=True, slots=True)
class Scene:
    """A minute of a film: whose places in its cast come and go, and the events by source."""

    at: datetime
    came: Sequence[int]
    went: Sequence[int]
    events: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Film:
    """A replay as it is kept. Counts and names are those of `Replay`."""

    cast: list[Shown]
    scenes: list[Scene]
    replayed: int
    recorded: int
    missing: list[str]
    surplus: list[str]


def packed(found: Replay) -> dict[str, Any]:
    """Return the replay as plain values, which `unpacked` reads."""
    cast: dict[Shown, int] = {}
    scenes: list[list[Any]] = []
    shown: tuple[Shown, ...] = ()
    places: set[int] = set()
    for frame in found.frames:
        before = places
        if frame.outages is not shown:
            shown = frame.outages
            places = {cast.setdefault(one, len(cast)) for one in shown}
        scenes.append(
            [
                frame.at.isoformat(),
                sorted(places - before),
                sorted(before - places),
                dict(frame.events),
            ]
        )
    return {
        "cast": [[*one[:3], one.since.isoformat(), *one[4:]] for one in cast],
        "scenes": scenes,
        "replayed": len(found.replayed),
        "recorded": len(found.recorded),
        "missing": found.missing,
        "surplus": found.surplus,
    }


def unpacked(told: Mapping[str, Any]) -> Film:
    """Return what `packed` kept."""
    cast = [
        Shown._make([*one[:3], datetime.fromisoformat(one[3]), *one[4:]])
        for one in told["cast"]
    ]
    scenes = [
        Scene(datetime.fromisoformat(at), came, went, events)
        for at, came, went, events in told["scenes"]
    ]
    return Film(
        cast, scenes, told["replayed"], told["recorded"], told["missing"], told["surplus"]
    )
