"""When power is back where many outages wait for few crews: their queue, played many times. Pure.

Each team takes the most urgent outage that nobody works on as soon as it is free, travels there
and works as long as a like outage of the past took. The plays differ in how long the work takes.
"""

import heapq
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Generic, TypeVar

from apps.outages.rules.etr import HIGH, LOW, MIDDLE, quantile
from apps.outages.rules.judgement import distance_meters

PLAYS = 60
SHORTEST = 300.0
UNKNOWN_WAY = 1200.0
"""Seconds of travel where a place is unknown."""

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Place:
    """Latitude and longitude in degrees, both None where unknown."""

    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True)
class Job(Generic[Key]):
    """An outage that waits or is worked on. `work` are the ordered seconds that like ones took.

    `urgency` orders the queue, the lowest first; `worked` is for how many seconds a team has
    been at it.
    """

    key: Key
    place: Place
    work: Sequence[float]
    urgency: tuple[float, ...]
    worked: float = 0.0


@dataclass(frozen=True, slots=True)
class Team(Generic[Key]):
    """Who can go: where they are, and the outages that they were sent to, in their order."""

    place: Place
    sent_to: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class Finish:
    """In how many seconds power is back: the median of the plays, and 10 to 90 % of them."""

    middle: float
    low: float
    high: float


def play_queue(
    jobs: Sequence[Job[Key]], teams: Sequence[Team[Key]], *, speed: float
) -> dict[Key, Finish]:
    """Return when each outage is over; none where there is no team. `speed` is in metres/s.

    The same queue gives the same answer.
    """
    if not teams:
        return {}
    ends: dict[Key, list[float]] = {job.key: [] for job in jobs}
    luck = {job.key: Random(str(job.key)) for job in jobs}  # noqa: S311 - no secret
    for _ in range(PLAYS):
        work = {job.key: _draw(job, luck[job.key]) for job in jobs}
        for key, end in _play(jobs, teams, work, speed).items():
            ends[key].append(end)
    return {key: _finish(sorted(found)) for key, found in ends.items()}


def _draw(job: Job[Key], luck: Random) -> float:
    """Return how long the work takes from now on, given how long it has taken already."""
    longer = [seconds for seconds in job.work if seconds > job.worked] or job.work[-1:]
    return max(SHORTEST, quantile(longer, luck.random()) - job.worked)


def _play(
    jobs: Sequence[Job[Key]],
    teams: Sequence[Team[Key]],
    work: Mapping[Key, float],
    speed: float,
) -> dict[Key, float]:
    known = {job.key: job for job in jobs}
    ends: dict[Key, float] = {}
    free: list[tuple[float, int]] = []
    places = [team.place for team in teams]
    for number, team in enumerate(teams):
        clock = 0.0
        for key in team.sent_to:
            if key in known and key not in ends:
                job = known[key]
                way = 0.0 if job.worked else travel(places[number], job.place, speed)
                clock = ends[key] = clock + way + work[key]
                places[number] = job.place
        free.append((clock, number))
    heapq.heapify(free)
    for job in sorted((j for j in jobs if j.key not in ends), key=lambda j: j.urgency):
        clock, number = heapq.heappop(free)
        clock += travel(places[number], job.place, speed) + work[job.key]
        ends[job.key], places[number] = clock, job.place
        heapq.heappush(free, (clock, number))
    return ends


def travel(start: Place, end: Place, speed: float) -> float:
    """Return the seconds from one place to another along the straight line."""
    if start.latitude is None or start.longitude is None:
        return UNKNOWN_WAY
    if end.latitude is None or end.longitude is None:
        return UNKNOWN_WAY
    way = distance_meters(start.latitude, start.longitude, end.latitude, end.longitude)
    return way / speed


def _finish(ends: Sequence[float]) -> Finish:
    return Finish(quantile(ends, MIDDLE), quantile(ends, LOW), quantile(ends, HIGH))


__all__ = ["Finish", "Job", "Place", "Team", "play_queue", "travel"]
