"""The day itself: what happens when, and what has become of it. Pure: it is told the time."""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any

from apps.feeds.simulator.incident import Incident, Pace
from apps.feeds.simulator.sight import Act, MoveCrew, SendCrew, Sight
from apps.feeds.storms import (
    CALM,
    ROUGH,
    Cause,
    Fault,
    Habits,
    Signal,
    Speaker,
    Targets,
    Weather,
    World,
)

if TYPE_CHECKING:
    from apps.network.topology import Grid

GAP_MINUTES = 25.0
SHORTEST_GAP = 4.0
LONGEST_GAP = 50.0
NOISE_GAP = 6.0
FIRST_AFTER = timedelta(seconds=5)
AT_ONCE = 4
STORM_LASTS = timedelta(minutes=3)
STORM_NOISE = 0.3
CROWDED = 5_000
REMEMBERED = 2_000
UNREACHED = 0.06


class Simulation:
    """The grid with its faults, and the signals that are on their way."""

    def __init__(
        self,
        world: World,
        *,
        seed: int,
        run: str,
        pace: Pace,
        starts_at: datetime,
        spared: Iterable[str] = (),
    ) -> None:
        """Begin the day. `run` names its events apart from those of other runs."""
        self.world = world
        self.pace = pace
        self.rng = Random(seed)  # noqa: S311 - a game is no secret
        self.calm = Speaker(world, self.rng, _paced(CALM, pace), run)
        self.rough = Speaker(world, self.rng, _paced(ROUGH, pace), f"{run}-storm")
        self.targets = Targets(world, spared=frozenset(spared))
        self.everywhere = Targets(world)
        self.weather = _paced_weather(pace)
        self.grid: Grid = world.grid
        self.dark: set[int] = set()
        self.heard: set[int] = set()
        self.incidents: dict[int, Incident] = {}
        self.incident_of: dict[str, int] = {}
        self.coming: list[tuple[datetime, int, Signal]] = []
        self.storm: list[datetime] = []
        # The outages that our events went to, the latest last; and who of our meters answers.
        self.ours: dict[str, None] = {}
        self.line = Random(seed + 1)  # noqa: S311 - a game is no secret
        self.next_fault_at = starts_at + FIRST_AFTER
        self.next_noise_at = starts_at + pace.span(NOISE_GAP)
        self._numbers = count(1)
        self._order = count()

    @property
    def is_stormy(self) -> bool:
        """Return whether a storm goes on."""
        return bool(self.storm)

    # --- Time goes on ---------------------------------------------------------------------
    def advance(self, now: datetime) -> list[dict[str, Any]]:
        """Let everything happen that is due; return the events that arrive by now."""
        self._break_in_storm(now)
        if now >= self.next_fault_at:
            self.next_fault_at = now + self._gap()
            if len(self.incidents) < AT_ONCE and not self.storm:
                self.break_something(now)
        if now >= self.next_noise_at:
            self.next_noise_at = now + self.pace.span(self.rng.uniform(1, 2 * NOISE_GAP))
            self._send([self.calm.noise(now)])
        for incident in list(self.incidents.values()):
            clears_at = incident.fault.clears_at
            if incident.is_repaired or (clears_at is not None and clears_at <= now):
                self._restore(incident, now)
        return self._arrived(now)

    def begin_storm(self, *, faults: int, now: datetime) -> None:
        """Let so many faults happen within the next minutes, more to those still to come."""
        seconds = STORM_LASTS.total_seconds()
        moments = [timedelta(seconds=self.rng.uniform(0, seconds)) for _ in range(faults)]
        self.storm = sorted(self.storm + [now + moment for moment in moments])

    def break_something(self, now: datetime) -> Incident | None:
        """Let one thing break; None where nothing is left that could."""
        targets = self.everywhere if self.storm else self.targets
        fault = targets.draw(
            self.rng, self.weather, self.grid, self.dark, number=next(self._numbers), at=now
        )
        return None if fault is None else self._begin(fault)

    def adopt(self, fault: Fault, outage_id: str, status: str) -> None:
        """Take over what an earlier run left: the device is open, the outage is known."""
        self._open(fault)
        self.heard.update(fault.meters)
        incident = Incident(replace(fault, number=next(self._numbers)), status=status)
        incident.add_outage(outage_id)
        self._claim(outage_id)
        self.incidents[incident.fault.number] = incident

    def _begin(self, fault: Fault) -> Incident:
        speaker = self.rough if self.storm else self.calm
        self._open(fault)
        said = speaker.loss(fault)
        self.heard.update(signal.meter for signal in said if signal.meter >= 0)
        incident = Incident(fault, first_event=said[0].event if said else None)
        self.incidents[fault.number] = incident
        self.incident_of.update((signal.name, fault.number) for signal in said)
        self._send(said)
        return incident

    def _break_in_storm(self, now: datetime) -> None:
        while self.storm and self.storm[0] <= now and len(self.coming) < CROWDED:
            self.break_something(now)
            self.storm.pop(0)
            if self.rng.random() < STORM_NOISE:
                self._send([self.rough.noise(now)])

    def _gap(self) -> timedelta:
        minutes = self.rng.expovariate(1 / GAP_MINUTES)
        return self.pace.span(min(max(minutes, SHORTEST_GAP), LONGEST_GAP))

    # --- Devices --------------------------------------------------------------------------
    def _open(self, fault: Fault) -> None:
        if fault.cause is not Cause.SERVICE:
            self.grid = self.world.switched(self.grid, fault.device, closed=False)
        self.dark.update(fault.meters)

    def _restore(self, incident: Incident, now: datetime) -> None:
        fault = incident.fault
        del self.incidents[fault.number]
        self.incident_of = {
            name: number
            for name, number in self.incident_of.items()
            if number != fault.number
        }
        devices = {other.fault.device for other in self.incidents.values()}
        if fault.cause is not Cause.SERVICE and fault.device not in devices:
            self.grid = self.world.switched(self.grid, fault.device, closed=True)
        services = {
            number
            for other in self.incidents.values()
            if other.fault.cause is Cause.SERVICE
            for number in other.fault.meters
        }
        returned = self.world.live(self.grid, sorted(self.dark - services))
        self.dark.difference_update(returned)
        self._forget_calls(set(returned))
        self._send(self.calm.back(fault, returned, self.heard, now))
        self.heard.difference_update(returned)

    # --- Signals --------------------------------------------------------------------------
    def _send(self, signals: Iterable[Signal]) -> None:
        for signal in signals:
            heapq.heappush(self.coming, (signal.arrives_at, next(self._order), signal))

    def _forget_calls(self, returned: set[int]) -> None:
        """Nobody calls who has power again."""
        self.coming = [
            entry
            for entry in self.coming
            if not (entry[2].is_call and entry[2].meter in returned)
        ]
        heapq.heapify(self.coming)

    def _arrived(self, now: datetime) -> list[dict[str, Any]]:
        found = []
        while self.coming and self.coming[0][0] <= now:
            found.append(heapq.heappop(self.coming)[2].event)
        return found

    # --- The portal -----------------------------------------------------------------------
    def receive(
        self, events: Sequence[Mapping[str, Any]], results: Sequence[Mapping[str, Any]]
    ) -> None:
        """Note to which outages the portal gave the events."""
        for event, result in zip(events, results, strict=True):
            number = self.incident_of.get(str(event["source_event_id"]))
            outage_id = result.get("outage_id")
            if outage_id and number is not None:
                self._claim(outage_id)
            if outage_id and number in self.incidents:
                self.incidents[number].add_outage(outage_id)

    def _claim(self, outage_id: str) -> None:
        self.ours.pop(outage_id, None)
        self.ours[outage_id] = None
        while len(self.ours) > REMEMBERED:
            del self.ours[next(iter(self.ours))]

    def answers(self, wanted: Mapping[str, Any], now: datetime) -> list[dict[str, Any]]:
        """Return what the meters of a verification say; a few are not to be reached.

        Nothing of an outage that somebody else has reported: of that this world knows nothing.
        """
        if wanted["outage_id"] not in self.ours:
            return []
        return [self._answer(meter["meter_id"], now) for meter in wanted["meters"]]

    def _answer(self, code: str, now: datetime) -> dict[str, Any]:
        number, lost = self.world.number(code), self.line.random() < UNREACHED
        result = "dark" if number in self.dark else "powered"
        if number is None or lost:
            result = "no_answer"
        at = now.isoformat(timespec="milliseconds")
        return {"meter_id": code, "result": result, "timestamp": at}

    def look(self, now: datetime, sight: Sight) -> list[Act]:
        """Return what people of the demo do, given what the portal shows."""
        acts: list[Act] = []
        free = list(sight.free)
        served: set[str] = set()
        for incident in self.incidents.values():
            found = incident.look(now, replace(sight, free=free), self.pace, self.rng)
            outage = incident.find(sight)
            if outage is not None and outage.id in served:
                continue
            if outage is not None:
                served.add(outage.id)
            acts += found
            sent = {act.crew.name for act in found if isinstance(act, SendCrew)}
            free = [crew for crew in free if crew.name not in sent]
        return acts

    def done(self, act: Act, *, accepted: bool) -> list[Act]:
        """Note how an act ended; return what follows from it."""
        if not isinstance(act, MoveCrew) or act.status != "work_completed":
            return []
        follows: list[Act] = []
        for incident in self.incidents.values():
            if act.assignment_id in incident.seen:
                incident.is_repaired = True
                follows = incident.repaired() or follows
        return follows if accepted else []


def _paced(habits: Habits, pace: Pace) -> Habits:
    """Let people call sooner where time goes faster; what wires carry keeps its seconds."""
    delay = habits.call_delay * 20 / max(pace.speed, 1.0)
    return replace(habits, call_delay=max(delay, 2.0))


def _paced_weather(pace: Pace) -> Weather:
    shortest = max(pace.span(6.0), timedelta(seconds=10))
    longest = max(pace.span(16.0), timedelta(seconds=20))
    return Weather(passing=0.25, passing_for=(shortest, longest))
