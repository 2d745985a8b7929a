"""Play what is off the network as it came in: matched, decided on by people, ended. Pure.

The intake matches such an event once, by space and time or at its substation, and never again.
So the same events in the order of their arrival give the same outages.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from apps.outages.correlation.matching import (
    Candidate,
    Matcher,
    Reach,
    Spot,
    opened_by,
)
from apps.outages.rules import FINAL, Kind, Report, Status

if TYPE_CHECKING:
    from apps.network.topology import Grid

Turn = tuple[datetime, UUID]
"""A place in the order of arrival: when it was accepted, and its id, which grows with time."""


class Arrival(NamedTuple):
    """An event off the network as it came in, and how far it reached then.

    `key` names the outage that it opens, where it opens one. `report` has its kind, its times,
    its identity and, for a plan, `planned_until`; the matching asks for nothing else of it.
    """

    event_id: UUID
    key: UUID
    accepted_at: datetime
    report: Report
    spot: Spot
    reach: Reach

    @property
    def turn(self) -> Turn:
        """Return its place in the order of arrival."""
        return self.accepted_at, self.event_id


class Decision(NamedTuple):
    """What people decided of the outage that holds the event `first`.

    It became `status`, or where that is None went into the outage that holds the event `into`.
    """

    at: datetime
    first: UUID
    status: Status | None
    into: UUID | None = None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An outage on the network, which events near it may join from its opening until it ends.

    `told` are turns at which it was told of, with the moments that were told: that which opened
    it, and those later ones that its candidate does not count yet.
    """

    candidate: Candidate
    told: tuple[tuple[Turn, datetime], ...]
    ended_at: datetime | None

    @property
    def opened(self) -> Turn:
        """Return the turn from which on it is there."""
        return self.told[0][0]


class Limits(NamedTuple):
    """How long events are gathered before outages are ended, and how long a momentary lasts."""

    gathered: timedelta
    momentary: timedelta


@dataclass(slots=True, eq=False)
class Played:
    """An outage off the network with its events, in the order of their arrival.

    `last` is the event that has the last word: the latest to happen.
    """

    candidate: Candidate
    arrivals: list[Arrival]
    last: Arrival
    momentary: bool = False

    @property
    def is_over(self) -> bool:
        """Return whether it was restored or cancelled."""
        return self.candidate.status in FINAL

    def hear(self, arrival: Arrival) -> None:
        """Let the event belong here."""
        self.arrivals.append(arrival)
        self.last = max(self.last, arrival, key=_word)


def _word(arrival: Arrival) -> tuple[datetime, UUID]:
    return arrival.report.occurred_at, arrival.event_id


