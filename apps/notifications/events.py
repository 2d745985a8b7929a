"""What notices publish."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from apps.core.events import Event


@dataclass(frozen=True, kw_only=True)
class NoticeRequested(Event):
    """Somebody asked to tell customers something; the recipients are rows already."""

    name: ClassVar[str] = "notifications.requested"
    notice_id: UUID
    outage_id: UUID | None
    recipients: int
    by: str

    @property
    def subject(self) -> str:
        """Return the notice."""
        return f"notice:{self.notice_id}"


@dataclass(frozen=True, kw_only=True)
class NoticeSent(Event):
    """Nothing of a notice waits any more: each recipient has it, or will not get it."""

    name: ClassVar[str] = "notifications.sent"
    notice_id: UUID
    outage_id: UUID | None

    @property
    def subject(self) -> str:
        """Return the notice."""
        return f"notice:{self.notice_id}"
