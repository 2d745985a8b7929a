"""What crews publish."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from apps.core.events import Event


@dataclass(frozen=True, kw_only=True)
class CrewAssigned(Event):
    """A crew was assigned to an outage."""

    name: ClassVar[str] = "crews.assigned"
    assignment_id: UUID
    outage_id: UUID
    crew_id: UUID
    by: str

    @property
    def subject(self) -> str:
        """Return the outage."""
        return f"outage:{self.outage_id}"


@dataclass(frozen=True, kw_only=True)
class AssignmentMoved(Event):
    """An assignment went from one status to another."""

    name: ClassVar[str] = "crews.assignment_moved"
    assignment_id: UUID
    outage_id: UUID
    crew_id: UUID
    before: str
    after: str
    by: str

    @property
    def subject(self) -> str:
        """Return the outage."""
        return f"outage:{self.outage_id}"


@dataclass(frozen=True, kw_only=True)
class CrewChanged(Event):
    """A crew was made or changed: its people, shift or position."""

    name: ClassVar[str] = "crews.changed"
    crew_id: UUID
    by: str

    @property
    def subject(self) -> str:
        """Return the crew."""
        return f"crew:{self.crew_id}"
