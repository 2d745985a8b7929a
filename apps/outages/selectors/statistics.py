"""Figures of the control room."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from apps.core.actor import Actor
from apps.outages.models import Outage, SourceEvent
from apps.outages.rules import Status
from apps.outages.selectors.situation import situation


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is going on now. `by_status` counts all outages ever, the rest the open ones.

    `source_stats` counts the events of the last 24 hours by source; `backlog` the events whose
    inference has not settled yet.
    """

    active_outages: int
    total_affected_customers: int
    high_confidence_outages: int
    source_stats: Mapping[str, int]
    by_status: Mapping[str, int]
    by_severity: Mapping[str, int]
    backlog: int
    events_last_hour: int
    last_updated: datetime


def statistics(*, viewer: Actor, at: datetime) -> Statistics:
    """Return the figures as they are now."""
    found = situation(viewer=viewer)
    recent = SourceEvent.objects.filter(accepted_at__gt=at - timedelta(hours=24))
    counts = (
        recent.values_list("source_type").annotate(n=Count("*")).order_by("source_type")
    )
    states = (
        Outage.objects.standing()
        .values_list("status")
        .annotate(n=Count("*"))
        .order_by("status")
    )
    hour = SourceEvent.objects.filter(accepted_at__gt=at - timedelta(hours=1)).count()
    return Statistics(
        active_outages=found.active_outages,
        total_affected_customers=found.total_affected_customers,
        high_confidence_outages=found.high_confidence_outages,
        source_stats=dict(counts),
        by_status=dict.fromkeys(Status.values, 0) | dict(states),
        by_severity=found.by_severity,
        backlog=found.backlog,
        events_last_hour=hour,
        last_updated=at,
    )
