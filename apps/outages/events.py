"""What outages publish."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from apps.core.events import Event


@dataclass(frozen=True, kw_only=True)
class EventsMatched(Event):
    """A batch of events was matched: which outages it opened or changed, what is to be judged.

    `work` holds the keys of correlation work that became due with it.
    """

    name: ClassVar[str] = "outages.events_matched"
    opened: tuple[UUID, ...]
    changed: tuple[UUID, ...]
    work: tuple[str, ...]
    count: int

    @property
    def subject(self) -> str:
        """Return one subject for all batches."""
        return "outages:intake"


@dataclass(frozen=True, kw_only=True)
class OutageMoved(Event):
    """An outage went from one status to another."""

    name: ClassVar[str] = "outages.moved"
    outage_id: UUID
    before: str
    after: str
    by: str

    @property
    def subject(self) -> str:
        """Return the outage."""
        return f"outage:{self.outage_id}"


@dataclass(frozen=True, kw_only=True)
class OutagesRejudged(Event):
    """The inference changed outages: devices, members, merges, candidates for restoration."""

    name: ClassVar[str] = "outages.rejudged"
    key: str
    changed: tuple[UUID, ...]

    @property
    def subject(self) -> str:
        """Return the part of the network that was judged."""
        return f"correlation:{self.key}"


@dataclass(frozen=True, kw_only=True)
class OutageNoted(Event):
    """Something was written into an outage's timeline, or its ETR changed."""

    name: ClassVar[str] = "outages.noted"
    outage_id: UUID
    kind: str

    @property
    def subject(self) -> str:
        """Return the outage."""
        return f"outage:{self.outage_id}"


@dataclass(frozen=True, kw_only=True)
class PlannedWorkChanged(Event):
    """Planned work was made, agreed to, begun, ended or taken back."""

    name: ClassVar[str] = "outages.planned_work_changed"
    work_id: int
    state: str

    @property
    def subject(self) -> str:
        """Return the work."""
        return f"work:{self.work_id}"


@dataclass(frozen=True, kw_only=True)
class EstimatesPublished(Event):
    """Nobody said when power is back at these outages, so the portal has estimated it."""

    name: ClassVar[str] = "outages.estimates_published"
    outage_ids: tuple[UUID, ...]

    @property
    def subject(self) -> str:
        """Return one subject for all estimates."""
        return "outages:estimates"


@dataclass(frozen=True, kw_only=True)
class ZoneEstimateChanged(Event):
    """Somebody said when power is back in a whole zone, or took it back."""

    name: ClassVar[str] = "outages.zone_estimate_changed"
    zone_kind: str
    zone_code: str
    by: str

    @property
    def subject(self) -> str:
        """Return the zone."""
        return f"zone:{self.zone_kind}:{self.zone_code}"


@dataclass(frozen=True, kw_only=True)
class VerificationRequested(Event):
    """Meters are to be asked whether they have power."""

    name: ClassVar[str] = "outages.verification_requested"
    verification_id: UUID
    outage_id: UUID
    reason: str
    meters: tuple[str, ...]
    by: str

    @property
    def subject(self) -> str:
        """Return the outage."""
        return f"outage:{self.outage_id}"


@dataclass(frozen=True, kw_only=True)
class VerificationAnswered(Event):
    """Meters have answered, or nobody waits for them any longer where it is complete."""

    name: ClassVar[str] = "outages.verification_answered"
    verification_id: UUID
    outage_id: UUID
    complete: bool
    powered: int
    dark: int
    silent: int

    @property
    def subject(self) -> str:
        """Return the outage."""
        return f"outage:{self.outage_id}"


@dataclass(frozen=True, kw_only=True)
class StormModeChanged(Event):
    """Storm mode was switched on or off, by a person or by what comes in."""

    name: ClassVar[str] = "outages.storm_mode_changed"
    on: bool
    by_hand: bool
    reason: str
    by: str

    @property
    def subject(self) -> str:
        """Return one subject for storm mode."""
        return "storm-mode"


@dataclass(frozen=True, kw_only=True)
class StormRequested(Event):
    """Somebody wants a practice storm of so many faults."""

    name: ClassVar[str] = "outages.storm_requested"
    faults: int
    by: str

    @property
    def subject(self) -> str:
        """Return one subject for all storms."""
        return "storm"


@dataclass(frozen=True, kw_only=True)
class ShiftLogChanged(Event):
    """Somebody wrote into the shift log, or the room went from one shift to the next."""

    name: ClassVar[str] = "outages.shift_log_changed"

    @property
    def subject(self) -> str:
        """Return one subject for the whole log."""
        return "outages:shift-log"


@dataclass(frozen=True, kw_only=True)
class ReplayChanged(Event):
    """A replay was asked for, made, or failed."""

    name: ClassVar[str] = "outages.replay_changed"
    run_id: UUID
    state: str

    @property
    def subject(self) -> str:
        """Return the replay."""
        return f"replay:{self.run_id}"
