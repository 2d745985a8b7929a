"""Words and judgement of planned work: its states, its window, who may agree to it. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, Forbidden, Invalid

LONGEST_WORK: Final = timedelta(days=90)
LATEST_START: Final = timedelta(minutes=5)
TITLE_LENGTH: Final = 200
TEXT_LENGTH: Final = 2_000


class WorkState(TextChoices):
    """Where planned work stands."""

    PROPOSED = "proposed", _("Proposed")
    APPROVED = "approved", _("Approved")
    UNDER_WAY = "under_way", _("Under way")
    DONE = "done", _("Done")
    REJECTED = "rejected", _("Rejected")
    CANCELLED = "cancelled", _("Cancelled")


COMING: Final = (WorkState.PROPOSED, WorkState.APPROVED, WorkState.UNDER_WAY)
STEPS: Final[Mapping[str, frozenset[str]]] = {
    WorkState.PROPOSED: frozenset(
        {WorkState.APPROVED, WorkState.REJECTED, WorkState.CANCELLED}
    ),
    WorkState.APPROVED: frozenset({WorkState.UNDER_WAY, WorkState.CANCELLED}),
    WorkState.UNDER_WAY: frozenset({WorkState.DONE}),
    WorkState.DONE: frozenset(),
    WorkState.REJECTED: frozenset(),
    WorkState.CANCELLED: frozenset(),
}


def check_work_step(before: str, after: WorkState) -> None:
    """Refuse a step that the work cannot take. Raises Conflict."""
    if after not in STEPS[before]:
        said = WorkState(before).label.lower()
        raise Conflict(f"The work is {said}: it cannot be {after.label.lower()}.")


def check_window(starts_at: datetime, ends_at: datetime, at: datetime) -> None:
    """Refuse a window that lies in the past, is empty or too long. Raises Invalid."""
    if starts_at < at - LATEST_START:
        raise Invalid("The work cannot begin in the past.", fields={"field": "starts_at"})
    if not starts_at < ends_at <= starts_at + LONGEST_WORK:
        raise Invalid(
            "The work ends after it begins, within 90 days.", fields={"field": "ends_at"}
        )


def check_second(maker: UUID | None, by: UUID | None) -> None:
    """Refuse that who planned the work agrees to it. Raises Forbidden."""
    if maker is not None and maker == by:
        raise Forbidden("Somebody else has to agree to what you planned.")


def words_of(text: str, longest: int, field: str, *, required: bool = True) -> str:
    """Return the text, trimmed. Raises Invalid where it is missing or too long."""
    found = text.strip()
    if len(found) > longest or "\0" in found or (required and not found):
        least = 1 if required else 0
        raise Invalid(f"Between {least} and {longest} characters.", fields={"field": field})
    return found
