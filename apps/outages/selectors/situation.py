"""What is open now, read in few and narrow statements: figures, the gravest, regions."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, F, Max, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncMinute

from apps.accounts.services import require
from apps.core.actor import Actor
from apps.outages.models import GRAVITY, CorrelationWork, Outage
from apps.outages.rules import FINAL, HIGH_CONFIDENCE, Severity, Status

VIEW = "outages.view_outage"


@dataclass(frozen=True, slots=True)
class Situation:
    """The figures of the open outages; `backlog` are events that are still to be judged."""

    active_outages: int
    total_affected_customers: int
    high_confidence_outages: int
    unconfirmed: int
    by_severity: Mapping[str, int]
    backlog: int


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """How many outages and customers one minute added to what is open, or took away."""

    minute: datetime
    outages: int
    customers: int


@dataclass(frozen=True, slots=True)
class RegionFigures:
    """The open outages of one region in one status.

    `unassigned` have no crew, `latest` is the last time by which power should be back.
    """

    region_code: str
    status: str
    outages: int
    customers: int
    critical: int
    unassigned: int
    overdue: int
    latest: datetime | None


def situation(*, viewer: Actor) -> Situation:
    """Return the figures as they are now, from two statements. Raises Forbidden."""
    require(viewer, VIEW)
    found = Outage.objects.open().aggregate(
        active=Count("*"),
        customers=Sum("customers_count"),
        sure=Count("id", filter=Q(confidence__gt=HIGH_CONFIDENCE)),
        unconfirmed=Count("id", filter=Q(status=Status.DETECTED)),
        **{word: Count("id", filter=Q(severity=word)) for word in Severity.values},
    )
    waiting = CorrelationWork.objects.aggregate(n=Sum("waiting"))["n"]
    return Situation(
        active_outages=found["active"],
        total_affected_customers=found["customers"] or 0,
        high_confidence_outages=found["sure"],
        unconfirmed=found["unconfirmed"],
        by_severity={word: found[word] for word in Severity.values},
        backlog=waiting or 0,
    )


def changes(*, viewer: Actor, at: datetime, minutes: int = 60) -> list[Change]:
    """Return how the open outages became more and fewer, minute by minute. Raises Forbidden.

    Customers are those of an outage as it is known now.
    """
    require(viewer, VIEW)
    since = at - timedelta(minutes=minutes)
    standing = Outage.objects.standing()
    ended = standing.filter(status__in=FINAL).annotate(
        moment=Coalesce("restored_at", "cancelled_at")
    )
    opened = standing.annotate(moment=F("opened_at"))
    return sorted(
        Change(minute, sign * outages, sign * (customers or 0))
        for sign, rows in ((1, opened), (-1, ended))
        for minute, outages, customers in rows.filter(moment__gt=since)
        .annotate(minute=TruncMinute("moment"))
        .values_list("minute")
        .annotate(outages=Count("*"), customers=Sum("customers_count"))
    )


def gravest(*, viewer: Actor) -> QuerySet[Outage]:
    """Return the open outages, the gravest first. Raises Forbidden.

    An index holds this order; whoever takes the first of them reads no more than those.
    """
    require(viewer, VIEW)
    return Outage.objects.open().order_by(
        GRAVITY.desc(), "-customers_count", "-first_detected_at", "-number"
    )


def unattended(*, sent: Collection[UUID], viewer: Actor) -> QuerySet[Outage]:
    """Return the open outages that nobody confirmed or is sent to. Raises Forbidden.

    Those with critical customers come first, then those with many. `sent` are the outages to
    which crews are sent.
    """
    require(viewer, VIEW)
    waiting = Q(status=Status.DETECTED) | ~Q(id__in=list(sent))
    return (
        Outage.objects.open()
        .filter(waiting)
        .order_by("-critical_customers", "-customers_count", "first_detected_at", "number")
    )


def open_by_feeder(*, viewer: Actor) -> dict[int, int]:
    """Return how many outages stand open on each feeder, by its key. Raises Forbidden."""
    require(viewer, VIEW)
    rows = Outage.objects.open().exclude(feeder_number=None)
    counted = rows.values_list("feeder_number").annotate(n=Count("*")).order_by()
    return {int(feeder): n for feeder, n in counted if feeder is not None}


def by_region(
    *, sent: Collection[UUID], viewer: Actor, at: datetime
) -> list[RegionFigures]:
    """Return the open outages counted by region and status. Raises Forbidden."""
    require(viewer, VIEW)
    rows = (
        Outage.objects.open()
        .values("region_code", "status")
        .annotate(
            outages=Count("*"),
            customers=Sum("customers_count"),
            critical=Count("id", filter=Q(critical_customers=True)),
            unassigned=Count("id", filter=~Q(id__in=list(sent))),
            overdue=Count("id", filter=Q(estimated_restoration_at__lt=at)),
            latest=Max("estimated_restoration_at"),
        )
        .order_by("region_code", "status")
    )
    return [RegionFigures(**row) for row in rows]
