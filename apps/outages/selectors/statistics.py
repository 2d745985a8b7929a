"""Figures of the control room."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, Sum

from apps.accounts.services import require
from apps.core.actor import Actor
from apps.outages.models import CorrelationWork, Outage, SourceEvent
from apps.outages.rules import HIGH_CONFIDENCE, Severity, Status


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
    require(viewer, "outages.view_outage")
    found = Outage.objects.open().aggregate(
        active=Count("*"),
        customers=Sum("customers_count"),
        sure=Count("id", filter=Q(confidence__gt=HIGH_CONFIDENCE)),
        **{word: Count("id", filter=Q(severity=word)) for word in Severity.values},
    )
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
    waiting = CorrelationWork.objects.aggregate(n=Sum("waiting"))["n"]
    hour = SourceEvent.objects.filter(accepted_at__gt=at - timedelta(hours=1)).count()
    return Statistics(
        active_outages=found["active"],
        total_affected_customers=found["customers"] or 0,
        high_confidence_outages=found["sure"],
        source_stats=dict(counts),
        by_status=dict.fromkeys(Status.values, 0) | dict(states),
        by_severity={word: found[word] for word in Severity.values},
        backlog=waiting or 0,
        events_last_hour=hour,
        last_updated=at,
    )
