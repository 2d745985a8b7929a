"""Write what was inferred of a feeder: the difference between the record and the hypotheses."""

from collections.abc import Sequence
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
from apps.outages.correlation.parts import devices_of
from apps.outages.correlation.reconciliation import Identity
from apps.outages.correlation.steps import settles_at
from apps.outages.models import Outage, TimelineEntry
from apps.outages.rules import (
    PlaceKind,
    Status,
    confidence,
    severity,
)
from apps.outages.selectors.hearing import Hearing, identity_of, moment
from apps.outages.services import interruptions, trail, writing
from apps.outages.services.comparing import (
    candidate_of,
    differs,
    disposition_of,
    lacks,
    supplied,
)
from apps.outages.services.life import Ending, restore_by_evidence
from apps.outages.services.places import describe
from apps.outages.services.standing import (
    add_late,
    ends_now,
    has_more,
    is_corrected,
    is_held_open,
    move_to,
    over,
    take_in,
)

if TYPE_CHECKING:
    from apps.network.topology import Grid

JUDGE = system("correlation")
BEFORE = timedelta(minutes=1)
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
    fresh: set[UUID] = field(init=False, default_factory=set)
    before: dict[UUID, dict[str, Any]] = field(init=False, default_factory=dict)
    ends: dict[UUID, float] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        events = self.heard.events
        self.supplied = supplied(self.feeder, self.heard)
        self.identity = identity_of(self.heard, devices_of(self.grid))
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
            if ends_now(self.grid, outage, found, outcome) or is_corrected(outage, outcome):
                return False
            candidate = self.candidates.get(key)
            if candidate is not None and differs(self.grid, outage, candidate):
                return False
            if found.pin is not None and lacks(outage, found, self.heard.events):
                return False
        return True

    def look_again_at(self) -> datetime | None:
        """Return when silence alone tells more: that most are back, or what stayed dark.

        None where it tells nothing. Nothing else may come in on the feeder until then.
        """
        dues = (_due(found, outcome) for _key, found, outcome in self._each())
        waits = [moment(at) for at in (*dues, *self._settling()) if at is not None]
        return min((one for one in waits if one > self.at), default=None)

    def look_again_since(self) -> datetime | None:
        """Return since when then to listen, where what is over may have left parts in the dark."""
        ahead = [at for at in self._settling() if moment(at) > self.at]
        return moment(min(ahead)) - BEFORE if ahead else None

    def _settling(self) -> list[float]:
        """Return when it is seen what stayed dark after each closing."""
        found = (settles_at(one) for one in self.heard.found)
        return [at for at in found if at is not None]

    def begin(self) -> None:
        """Write what the intake leaves alone: new outages, whose events are whose, dark times.

        Once, in the transaction of `write`, before the intake is kept out.
        """
        self._create()
        self._move_events()
        self._merge()
        for key, found, _ in self._each():
            outage = self.heard.outages[key]
            self.before[key] = _state(outage)
            self._restate(outage, found, is_new=key in self.fresh)
        self._interrupt()

    def write(self, now: Sequence[Outage] = ()) -> set[UUID]:
        """Write the rest; return the outages that changed.

        `now` are the rows as they are by now: what events that came later added to one stays.
        """
        self.late = {
            row.id: row
            for row in now
            if row.id in self.before and has_more(row, self.before[row.id])
        }
        merged = [(key, self.keys[n]) for key, n in self.identity.merged.items()]
        if merged:
            writing.merge_outages(merged, self.at)
        saved = []
        for key, found, outcome in self._each():
            outage = self.heard.outages[key]
            self._weigh(outage)
            self._end(outage, found, outcome)
            if _state(outage) != self.before[key] or key in self.linked:
                outage.updated_at = self.at
                saved.append(outage)
        writing.save_outages(saved)
        trail.write(self.lines)
        if self.endings:
            restore_by_evidence(endings=self.endings, by=JUDGE, at=self.at)
        self._interrupt()
        changed = {key for pair in merged for key in pair} | self.fresh
        changed |= {outage.id for outage in saved}
        changed |= {ending.outage.id for ending in self.endings}
        return changed | {key for _, key, _ in self.moves if key is not None}

    # --- Outages ------------------------------------------------------------------------

    def _create(self) -> None:
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
        self.fresh = set(fresh)

    def _first_event(self, n: int) -> UUID:
        told = self.heard.found[n].speaking.events
        return self.heard.events[min(told)].id if told else self.keys[n]

    def _link(self, outage: Outage, n: int) -> None:
        parent = self.heard.found[n].parent
        whole = next((k for k, h, _ in self._each() if h is parent), None)
        if whole is not None:
            outage.parent = self.heard.outages[whole]
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

    def _merge(self) -> None:
        """Let outages whose events went into another point there, not yet written."""
        into: dict[UUID, list[Outage]] = {}
        for key, position in self.identity.merged.items():
            into.setdefault(self.keys[position], []).append(self.heard.outages[key])
        for keeper_id, absorbed in into.items():
            keeper = self.heard.outages[keeper_id]
            for other in absorbed:
                other.merged_into, other.updated_at = keeper, self.at
            keeper.counted_place = ""
            self._tell_merge(keeper, absorbed)

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

    def _restate(self, outage: Outage, found: Hypothesis, *, is_new: bool) -> None:
        """Let the row say what the hypothesis says."""
        candidate = self.candidates.get(outage.id)
        if candidate is None:
            take_in(outage, found, self.heard.events)
        else:
            told = move_to(self.grid, outage, candidate)
            for kind, text in () if is_new else told:
                self._tell(outage, kind, text)
        self._count(outage)

    def _weigh(self, outage: Outage) -> None:
        """Let the row say what all its events say together, later ones, too."""
        if outage.id in self.late:
            add_late(outage, self.late[outage.id], self.before[outage.id]["sources"])
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
        """Write who was without power when, unless that is written already."""
        ends = {
            key: self._end_of(self.heard.outages[key], found, outcome)
            for key, found, outcome in self._each()
        }
        if ends == self.ends:
            return
        self.ends = ends
        reaches = []
        for key, found, outcome in self._each():
            outage = self.heard.outages[key]
            if outage.status != Status.CANCELLED:
                meters = self._range(outage)
                reaches.append(reach_of(key, found, outcome, meters, ends[key]))
        times = share_out(reaches, self.supplied.numbers, self.supplied.positions)
        codes = dict(zip(self.supplied.numbers, self.supplied.codes, strict=True))
        interruptions.bring_up_to_date([*self.keys, *self.identity.merged], times, codes)

    # --- Ends ---------------------------------------------------------------------------

    def _end_of(self, outage: Outage, found: Hypothesis, outcome: Outcome) -> float:
        """Return when power is back; never, as far as is known, of one that stays open."""
        ended_at = self._told_back(outage, outcome)
        ends = outage.is_open and not is_held_open(self.grid, outage, found)
        if ended_at is not None and (ends or is_corrected(outage, outcome)):
            return ended_at.timestamp()
        return inf if outage.is_open else over(outage)

    def _end(self, outage: Outage, found: Hypothesis, outcome: Outcome) -> None:
        """Close the outage when all that spoke for it say that power is back."""
        ended_at = self._told_back(outage, outcome)
        if ended_at is None:
            return
        if is_corrected(outage, outcome):
            outage.restored_at, outage.is_momentary = ended_at, outcome.momentary
        elif outage.is_open and not is_held_open(self.grid, outage, found):
            self.endings.append(Ending(outage, ended_at, outcome.momentary))
        elif outage.is_open and outage.restoration_candidate_at is None:
            outage.restoration_candidate_at = ended_at
            self._tell(outage, "candidate", CANDIDATE_TEXT)

    def _told_back(self, outage: Outage, outcome: Outcome) -> datetime | None:
        """Return since when all that spoke for the outage say that power is back, if they do.

        Where later events joined it, the next judgement says so, or not.
        """
        if outcome.ended_at is None or outage.is_planned:
            return None
        if outage.id in self.late and outage.is_open:
            return None
        return max(moment(outcome.ended_at), outage.first_detected_at)

    def _tell(self, outage: Outage, kind: str, text: str) -> None:
        self.lines.append(trail.line(outage, kind, text, JUDGE, self.at))


def _state(outage: Outage) -> dict[str, Any]:
    """Return all that the row says."""
    return {k: v for k, v in outage.__dict__.items() if not k.startswith("_")}


def _due(found: Hypothesis, outcome: Outcome) -> float | None:
    """Return when silence alone may end it."""
    if outcome.due_at is None and outcome.ended_at is None and outcome.presumed:
        return max(found.back.values(), default=found.since) + PATIENCE
    return outcome.due_at
