"""Reads of events: what came in and what became of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, QuerySet
from django.db.models.functions import TruncMinute

from apps.accounts.services import require
from apps.core.actor import Actor
from apps.outages.models import Outage, SourceEvent
from apps.outages.rules import Disposition

BELONGING = (Disposition.OUTAGE, Disposition.RESTORATION, Disposition.PLANNED)


@dataclass(frozen=True, slots=True)
class SourceEvidence:
    """How often one source spoke of an outage, and when."""

    source_type: str
    events: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class RatePoint:
    """How many events of one source came in during one minute."""

    minute: datetime
    source_type: str
    events: int


def events(*, viewer: Actor) -> QuerySet[SourceEvent]:
    """Return every event that was accepted, the latest accepted first."""
    require(viewer, "outages.view_event")
    return SourceEvent.objects.order_by("-accepted_at", "-id")


def unresolved(*, viewer: Actor) -> QuerySet[SourceEvent]:
    """Return the events whose place nothing in the registry knows, the latest first."""
    return events(viewer=viewer).filter(disposition=Disposition.UNRESOLVED)


def events_of(*, outage: Outage, viewer: Actor) -> QuerySet[SourceEvent]:
    """Return the events of one outage, the latest first."""
    return events(viewer=viewer).filter(outage=outage).order_by("-occurred_at", "-id")


def evidence_of(*, outage: Outage) -> list[SourceEvidence]:
    """Return what each source said of the outage, the busiest first."""
    rows = (
        SourceEvent.objects.filter(outage=outage)
        .values("source_type")
        .annotate(
            events=Count("id"), first_at=Min("occurred_at"), last_at=Max("occurred_at")
        )
        .order_by("-events", "source_type")
    )
    return [SourceEvidence(**row) for row in rows]


def event_rate(*, viewer: Actor, at: datetime, minutes: int = 60) -> list[RatePoint]:
    """Return the events accepted a minute, by source, over the last minutes."""
    require(viewer, "outages.view_outage")
    rows = (
        SourceEvent.objects.filter(accepted_at__gt=at - timedelta(minutes=minutes))
        .annotate(minute=TruncMinute("accepted_at"))
        .values("minute", "source_type")
        .annotate(events=Count("*"))
        .order_by("minute", "source_type")
    )
    return [RatePoint(**row) for row in rows]