class Space:
    """The outages off the network while they are played."""

    def __init__(
        self,
        grid: "Grid",
        arrivals: Iterable[Arrival],
        decisions: Iterable[Decision],
        limits: Limits,
    ) -> None:
        self.outages: list[Played] = []
        self._grid, self._limits = grid, limits
        self._coming = deque(sorted(arrivals, key=lambda one: one.turn))
        self._decisions = deque(sorted(decisions, key=lambda one: one.at))
        self._home: dict[UUID, Played] = {}
        self._played: dict[UUID, Played] = {}
        self._waiting: dict[UUID, Played] = {}
        self._due: datetime | None = None
        self._near: dict[UUID, Candidate] = {}
        self._ahead: deque[tuple[Turn, datetime, Candidate]] = deque()
        self._ending: list[Neighbour] = []
        self._matcher: Matcher | None = None

    def play(self, until: datetime, neighbours: Sequence[Neighbour] = ()) -> None:
        """Play what came in, was decided and fell due before `until`, from where it stands.

        `neighbours` are the outages on the network as they are known at `until`. An event that
        joins one belongs there and to no outage here. They count it in.
        """
        self._matcher, self._near = None, {}
        ahead = [(*told, one.candidate) for one in neighbours for told in one.told]
        self._ahead = deque(sorted(ahead, key=lambda told: told[:2]))
        self._ending = [one for one in neighbours if one.ended_at is not None]
        while self._coming and self._coming[0].accepted_at < until:
            arrival = self._coming.popleft()
            self._catch_up(arrival.accepted_at)
            self._hear(arrival)
        self._catch_up(until)

    # --- Events -------------------------------------------------------------------------

    def _hear(self, arrival: Arrival) -> None:
        report, matcher = arrival.report, self._standing(arrival)
        self._gather(arrival.accepted_at)
        match = matcher.find(report, arrival.spot, arrival.reach)
        if match is None:
            if report.kind is not Kind.RESTORATION:
                self._open(arrival, matcher)
            return
        if report.kind is Kind.RESTORATION:
            match.candidate.add_return(report)
        else:
            match.candidate.add(report)
        played = self._played.get(match.candidate.id)
        if played is not None:
            played.hear(arrival)
            self._home[arrival.event_id] = self._waiting[match.candidate.id] = played

    def _open(self, arrival: Arrival, matcher: Matcher) -> None:
        until = arrival.report.planned_until
        fresh = opened_by(
            arrival.report, arrival.spot, key=arrival.key, planned_until=until
        )
        matcher.keep(fresh)
        played = Played(fresh, [arrival], arrival)
        self.outages.append(played)
        self._home[arrival.event_id] = self._played[fresh.id] = played

    def _standing(self, arrival: Arrival) -> Matcher:
        """Return what matches against all that is open when the event comes in."""
        if self._matcher is None:
            known = [one.candidate for one in self.outages if not one.is_over]
            known += self._near.values()
            known.sort(key=lambda one: (one.first_detected_at, one.id))
            self._matcher = Matcher(self._grid, known)
        while self._ahead and self._ahead[0][0] < arrival.turn:
            _, at, candidate = self._ahead.popleft()
            candidate.last_event_at = max(candidate.last_event_at, at)
            if candidate.id not in self._near:
                self._near[candidate.id] = candidate
                self._matcher.keep(candidate)
        for one in self._ending:
            if one.ended_at is not None and one.ended_at <= arrival.accepted_at:
                one.candidate.status = Status.RESTORED
        return self._matcher

    # --- Decisions and ends -------------------------------------------------------------

    def _catch_up(self, until: datetime) -> None:
        """Do what was decided and what fell due before then, in that order of time."""
        while self._decisions and self._decisions[0].at < until:
            decision = self._decisions.popleft()
            self._end_what_is_over(decision.at)
            self._decide(decision)
        self._end_what_is_over(until)

    def _decide(self, decision: Decision) -> None:
        played = self._home.get(decision.first)
        if played is None:
            return
        if decision.status is None:
            into = None if decision.into is None else self._home.get(decision.into)
            self._merge(played, into, decision.at)
        elif not played.is_over:
            played.candidate.status = decision.status

    def _merge(self, played: Played, into: Played | None, at: datetime) -> None:
        """Let an outage go into another; None for one that began before the period."""
        if played is into:
            return
        self.outages.remove(played)
        self._matcher = None
        del self._played[played.candidate.id]
        self._waiting.pop(played.candidate.id, None)
        for arrival in played.arrivals:
            del self._home[arrival.event_id]
        if into is None:
            return
        self._home.update(dict.fromkeys((one.event_id for one in played.arrivals), into))
        into.arrivals = sorted(into.arrivals + played.arrivals, key=lambda one: one.turn)
        into.last = max(into.last, played.last, key=_word)
        stays, gone = into.candidate, played.candidate
        stays.sources = dict(Counter(stays.sources) + Counter(gone.sources))
        stays.first_detected_at = min(stays.first_detected_at, gone.first_detected_at)
        stays.last_event_at = max(stays.last_event_at, gone.last_event_at)
        self._waiting[stays.id] = into
        self._gather(at)

    def _gather(self, at: datetime) -> None:
        """Wait for more events before outages are ended."""
        self._due = self._due or at + self._limits.gathered

    def _end_what_is_over(self, until: datetime) -> None:
        """End the outages whose last word is that power is back, if events were gathered."""
        if self._due is None or self._due >= until:
            return
        for played in self._waiting.values():
            report, outage = played.last.report, played.candidate
            over = report.kind is Kind.RESTORATION and not outage.is_planned
            if over and not played.is_over:
                lasted = report.occurred_at - outage.first_detected_at
                played.momentary = lasted <= self._limits.momentary
                outage.status = Status.RESTORED
        self._waiting.clear()
        self._due = None
