"""One fault from the moment it happens until power is back: who waits for whom.

People come first: the dispatcher of the demo steps in only where nobody has acted for a while.
Crews that were sent to the outage, by whomever, travel, arrive, work and report.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from apps.feeds.simulator.sight import (
    Act,
    Ask,
    FreeCrew,
    MoveCrew,
    OpenOutage,
    SendCrew,
    Sent,
    SetStatus,
    Sight,
    Tell,
)
from apps.feeds.storms import Cause, Fault

NEXT_STEP = {"assigned": "en_route", "en_route": "on_site", "on_site": "work_completed"}
FINDINGS = {
    Cause.FEEDER: "Tree on the line cleared, insulator replaced.",
    Cause.SECTION: "Damaged cable joint isolated and bridged.",
    Cause.TRANSFORMER: "Transformer fuse replaced.",
    Cause.SERVICE: "Service fuse replaced.",
}
REPAIR_MINUTES = {
    Cause.FEEDER: (12.0, 25.0),
    Cause.SECTION: (15.0, 30.0),
    Cause.TRANSFORMER: (12.0, 35.0),
    Cause.SERVICE: (8.0, 15.0),
}
TRAVEL_KMH = 30.0
FEW = 60
ABSENT = timedelta(seconds=6)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast time goes: simulated minutes a real minute; and how patient the dispatcher is."""

    speed: float = 20.0
    patience: float = 14.0
    patience_with_people: float = 60.0
    start: tuple[float, float] = (1.0, 2.0)
    longest_travel: float = 12.0
    unattended: float = 240.0

    def span(self, minutes: float) -> timedelta:
        """Return how long so many simulated minutes really take."""
        return timedelta(minutes=minutes / self.speed)


