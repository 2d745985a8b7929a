"""What is known of estimates: how long like outages lasted, which zones, how far off they were."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from django.db import connection
from django.db.models import Q, QuerySet

from apps.accounts.services import require
from apps.configuration.selectors import value
from apps.core.actor import Actor
from apps.outages.models import Outage, ZoneEstimate
from apps.outages.rules import EtrSource, ZoneKind
from apps.outages.rules import settings as declared
from apps.outages.rules.etr import Experience, Likeness

MOST_PAST = 20_000
KEEP_SECONDS = 60.0
SCORED_DAYS = 90

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class EtrAccuracy:
    """How far off the published estimates of one source were; null until one was scored.

    `bias` is the mean error: positive where power came later than said. `within` is the share
    of those with an interval in which power came back within it.
    """

    source: EtrSource
    scored: int
    median_absolute_error: timedelta | None
    bias: timedelta | None
    within: float | None


class _Kept(Generic[T]):
    """Something that is read at most once in a while in each process."""

    def __init__(self, read: Callable[[datetime], T], seconds: float) -> None:
        self._read = read
        self._seconds = seconds
        self._held: tuple[float, T] | None = None

    def get(self, at: datetime) -> T:
        """Return what was read, not older than the while."""
        held = self._held
        if held is None or time.monotonic() > held[0]:
            held = self._held = (time.monotonic() + self._seconds, self._read(at))
        return held[1]

    def forget(self) -> None:
        """Read anew at the next question."""
        self._held = None


def experience(*, at: datetime) -> Experience:
    """Return how long the sustained outages of the past lasted, a minute old at most."""
    return _experience.get(at)


def etr_accuracy(*, viewer: Actor, at: datetime) -> list[EtrAccuracy]:
    """Return how far off each source was in the last 90 days, a minute old at most.

    Sustained outages that were not planned count, with every estimate that was published
    before power was back.
    """
    require(viewer, "outages.view_outage")
    return _accuracy.get(at)


def forget_estimates() -> None:
    """Read experience and accuracy anew at the next question."""
    _experience.forget()
    _accuracy.forget()


def zone_estimates(*, at: datetime) -> QuerySet[ZoneEstimate]:
    """Return the estimates for whole zones that are in force, the narrower zones first."""
    return ZoneEstimate.objects.filter(ended_at=None, until__gt=at).order_by(
        "zone_kind", "zone_code"
    )


def zone_estimates_of(*, outage: Outage, at: datetime) -> QuerySet[ZoneEstimate]:
    """Return the estimates in force for the feeder and for the region of an outage."""
    feeder = Q(zone_kind=ZoneKind.FEEDER, zone_code=outage.feeder_code)
    region = Q(zone_kind=ZoneKind.REGION, zone_code=outage.region_code)
    return zone_estimates(at=at).filter(feeder | region)


def _read_experience(at: datetime) -> Experience:
    """Return how long the latest 20,000 of the outages that count lasted."""
    since = at - timedelta(days=value(declared.ETR_DAYS))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT device_kind, cause, region_code, array_agg(lasted) FROM ("
            "SELECT device_kind, cause, region_code, "
            "extract(epoch FROM restored_at - first_detected_at)::float8 AS lasted "
            "FROM outages_outage WHERE status = 'restored' AND merged_into_id IS NULL "
            "AND NOT is_momentary AND NOT is_planned "
            "AND restored_at > %s AND restored_at <= %s "
            "ORDER BY restored_at DESC LIMIT %s) AS past "
            "WHERE lasted > %s GROUP BY device_kind, cause, region_code",
            [since, at, MOST_PAST, value(declared.MOMENTARY_SECONDS)],
        )
        rows = cursor.fetchall()
    return Experience(
        (Likeness(kind, cause, region), seconds) for kind, cause, region, seconds in rows
    )


def _read_accuracy(at: datetime) -> list[EtrAccuracy]:
    """Return one line a source; an estimate of a merged outage counts by where it went."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.source, count(*), "
            "percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(e.error_seconds)), "
            "avg(e.error_seconds)::float8, "
            "avg((o.restored_at BETWEEN e.low_at AND e.high_at)::int)::float8 "
            "FROM outages_etrestimate e JOIN outages_outage told ON told.id = e.outage_id "
            "JOIN outages_outage o ON o.id = coalesce(told.merged_into_id, told.id) "
            "WHERE e.error_seconds IS NOT NULL AND e.published_at > %s "
            "AND e.published_at < o.restored_at "
            "AND NOT o.is_momentary AND NOT o.is_planned GROUP BY e.source",
            [at - timedelta(days=SCORED_DAYS)],
        )
        found = {row[0]: row[1:] for row in cursor.fetchall()}
    return [
        EtrAccuracy(source, *_told(*found.get(source.value, (0, None, None, None))))
        for source in EtrSource
    ]


def _told(
    scored: int, middle: float | None, mean: float | None, within: float | None
) -> tuple[int, timedelta | None, timedelta | None, float | None]:
    return scored, _span(middle), _span(mean), within


def _span(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=round(seconds))


_experience: _Kept[Experience] = _Kept(_read_experience, KEEP_SECONDS)
_accuracy: _Kept[list[EtrAccuracy]] = _Kept(_read_accuracy, KEEP_SECONDS)
