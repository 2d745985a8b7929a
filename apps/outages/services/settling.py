"""Write what was inferred of a feeder: the difference between the record and the hypotheses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from typing import TYPE_CHECKING, Any
from uuid import UUID

from uuid_utils.compat import uuid7

from apps.core.actor import system
from apps.core.bulk import array, change, texts
from apps.network import selectors as network
from apps.outages.correlation.darktimes import reach_of, share_out
from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.matching import Candidate
from apps.outages.correlation.outcome import PATIENCE, Outcome
from apps.outages.correlation.reconciliation import Identity, identify
from apps.outages.models import Outage, TimelineEntry
from apps.outages.rules import (
    PlaceKind,
    Status,
    confidence,
    severity,
)
from apps.outages.selectors.hearing import EventRow, Hearing, is_fixed, moment
from apps.outages.services import interruptions, trail, writing
from apps.outages.services.comparing import (
    candidate_of,
    differs,
    disposition_of,
    lacks,
    losses_of,
    sources_of,
    supplied,
)
from apps.outages.services.life import Ending, restore_by_evidence
from apps.outages.services.places import describe

if TYPE_CHECKING:
    from apps.network.topology import Grid

JUDGE = system("correlation")
SAME = timedelta(seconds=1)
CANDIDATE_TEXT = "All reporting meters are back, but the device is still open"
Moves = list[tuple[UUID, UUID | None, str]]


@dataclass(slots=True)
class Plan:
    """What is to be written. `keys` names the outage of each hypothesis, new ones included."""

    grid: "Grid"
    feeder: int
    heard: Hearing
    at: datetime
    supplied: network.Supplied = field(init=False)
    identity: Identity = field(init=False)
    keys: list[UUID] = field(init=False)
    moves: Moves = field(init=False)
    lines: list[TimelineEntry] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    candidates: dict[UUID, Candidate] = field(init=False)
    late: dict[UUID, Outage] = field(init=False, default_factory=dict)
    linked: set[UUID] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        outages, events = self.heard.outages, self.heard.events
        self.supplied = supplied(self.feeder, self.heard)
        self.identity = identify(
            self.heard.found,
            [event.outage for event in events],
            {k: (o.first_detected_at.timestamp(), o.number) for k, o in outages.items()},
            frozenset(k for k, o in outages.items() if is_fixed(o)),
        )
        self.keys = [key or uuid7() for key in self.identity.kept]
        self.moves = self._moves()
        self.candidates = {
            self.keys[n]: candidate_of(self.grid, self.feeder, self.keys[n], h, events)
            for n, h in enumerate(self.heard.found)
            if h.pin is None
        }

    def _moves(self) -> Moves:
        """Return the events that belong elsewhere, or mean something else, than is recorded."""
        moves: Moves = []
        events = self.heard.events
        for key, found, outcome in self._each():
            for position in found.events:
                event = events[position]
                told = disposition_of(event, found, outcome)
                if event.outage != key or event.disposition != told:
                    moves.append((event.id, key, told))
        return moves

    def _each(self) -> list[tuple[UUID, Hypothesis, Outcome]]:
        return list(zip(self.keys, self.heard.found, self.heard.outcomes, strict=True))

    def is_empty(self) -> bool:
        """Return whether the record says all of it already."""
        if self.moves or self.identity.merged:
            return False
        for key, found, outcome in self._each():
            outage = self.heard.outages.get(key)
            if outage is None or outage.counted_place != outage.device_code:
                return False
            if _ends_now(self.grid, outage, outcome) or _is_corrected(outage, outcome):
                return False
            candidate = self.candidates.get(key)
            if candidate is not None and differs(self.grid, outage, candidate):
                return False
            if found.pin is not None and lacks(outage, found, self.heard.events):
                return False
        return True

    def look_again_at(self) -> datetime | None:
        """Return when silence alone ends an outage of which most are back; None for none.

        Nothing else may come in on the feeder until then.
        """
        moments = [
            moment(max(found.back.values()) + PATIENCE)
            for _key, found, outcome in self._each()
            if outcome.ended_at is None and outcome.presumed and found.back
        ]
        return min((one for one in moments if one > self.at), default=None)

    def write(self, now: Sequence[Outage] = ()) -> set[UUID]:
        """Write it; return the outages that changed.

        `now` are the rows as they are by now: what events that came later added to one stays.
        """
        self.late = {
            row.id: row
            for row in now
            if row.updated_at != self.heard.outages[row.id].updated_at
        }
        changed = self._create()
        self._move_events()
        changed |= self._merge()
        saved = []
        for key, found, outcome in self._each():
            outage = self.heard.outages[key]
            before = _state(outage)
            self._bring_up_to_date(outage, found, is_new=key in changed)
            self._end(outage, outcome)
            if _state(outage) != before or key in self.linked:
                outage.updated_at = self.at
                saved.append(outage)
        writing.save_outages(saved)
        TimelineEntry.objects.bulk_create(self.lines)
        if self.endings:
            restore_by_evidence(endings=self.endings, by=JUDGE, at=self.at)
        self._interrupt()
        changed |= {outage.id for outage in saved}
        changed |= {ending.outage.id for ending in self.endings}
        changed |= {key for _, key, _ in self.moves if key is not None}
        return changed

    # --- Outages ------------------------------------------------------------------------

    def _create(self) -> set[UUID]:
        """Open what is new: split from another outage, or part of one that is over."""
        fresh = {
            key: n
            for n, key in enumerate(self.keys)
            if key not in self.heard.outages and key in self.candidates
        }
        opened = [self.candidates[key] for key in fresh]
        first = {key: self._first_event(n) for key, n in fresh.items()}
        writing.insert_outages(self.grid, opened, first, self.at)
        writing.insert_timeline(self.grid, opened, [], self.at)
        for outage in Outage.objects.filter(id__in=list(fresh)).select_for_update():
            self.heard.outages[outage.id] = outage
        for key, n in fresh.items():
            self._link(self.heard.outages[key], n)
        return set(fresh)

    def _first_event(self, n: int) -> UUID:
        found: Hypothesis | None = self.heard.found[n]
        while found is not None and not found.events:
            found = found.parent
        if found is None:
            return self.keys[n]
        return self.heard.events[min(found.events)].id

    def _link(self, outage: Outage, n: int) -> None:
        parent = self.heard.found[n].parent
        if parent is not None:
            key = self.keys[self.heard.found.index(parent)]
            outage.parent = self.heard.outages[key]
            text = f"Still dark after {outage.parent.label} was restored"
        elif n in self.identity.split:
            outage.split_from = self.heard.outages.get(self.identity.split[n])
            if outage.split_from is None:
                return
            text = f"Split from {outage.split_from.label}: a cause of its own"
        else:
            return
        self.linked.add(outage.id)
        self._tell(outage, "split", text)

    def _move_events(self) -> None:
        if not self.moves:
            return
        change(
            "UPDATE outages_sourceevent e SET outage_id = x.outage, disposition = x.told "
            "FROM unnest(%s::uuid[], %s::uuid[], %s::text[]) AS x(id, outage, told) "
            "WHERE e.id = x.id",
            [
                array(event for event, _, _ in self.moves),
                array(key for _, key, _ in self.moves),
                texts(told for _, _, told in self.moves),
            ],
        )

    def _merge(self) -> set[UUID]:
        """Let outages whose events went into another point there."""
        merged = self.identity.merged
        if not merged:
            return set()
        into: dict[UUID, list[Outage]] = {}
        for key, position in merged.items():
            into.setdefault(self.keys[position], []).append(self.heard.outages[key])
        for keeper_id, absorbed in into.items():
            keeper = self.heard.outages[keeper_id]
            for other in absorbed:
                other.merged_into, other.updated_at = keeper, self.at
            keeper.counted_place = ""
            self._tell_merge(keeper, absorbed)
        writing.merge_outages([(key, self.keys[n]) for key, n in merged.items()], self.at)
        return {*into, *merged}

    def _tell_merge(self, keeper: Outage, absorbed: Sequence[Outage]) -> None:
        candidate = self.candidates.get(keeper.id)
        device = f"{keeper.device_kind} {keeper.device_code}"
        if candidate is not None:
            place = describe(self.grid, candidate)
            device = f"{place.device_kind} {place.device_code}"
        names = ", ".join(other.label for other in absorbed)
        lines = [(keeper, f"{names} merged here, device {device}: one cause")]
        lines += [
            (other, f"Merged into {keeper.label}, device {device}: one cause")
            for other in absorbed
        ]
        for outage, text in lines:
            self._tell(outage, "merge", text)

    def _bring_up_to_date(self, outage: Outage, found: Hypothesis, *, is_new: bool) -> None:
        """Let the row say what the hypothesis says."""
        candidate = self.candidates.get(outage.id)
        since = dict(outage.sources)
        if candidate is None:
            _take_in(outage, found, self.heard.events)
        else:
            told = _move_to(self.grid, outage, candidate)
            for kind, text in () if is_new else told:
                self._tell(outage, kind, text)
        if outage.id in self.late:
            _add_late(outage, self.late[outage.id], since)
        self._count(outage)
        outage.confidence = confidence(outage.sources)
        outage.severity = severity(
            sure=outage.confidence,
            customers=outage.customers_count,
            critical=outage.critical_customers,
        )

    def _count(self, outage: Outage) -> None:
        """Count who is out where the outage stands now."""
        if outage.counted_place == outage.device_code:
            return
        if outage.place_kind == PlaceKind.DEVICE:
            first, last = self._range(outage)
            outage.customers_count = last - first
            outage.critical_customers = self.supplied.has_critical(first, last)
        outage.counted_place = outage.device_code

    def _range(self, outage: Outage) -> tuple[int, int]:
        """Return the range of the meters that the outage interrupts."""
        if outage.place_kind == PlaceKind.SERVICE_POINT:
            place = self.supplied.places.get(outage.device_code)
            return (0, 0) if place is None else (place, place + 1)
        edge = self.grid.edge_index(outage.device_code)
        node = None if edge is None else self.grid.fed_node(edge)
        if node is None:
            return 0, 0
        return self.supplied.between(int(self.grid.enter[node]), int(self.grid.leave[node]))

    def _interrupt(self) -> None:
        """Write who was without power when."""
        reaches = []
        for key, found, outcome in self._each():
            outage = self.heard.outages[key]
            if outage.status != Status.CANCELLED:
                until = inf if outage.is_open else _over(outage)
                meters = self._range(outage)
                reaches.append(reach_of(key, found, outcome, meters, until))
        times = share_out(reaches, self.supplied.numbers, self.supplied.positions)
        codes = dict(zip(self.supplied.numbers, self.supplied.codes, strict=True))
        interruptions.bring_up_to_date(self.keys, times, codes)

    # --- Ends ---------------------------------------------------------------------------

    def _end(self, outage: Outage, outcome: Outcome) -> None:
        """Close the outage when all that spoke for it say that power is back."""
        if outcome.ended_at is None or outage.is_planned or self._hears_more(outage):
            return
        ended_at = max(moment(outcome.ended_at), outage.first_detected_at)
        if _is_corrected(outage, outcome):
            outage.restored_at, outage.is_momentary = ended_at, outcome.momentary
        elif outage.is_open and not _is_held_open(self.grid, outage):
            self.endings.append(Ending(outage, ended_at, outcome.momentary))
        elif outage.is_open and outage.restoration_candidate_at is None:
            outage.restoration_candidate_at = ended_at
            self._tell(outage, "candidate", CANDIDATE_TEXT)

    def _hears_more(self, outage: Outage) -> bool:
        """Return whether later events joined the outage: the next judgement ends it, or not."""
        return outage.id in self.late and outage.is_open

    def _tell(self, outage: Outage, kind: str, text: str) -> None:
        self.lines.append(trail.line(outage, kind, text, JUDGE, self.at))


def _state(outage: Outage) -> dict[str, Any]:
    """Return all that the row says."""
    return {k: v for k, v in outage.__dict__.items() if not k.startswith("_")}


def _take_in(outage: Outage, found: Hypothesis, events: Sequence[EventRow]) -> None:
    """Count the events of an outage whose place is fixed; its beginning only moves back."""
    members = [events[p] for p in found.events]
    outage.sources = {**outage.sources, **sources_of(losses_of(members))}
    outage.last_event_at = max([outage.last_event_at, *(e.at for e in members)])


def _add_late(outage: Outage, now: Outage, since: Mapping[str, int]) -> None:
    """Keep what later events added to the row since it was read with these sources."""
    more = {k: n - since.get(k, 0) for k, n in now.sources.items() if n > since.get(k, 0)}
    outage.sources = {
        k: outage.sources.get(k, 0) + more.get(k, 0) for k in {**outage.sources, **more}
    }
    outage.last_event_at = max(outage.last_event_at, now.last_event_at)


def _move_to(grid: "Grid", outage: Outage, candidate: Candidate) -> list[tuple[str, str]]:
    """Let the row say where and since when it is; return what to tell of it, by kind."""
    place = describe(grid, candidate)
    told = []
    if outage.device_code != place.device_code:
        told.append(("device", f"Device inferred: {place.device_kind} {place.device_code}"))
        outage.place_kind = candidate.place_kind
        outage.device_code, outage.device_kind = place.device_code, place.device_kind
        outage.edge_number, outage.node_number = place.edge_number, place.node_number
        outage.transformer_number = place.transformer_number
        outage.customers_count = place.customers
        outage.counted_place = ""
    fresh = sorted(set(candidate.sources) - set(outage.sources))
    told += [("source", f"Also reported by {source}") for source in fresh]
    outage.sources = candidate.sources
    began = candidate.first_detected_at
    outage.first_detected_at = min(began, outage.restored_at or began)
    outage.last_event_at = candidate.last_event_at
    return told


def _over(outage: Outage) -> float:
    ended_at = outage.restored_at or outage.cancelled_at or outage.last_event_at
    return ended_at.timestamp()


def _ends_now(grid: "Grid", outage: Outage, outcome: Outcome) -> bool:
    if outcome.ended_at is None or outage.is_planned or not outage.is_open:
        return False
    return not _is_held_open(grid, outage) or outage.restoration_candidate_at is None


def _is_corrected(outage: Outage, outcome: Outcome) -> bool:
    """Return whether late evidence moves the end of an outage that evidence ended."""
    if outcome.ended_at is None or not outage.ended_by_evidence:
        return False
    if outage.restored_at is None:
        return False
    ended_at = max(moment(outcome.ended_at), outage.first_detected_at)
    return abs(ended_at - outage.restored_at) > SAME or (
        outage.is_momentary != outcome.momentary
    )


def _is_held_open(grid: "Grid", outage: Outage) -> bool:
    """Return whether the actual switch state still says that the device is open."""
    if outage.place_kind != PlaceKind.DEVICE:
        return False
    edge = grid.edge_index(outage.device_code)
    return edge is not None and not bool(grid.closed[edge])