@dataclass(slots=True)
class Incident:
    """A fault and what the portal makes of it.

    `outage_ids` are the outages that the portal named for its events, the latest last.
    `is_ours` says that the dispatcher of the demo sent the crew, and nobody else.
    """

    fault: Fault
    first_event: Mapping[str, Any] | None = None
    outage_ids: list[str] = field(default_factory=list)
    status: str = ""
    acted_at: datetime | None = None
    own_steps: set[str] = field(default_factory=set)
    is_ours: bool = False
    due: dict[str, datetime] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    absent_since: datetime | None = None
    asked: bool = False
    is_told: bool = False
    is_repaired: bool = False

    def add_outage(self, outage_id: str) -> None:
        """Remember the outage that one of its events went to."""
        if outage_id in self.outage_ids:
            self.outage_ids.remove(outage_id)
        self.outage_ids.append(outage_id)

    def find(self, sight: Sight) -> OpenOutage | None:
        """Return the open outage that stands for the fault, if there is one."""
        for outage_id in reversed(self.outage_ids):
            if outage_id in sight.outages:
                return sight.outages[outage_id]
        return None

    def look(self, now: datetime, sight: Sight, pace: Pace, rng: Random) -> list[Act]:
        """Return what is to be done now. Sets `is_repaired` once power may return."""
        if self.fault.clears_at is not None and self.fault.clears_at <= now:
            self.is_repaired = True
        outage = self.find(sight)
        if outage is None:
            return self._look_for_it(now, pace)
        self.absent_since, self.asked = None, False
        self._notice_people(outage, now)
        crews = [sent for sent in sight.sent if sent.outage_id == outage.id]
        acts = self._drive(crews, now, pace, rng)
        if self.is_repaired or self.seen:
            return acts
        return acts + self._dispatch(outage, now, sight, pace)

    def repaired(self) -> list[Act]:
        """Return what the control room does when power returns and nobody else would."""
        if not self.is_ours or not self.outage_ids:
            return []
        return [SetStatus(self.outage_ids[-1], "restored", FINDINGS[self.fault.cause])]

    # --- The outage is not there ----------------------------------------------------------
    def _look_for_it(self, now: datetime, pace: Pace) -> list[Act]:
        """Ask where its events are now; where they are in no open outage, somebody closed it."""
        if not self.outage_ids:
            if now >= self.fault.at + pace.span(pace.unattended / 4):
                self.is_repaired = True
            return []
        if self.absent_since is None:
            self.absent_since = now
        elif now - self.absent_since > 2 * ABSENT:
            self.is_repaired = True
        elif now - self.absent_since > ABSENT and not self.asked and self.first_event:
            self.asked = True
            return [Ask(self.first_event)]
        return []

    # --- People ---------------------------------------------------------------------------
    def _notice_people(self, outage: OpenOutage, now: datetime) -> None:
        if outage.status == self.status:
            return
        if self.status and outage.status not in self.own_steps:
            self.acted_at = now
        self.status = outage.status

    # --- Crews ----------------------------------------------------------------------------
    def _drive(
        self, crews: Iterable[Sent], now: datetime, pace: Pace, rng: Random
    ) -> list[Act]:
        acts: list[Act] = []
        there = {sent.id: sent for sent in crews}
        if self.seen and not there:
            # The last crew is done or was called back by somebody else.
            self.is_repaired = True
        for sent in there.values():
            if self.seen.get(sent.id) != sent.status:
                self.seen[sent.id] = sent.status
                self.due[sent.id] = now + self._takes(sent.status, pace, rng)
            if self.due[sent.id] <= now and sent.status in NEXT_STEP:
                acts.append(self._step(sent))
                self.due[sent.id] = now + timedelta(seconds=5)
        return acts

    def _takes(self, status: str, pace: Pace, rng: Random) -> timedelta:
        if status == "assigned":
            return pace.span(rng.uniform(*pace.start))
        if status == "en_route":
            return pace.span(rng.uniform(pace.longest_travel / 3, pace.longest_travel))
        return pace.span(rng.uniform(*REPAIR_MINUTES[self.fault.cause]))

    def _step(self, sent: Sent) -> MoveCrew:
        then = NEXT_STEP[sent.status]
        notes = {
            "en_route": "On our way.",
            "on_site": "Arrived, looking for the fault.",
            "work_completed": FINDINGS[self.fault.cause],
        }[then]
        self.own_steps.add("in_progress")
        return MoveCrew(sent.id, sent.crew_name, then, notes)

    # --- The dispatcher -------------------------------------------------------------------
    def _dispatch(
        self, outage: OpenOutage, now: datetime, sight: Sight, pace: Pace
    ) -> list[Act]:
        """Confirm, send the nearest crew and tell the customers, where nobody else has."""
        due = self.fault.at + pace.span(pace.patience)
        if self.acted_at is not None:
            due = max(due, self.acted_at + pace.span(pace.patience_with_people))
        crew = _nearest(outage, sight.free)
        if now < due or crew is None or self.fault.clears_at is not None:
            return []
        minutes = min(crew.meters_to(outage) / 1000 / TRAVEL_KMH * 60, pace.longest_travel)
        acts: list[Act] = []
        self.is_ours = self.acted_at is None
        if outage.status == "detected":
            self.own_steps.add("confirmed")
            acts.append(SetStatus(outage.id, "confirmed", "Confirmed by its reports."))
        eta = pace.span(minutes + pace.start[1]).total_seconds() / 60
        acts.append(SendCrew(outage.id, crew, eta, f"Nearest {crew.crew_type}."))
        if not self.is_told and outage.customers:
            self.is_told = True
            acts.append(self._tell(outage, eta, pace))
        return acts

    def _tell(self, outage: OpenOutage, eta: float, pace: Pace) -> Tell:
        repair = pace.span(REPAIR_MINUTES[self.fault.cause][1]).total_seconds() / 60
        message = "Power is out in your area. A crew is on its way."
        return Tell(outage.id, message, eta + repair)


def _nearest(outage: OpenOutage, free: Iterable[FreeCrew]) -> FreeCrew | None:
    fit = [crew for crew in free if crew.crew_type in ("line_crew", "emergency_crew")]
    urgent = outage.severity == "critical"
    return min(
        fit,
        key=lambda crew: (
            urgent != (crew.crew_type == "emergency_crew"),
            crew.meters_to(outage),
            crew.name,
        ),
        default=None,
    )
