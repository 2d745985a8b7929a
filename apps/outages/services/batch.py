"""One batch of events on its way into the database: looked up, matched, written as a set."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from uuid_utils.compat import uuid7

from apps.configuration.selectors import value
from apps.core.bulk import copy, insert, together
from apps.network import selectors as network
from apps.outages.correlation.foresight import FEWEST, Cause
from apps.outages.correlation.matching import (
    Candidate,
    Match,
    Matcher,
    Reach,
    Spot,
    opened_by,
)
from apps.outages.correlation.parts import devices_of
from apps.outages.events import EventsMatched
from apps.outages.rules import (
    Disposition,
    Kind,
    MatchedBy,
    Report,
    Source,
)
from apps.outages.rules import settings as declared
from apps.outages.selectors import planned_end, rule_in_force
from apps.outages.services import duework, nearby, reading, writing
from apps.outages.services.causes import causes_of
from apps.outages.services.holding import Tried
from apps.outages.services.scada import ToldStates
from apps.outages.services.spots import SpotFinder
from apps.outages.services.telling import telling

COPIED = 100
"""So many events are copied into their table; of fewer, to wait for it would take longer."""


class Known(NamedTuple):
    """An event that is stored already."""

    event_id: uuid.UUID
    outage_id: uuid.UUID | None
    fingerprint: str
    disposition: str
    confidence: float | None


class Outcome(NamedTuple):
    """What became of one new event."""

    event_id: uuid.UUID
    candidate: Candidate | None
    how: MatchedBy | None
    disposition: Disposition
    created: bool = False


@dataclass(frozen=True, slots=True)
class Without:
    """Parts that a batch could not hold at once: feeders, and what is off the network."""

    feeders: frozenset[int] = frozenset()
    space: bool = False


class Batch:
    """The events of one transaction with their places, and all that is written for them."""

    def __init__(
        self,
        reports: Sequence[Report],
        places: Sequence[network.Place | None],
        held: network.Snapshot,
        at: datetime,
    ) -> None:
        self.reports = reports
        self.identities = [report.identity for report in reports]
        self._held = held
        self.grid = held.grid
        self.at = at
        self.finder = SpotFinder(held, places)
        self.spots = [self.finder.spot(i, report) for i, report in enumerate(reports)]
        self.known: dict[tuple[str, str], Known] = {}
        self.candidates: list[Candidate] = []
        self.new_events: list[tuple[int, Outcome]] = []
        self.conflicts: list[tuple[Known, Report]] = []
        self.work: dict[str, int] = {}
        self.earliest: dict[str, datetime] = {}
        self._feeders_near: list[int] = []
        self._tried: Tried | None = None
        self._without = Without()
        self._reaches: dict[tuple[str, float | None, float | None], Reach] = {}
        self._causes: dict[int, Cause] = {}
        self._outages: dict[Cause, Candidate] = {}
        self._taken: set[uuid.UUID] = set()
        self._told_states = ToldStates(held.grid)

    def anew(self) -> "Batch":
        """Return the same events, as if nothing had been done with them."""
        return Batch(self.reports, self.finder.places, self._held, self.at)

    @property
    def feeder_numbers(self) -> list[int]:
        """Return the feeders that the batch touches, in order."""
        return sorted({s.feeder_number for s in self.spots if s and s.feeder_number})

    @property
    def has_space(self) -> bool:
        """Return whether an event is placed by coordinates or a whole substation."""
        return any(spot is not None and not spot.feeder_number for spot in self.spots)

    @property
    def locked_feeders(self) -> list[int]:
        """Return the feeders to hold: those touched, and those with an outage nearby."""
        return sorted({*self.feeder_numbers, *self._feeders_near})

    def look_around(self) -> None:
        """Find the feeders whose open outages an event off the network might join."""
        self._feeders_near = nearby.feeders_near(self._around())

    def ask(self) -> None:
        """Ask which of the events are stored already, and which open outages they might join."""
        around = self._around()
        self._questions = reading.Questions(
            self.identities,
            reading.above(
                self.grid, self.spots, ((one, self.reach(one)) for one in self.reports)
            ),
            sorted({s.substation for s in self.spots if s and s.substation}),
            around,
        )

    def try_parts(self) -> None:
        """Ask for what is free of what the batch touches; the rest of its events are left out."""
        self._tried = Tried(self.feeder_numbers, self._around(), space=self.has_space)

    def takes(self, index: int) -> bool:
        """Return whether all that the event touches is held."""
        spot = self.spots[index]
        if spot is None:
            return True
        if spot.feeder_number:
            return spot.feeder_number not in self._without.feeders
        return not (self._without.space or self._without.feeders & {*self._feeders_near})

    def hear(self) -> None:
        """Take the answers."""
        if self._tried is not None:
            self._feeders_near, missed, is_apart = self._tried.answer()
            self._without = Without(frozenset(missed), space=is_apart)
        self.known = {
            (found.source_type, found.source_event_id): Known(
                found.event_id,
                found.outage_id,
                found.fingerprint,
                found.disposition,
                found.confidence,
            )
            for found in self._questions.known_events()
        }
        held = {None, *self.locked_feeders} - self._without.feeders
        found = self._questions.open_candidates(self.grid)
        self.candidates = [c for c in found if c.feeder_number in held]

    def foresee(self) -> None:
        """See which of the new events have a common cause, before each is matched."""
        if len(self.reports) < FEWEST:
            return
        fresh = [
            index for index, name in enumerate(self.identities) if name not in self.known
        ]
        self._causes = causes_of(
            self.grid, self.reports, self.spots, self.finder.places, fresh
        )

    def _around(self) -> list[nearby.Around]:
        return [
            nearby.seen_from(spot, report, self.reach(report))
            for spot, report in zip(self.spots, self.reports, strict=True)
            if spot is not None and not spot.on_network and spot.latitude is not None
        ]

    def reach(self, report: Report) -> Reach:
        """Return the window and radius in force for the event: its own, else the rule's."""
        is_scada = report.source_type == Source.SCADA
        key = ("scada" if is_scada else "", report.window_minutes, report.radius_meters)
        found = self._reaches.get(key)
        if found is None:
            rule, minutes = rule_in_force(report.source_type), report.window_minutes
            window = rule.window if minutes is None else timedelta(minutes=minutes)
            found = Reach(window, report.radius_meters or rule.radius)
            self._reaches[key] = found
        return found

    def note_repeat(self, report: Report, known: Known) -> None:
        """Keep a repeated event that says something else than the first time."""
        if known.fingerprint and known.fingerprint != report.fingerprint:
            self.conflicts.append((known, report))

    def place(self, matcher: Matcher, index: int) -> Outcome:
        """Match one new event and remember it for writing."""
        report, spot = self.reports[index], self.spots[index]
        outcome = self._decide(matcher, index, report, spot)
        self.new_events.append((index, outcome))
        if outcome.candidate is not None or report.kind is Kind.RESTORATION:
            self._add_work(spot, report.occurred_at)
        self._told_states.add(spot, report)
        return outcome

    def _decide(
        self, matcher: Matcher, index: int, report: Report, spot: Spot | None
    ) -> Outcome:
        event_id = uuid7()
        if report.kind is Kind.IGNORED:
            return Outcome(event_id, None, None, Disposition.IGNORED)
        if spot is None:
            return Outcome(event_id, None, None, Disposition.UNRESOLVED)
        match = self._find(matcher, index, report, spot)
        if report.kind is Kind.RESTORATION:
            return self._restored(event_id, match, report)
        if match is not None:
            return self._joined(event_id, match, report)
        candidate = self._open(report, self._seat(index, spot))
        matcher.keep(candidate)
        self._remember(index, candidate)
        planned = report.kind is Kind.PLANNED
        disposition = Disposition.PLANNED if planned else Disposition.OUTAGE
        return Outcome(event_id, candidate, MatchedBy.NEW, disposition, created=True)

    def _find(
        self, matcher: Matcher, index: int, report: Report, spot: Spot
    ) -> Match | None:
        """Return the open outage of the event: that of its cause, else the one that it fits.

        What has another cause than the events before is another outage, whatever it fits.
        """
        cause = self._causes.get(index)
        if cause in self._outages:
            return Match(self._outages[cause], MatchedBy.TOPOLOGY)
        match = matcher.find(report, spot, self.reach(report))
        if match is None or cause is None or report.kind is not Kind.OUTAGE:
            return match
        if match.candidate.id in self._taken:
            return None
        self._remember(index, match.candidate)
        return match

    def _remember(self, index: int, candidate: Candidate) -> None:
        """Let the other events of this one's cause belong to the same outage."""
        cause = self._causes.get(index)
        if cause is not None and not candidate.is_planned:
            self._outages[cause] = candidate
            self._taken.add(candidate.id)

    def _restored(
        self, event_id: uuid.UUID, match: Match | None, report: Report
    ) -> Outcome:
        found = match.candidate if match else None
        if found is not None:
            found.add_return(report)
        how = match.how if match else None
        return Outcome(event_id, found, how, Disposition.RESTORATION)

    def _joined(self, event_id: uuid.UUID, match: Match, report: Report) -> Outcome:
        match.candidate.add(report)
        planned = match.candidate.is_planned
        disposition = Disposition.PLANNED if planned else Disposition.OUTAGE
        return Outcome(event_id, match.candidate, match.how, disposition)

    def _seat(self, index: int, spot: Spot) -> Spot:
        """Return where the outage is that the event opens: at the device that was foreseen."""
        cause = self._causes.get(index)
        if cause is None or cause.edge < 0 or spot.by_device:
            return spot
        node = devices_of(self.grid).fed(cause.edge)
        return spot._replace(node=node, edge=cause.edge, meter_code="", by_device=True)

    def _open(self, report: Report, spot: Spot) -> Candidate:
        until = report.planned_until
        if report.kind is Kind.PLANNED:
            until = planned_end(at=report.occurred_at, told=until)
        candidate = opened_by(report, spot, key=uuid7(), planned_until=until)
        self.candidates.append(candidate)
        return candidate

    def _add_work(self, spot: Spot | None, at: datetime) -> None:
        if spot is None:
            return
        key = f"feeder:{spot.feeder_number}" if spot.feeder_number else "space"
        self.work[key] = self.work.get(key, 0) + 1
        self.earliest[key] = min(at, self.earliest.get(key, at))

    def write(self) -> tuple[EventsMatched, ...]:
        """Write the outages, their timelines, the events and the work; return what is to tell.

        Where the events only joined outages whose part of the network is to be judged soon
        anyway, no more is told than screens can show: the judge tells what they changed.
        """
        self._wake_feeders_left()
        opened = [c for c in self.candidates if c.is_new]
        changed = [c for c in self.candidates if c.is_changed and not c.is_new]
        work = self._write_rows(opened, changed)
        writing.insert_conflicts(self.conflicts, self.at)
        self._told_states.write()
        due, is_long = work.answer()
        if not (opened or due or is_long or (changed and telling.may())):
            return ()
        told = EventsMatched(
            at=self.at,
            opened=tuple(c.id for c in opened),
            changed=tuple(c.id for c in changed),
            work=tuple(due),
            count=len(self.new_events),
        )
        return (told,)

    def _write_rows(
        self, opened: Sequence[Candidate], changed: Sequence[Candidate]
    ) -> duework.DueWork:
        """Write in one round trip; what is copied ends one and waits for another."""
        rows = writing.event_rows(
            self.reports, self.spots, self.new_events, self.finder, self.at
        )
        is_few = len(rows) < COPIED
        with together():
            writing.insert_outages(self.grid, opened, self.first_events(), self.at)
            writing.update_outages(self.grid, changed, self.at)
            writing.insert_timeline(self.grid, opened, changed, self.at)
            if is_few:
                insert(writing.EVENTS, writing.EVENT_COLUMNS, rows)
                return self._ask_for_work()
        copy(writing.EVENTS, writing.EVENT_COLUMNS, rows)
        with together():
            return self._ask_for_work()

    def _ask_for_work(self) -> duework.DueWork:
        added = duework.add_work(self.work, self.earliest, self.at + self._debounce())
        self._told_states.ask()
        return added

    def _wake_feeders_left(self) -> None:
        """Have feeders judged whose meters report back from another one: a tie was closed."""
        meters = {
            place.meter_pk: self.reports[index].occurred_at
            for index, outcome in self.new_events
            if outcome.disposition is Disposition.RESTORATION
            and outcome.candidate is None
            and (place := self.finder.places[index]) is not None
            and place.meter_pk is not None
        }
        for feeder in reading.feeders_left(sorted(meters)) if meters else ():
            key = f"feeder:{feeder}"
            self.work[key] = self.work.get(key, 0) + 1
            earliest = min(meters.values())
            self.earliest[key] = min(earliest, self.earliest.get(key, earliest))

    def first_events(self) -> dict[uuid.UUID, Any]:
        """Return the event that opened each new outage."""
        return {
            outcome.candidate.id: outcome.event_id
            for _, outcome in self.new_events
            if outcome.created and outcome.candidate is not None
        }

    @staticmethod
    def _debounce() -> timedelta:
        return timedelta(milliseconds=value(declared.DEBOUNCE_MILLISECONDS))


__all__ = ["Batch", "Known", "Outcome", "Without"]
