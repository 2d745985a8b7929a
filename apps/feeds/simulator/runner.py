"""Goes round: lets the day advance, tells the portal, looks at it, does what people would do."""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from apps.feeds.simulator.client import Away, Portal, Refused
from apps.feeds.simulator.sight import (
    Act,
    Ask,
    MoveCrew,
    SendCrew,
    SetStatus,
    Sight,
    Tell,
)
from apps.feeds.simulator.simulation import Simulation

logger = logging.getLogger(__name__)

BATCH = 400
LOOK_EVERY = timedelta(seconds=2)
STORM_EVERY = timedelta(seconds=1)
ANSWER_EVERY = timedelta(seconds=2)
SHORTEST_PAUSE = timedelta(seconds=0.5)
LONGEST_PAUSE = timedelta(seconds=10)
MOST_WAITING = 20_000
DISPATCHER = "demo dispatcher"


class Runner:
    """One simulation on one portal.

    What the portal has not taken waits and is sent again under the same names, so that an
    answer that was lost makes no second event. `next_storm` returns the number of faults of a
    storm that somebody asked for, or None.
    """

    def __init__(
        self,
        simulation: Simulation,
        portal: Portal,
        next_storm: Callable[[datetime], int | None],
    ) -> None:
        self.simulation = simulation
        self.portal = portal
        self.next_storm = next_storm
        self.waiting: deque[dict[str, Any]] = deque()
        self.pause = SHORTEST_PAUSE
        self.quiet_until: datetime | None = None
        self.look_at: datetime | None = None
        self.storm_at: datetime | None = None
        self.answer_at: datetime | None = None

    def turn(self, now: datetime) -> None:
        """Do what is due at this moment; what the portal does not take is kept."""
        if len(self.waiting) < MOST_WAITING:
            self.waiting.extend(self.simulation.advance(now))
        if self.quiet_until is not None and now < self.quiet_until:
            return
        try:
            self._tell()
            self._storm(now)
            self._answer(now)
            self._look(now)
        except (Away, Refused) as fault:
            self._step_back(fault, now)
            return
        if self.pause != SHORTEST_PAUSE:
            logger.info("The portal is back")
        self.pause, self.quiet_until = SHORTEST_PAUSE, None

    def _tell(self) -> None:
        while self.waiting:
            events = [self.waiting[i] for i in range(min(BATCH, len(self.waiting)))]
            results = self.portal.report(events)
            for _ in events:
                self.waiting.popleft()
            self.simulation.receive(events, results)

    def _storm(self, now: datetime) -> None:
        if self.storm_at is not None and now < self.storm_at:
            return
        self.storm_at = now + STORM_EVERY
        faults = self.next_storm(now)
        if faults is not None:
            logger.info("A storm of %s faults begins", faults)
            self.simulation.begin_storm(faults=faults, now=now)

    def _answer(self, now: datetime) -> None:
        """Ask the meters that the portal wants asked, and tell it what they say."""
        if self.answer_at is not None and now < self.answer_at:
            return
        self.answer_at = now + ANSWER_EVERY
        for wanted in self.portal.verifications():
            answers = self.simulation.answers(wanted, now)
            if answers:
                path = f"/api/oms/verifications/{wanted['verification_id']}/answer"
                self.portal.post(path, {"answers": answers})

    def _look(self, now: datetime) -> None:
        if not self.simulation.incidents or (
            self.look_at is not None and now < self.look_at
        ):
            return
        self.look_at = now + LOOK_EVERY
        sight = Sight.of(self.portal.outages(), self.portal.crews())
        for act in self.simulation.look(now, sight):
            accepted = self._act(act, now)
            for further in self.simulation.done(act, accepted=accepted):
                self._act(further, now)

    def _act(self, act: Act, now: datetime) -> bool:
        match act:
            case Ask(event):
                self.simulation.receive([event], self.portal.report([event]))
                return True
            case SetStatus(outage_id, status, notes):
                body = {"status": status, "notes": notes, "updated_by": DISPATCHER}
                return self.portal.put(f"/api/oms/outages/{outage_id}/status", body)
            case MoveCrew(assignment_id, crew_name, status, notes):
                body = {"status": status, "notes": notes, "updated_by": crew_name}
                return self.portal.put(f"/api/oms/crews/{assignment_id}/status", body)
            case SendCrew():
                return self._send_crew(act, now)
            case Tell(outage_id, message, minutes):
                body = {
                    "notification_type": "sms",
                    "message": message,
                    "estimated_restoration_time": _in(minutes, now),
                    "updated_by": DISPATCHER,
                }
                return self.portal.post(f"/api/oms/outages/{outage_id}/notify", body)

    def _send_crew(self, act: SendCrew, now: datetime) -> bool:
        body: Mapping[str, Any] = {
            "crew_name": act.crew.name,
            "crew_type": act.crew.crew_type,
            "estimated_arrival_time": _in(act.minutes, now),
            "notes": act.notes,
            "updated_by": DISPATCHER,
        }
        return self.portal.post(f"/api/oms/outages/{act.outage_id}/crew", body)

    def _step_back(self, fault: Exception, now: datetime) -> None:
        """Leave the portal alone for a while, longer each time."""
        if self.pause == SHORTEST_PAUSE:
            logger.warning("The portal does not take events: %s", fault)
        self.quiet_until = now + self.pause
        self.pause = min(self.pause * 2, LONGEST_PAUSE)


def _in(minutes: float, now: datetime) -> str:
    return (now + timedelta(minutes=minutes)).isoformat(timespec="seconds")
