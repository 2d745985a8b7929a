"""Storm mode as it stands, the rule in force, and how much comes in."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from apps.accounts.services import require
from apps.configuration.rules import Definition
from apps.configuration.selectors import value
from apps.core.actor import Actor
from apps.outages.models import Outage, SourceEvent, StormPeriod
from apps.outages.rules import Kind, Source, Status
from apps.outages.rules import settings as declared
from apps.outages.rules.storms import Rates, Rule, Thresholds

FRESH_SECONDS = 1.0
HOUR = timedelta(hours=1)
# What has only just opened may be a part of something that is still to be judged.
SETTLED = timedelta(seconds=10)
POWER = (Kind.OUTAGE, Kind.RESTORATION)


@dataclass(frozen=True, slots=True)
class StormMode:
    """Whether storm mode is on, since when, and by whose decision."""

    on: bool = False
    since: datetime | None = None
    by: str = ""
    by_hand: bool = False
    reason: str = ""


class _Snapshot:
    """Storm mode, read at most once a second in each process."""

    def __init__(self) -> None:
        self.mode = StormMode()
        self.read_at = float("-inf")

    def get(self) -> StormMode:
        """Return storm mode, at most a second old."""
        clock = time.monotonic()
        if clock - self.read_at > FRESH_SECONDS:
            self.mode, self.read_at = _read(), clock
        return self.mode


_snapshot = _Snapshot()


def storm_mode(*, fresh: bool = False) -> StormMode:
    """Return storm mode as it stands, at most a second old, or read just now."""
    if fresh:
        forget_storm_mode()
    return _snapshot.get()


def forget_storm_mode() -> None:
    """Read storm mode anew at the next question."""
    _snapshot.read_at = float("-inf")


def rule_in_force(source: str) -> Rule:
    """Return how near events of this source must be to others, at most a second old.

    What SCADA says is exact, in a storm too.
    """
    return rule_of(source, storm=source != Source.SCADA and storm_mode().on)


def rule_of(source: str, *, storm: bool) -> Rule:
    """Return how near events of this source must be to others, in a storm or not."""
    if source == Source.SCADA:
        return _rule("scada", declared.SCADA_WINDOW_MINUTES, declared.SCADA_RADIUS_METERS)
    if storm:
        return _rule("storm", declared.STORM_WINDOW_MINUTES, declared.STORM_RADIUS_METERS)
    return _rule("standard", declared.WINDOW_MINUTES, declared.RADIUS_METERS)


def storm_periods(*, viewer: Actor) -> QuerySet[StormPeriod]:
    """Return when storm mode was on, the latest first."""
    require(viewer, "outages.view_outage")
    return StormPeriod.objects.order_by("-began_at", "-id")


def thresholds() -> Thresholds:
    """Return what a storm is."""
    return Thresholds(
        events=value(declared.STORM_EVENTS),
        outages=value(declared.STORM_OUTAGES),
        calm_events=value(declared.STORM_CALM_EVENTS),
        calm_for=timedelta(minutes=value(declared.STORM_CALM_MINUTES)),
    )


def rates(limits: Thresholds, *, at: datetime) -> Rates:
    """Return what came in within the last hour by the portal's own clock.

    Counted no further than the thresholds ask, so that a storm is as cheap to see as a calm.
    Events that say something of power count, and outages that were neither planned, merged
    away, cancelled nor momentary.
    """
    events = SourceEvent.objects.filter(
        accepted_at__gt=at - HOUR, accepted_at__lte=at, kind__in=POWER
    )
    outages = Outage.objects.standing().filter(
        opened_at__gt=at - HOUR,
        opened_at__lte=at - SETTLED,
        is_planned=False,
        is_momentary=False,
    )
    most = max(limits.events, limits.calm_events)
    return Rates(
        events=events.order_by()[:most].count(),
        outages=outages.exclude(status=Status.CANCELLED)
        .order_by()[: limits.outages]
        .count(),
    )


def _read() -> StormMode:
    row = StormPeriod.objects.filter(ended_at=None).first()
    if row is None:
        return StormMode()
    return StormMode(
        on=True,
        since=row.began_at,
        by=row.began_by,
        by_hand=row.by_hand,
        reason=row.reason,
    )


def _rule(name: str, minutes: Definition[int], meters: Definition[int]) -> Rule:
    return Rule(timedelta(minutes=value(minutes)), float(value(meters)), name)
