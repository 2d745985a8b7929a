"""Facts about proposals."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from apps.core.events import Event


@dataclass(frozen=True, kw_only=True)
class ProposalChanged(Event):
    """A proposal was made or decided."""

    name: ClassVar[str] = "approvals.changed"
    proposal_id: UUID
    kind: str
    state: str

    @property
    def subject(self) -> str:
        """Return the proposal."""
        return f"proposal:{self.proposal_id}"
