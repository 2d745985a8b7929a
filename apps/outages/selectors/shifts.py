"""Read the shift log."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from apps.accounts.services import require
from apps.core.actor import Actor
from apps.outages.models import Handover, ShiftNote, TimelineEntry

VIEW = "outages.view_outage"


def shift_notes(*, viewer: Actor, start: datetime, end: datetime) -> QuerySet[ShiftNote]:
    """Return the remarks from `start` until before `end`, newest first. Raises Forbidden."""
    require(viewer, VIEW)
    return ShiftNote.objects.filter(at__gte=start, at__lt=end)


def pinned_notes(*, viewer: Actor) -> QuerySet[ShiftNote]:
    """Return the pinned remarks, newest first. Raises Forbidden."""
    require(viewer, VIEW)
    return ShiftNote.objects.filter(pinned=True)


def happenings(
    *, viewer: Actor, start: datetime, end: datetime, most: int
) -> Sequence[TimelineEntry]:
    """Return what people did at outages in that time, newest first. Raises Forbidden."""
    require(viewer, VIEW)
    rows = TimelineEntry.objects.filter(at__gte=start, at__lt=end)
    rows = rows.exclude(actor_label__in=("", "system", "correlation", "scada"))
    return list(rows.select_related("outage").order_by("-at", "-id")[:most])


def handovers(*, viewer: Actor) -> QuerySet[Handover]:
    """Return the handovers, newest first. Raises Forbidden."""
    require(viewer, VIEW)
    return Handover.objects.all()
