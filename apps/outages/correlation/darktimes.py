"""Who was without power when, because of which outage: never twice at once. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple
from uuid import UUID

from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.outcome import Outcome

ENOUGH = 10
"""Reporters from which on their majority speaks for those who report nothing."""


class DarkTime(NamedTuple):
    """One interruption of one meter. Seconds since 1970; `until` is inf while it goes on."""

    outage: UUID
    meter: int
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Reach:
    """An outage over a range of meters, as they lie in the tree.

    `until` is when all of it was over, inf while it is open; `back` when single meters were,
    `dark` who reported and is not back; `rest` when power was back for those who say nothing,
    but for the spans that stayed dark longer (`spans`: first and last position, until).
    """

    outage: UUID
    first: int
    last: int
    since: float
    until: float
    back: Mapping[int, float] = field(default_factory=dict)
    dark: frozenset[int] = frozenset()
    rest: float = inf
    spans: tuple[tuple[int, int, float], ...] = ()
    is_part: bool = False

    def told(self) -> dict[int, float]:
        """Return when power was back at each meter of which something was heard."""
        return {**dict.fromkeys(self.dark, self.until), **self.back}

    def silent(self, position: int) -> float:
        """Return when power was back there for those who say nothing."""
        for first, last, until in self.spans:
            if first <= position < last:
                return min(until, self.until)
        return min(self.rest, self.until)


def reach_of(
    key: UUID, found: Hypothesis, outcome: Outcome, meters: tuple[int, int], until: float
) -> Reach:
    """Return the reach of a hypothesis over a range of meters."""
    back = {m: at for m, at in found.back.items() if at >= found.lost.get(m, found.since)}
    told = {**outcome.presumed, **back}
    majority = found.closed_at is not None or len(found.lost) >= ENOUGH
    over = found.over_at if majority else None
    spans = [(first, last, inf) for first, last in found.remains]
    return Reach(
        key,
        *meters,
        found.since,
        until,
        told,
        frozenset(m for m in found.lost if m not in told),
        inf if over is None else over,
        (*spans, *found.relit),
        found.parent is not None,
    )


def share_out(
    reaches: Iterable[Reach], numbers: Sequence[int], positions: Sequence[int]
) -> list[DarkTime]:
    """Return the interruptions; where outages overlap, the one that began first holds.

    `numbers` and `positions` are those of the meters in the order of the tree. What is part of
    an outage goes before it.
    """
    busy: dict[int, float] = {}
    times = []
    order = sorted(reaches, key=lambda r: (r.since, not r.is_part, r.last - r.first))
    for reach in order:
        since, told = reach.since, reach.told()
        rest = None if reach.spans else reach.silent(-1)
        for place in range(reach.first, reach.last):
            meter = numbers[place]
            start = max(since, busy.get(meter, since))
            until = told.get(meter, rest)
            if until is None:
                until = reach.silent(positions[place])
            if until > start:
                times.append(DarkTime(reach.outage, meter, start, until))
                busy[meter] = until
    return times
