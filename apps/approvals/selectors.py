"""Read proposals."""

from datetime import datetime

from django.db.models import QuerySet

from apps.approvals.models import Proposal
from apps.approvals.rules import State, kinds_open_to
from apps.core.actor import Actor


def proposals(*, viewer: Actor) -> QuerySet[Proposal]:
    """Return the proposals of the kinds that the viewer may decide on, newest first."""
    return Proposal.objects.filter(kind__in=kinds_open_to(viewer))


def waiting(*, viewer: Actor, at: datetime) -> QuerySet[Proposal]:
    """Return those that wait for a decision, the oldest first."""
    found = proposals(viewer=viewer).filter(state=State.OPEN, expires_at__gt=at)
    return found.order_by("made_at", "id")
