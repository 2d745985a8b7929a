"""When power is back in a storm: the crews and the queue of outages, played ahead.

Crews come from whoever knows them. What a person said of an outage or of its zone stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from apps.configuration.selectors import value
from apps.outages.rules import EtrSource, Severity
from apps.outages.rules import settings as declared
from apps.outages.rules.etr import (
    AROUND_DEFAULT,
    Experience,
    default_minutes,
    whole_minute,
)
from apps.outages.rules.queueing import Finish, Job, Place, Team, play_queue
from apps.outages.rules.words import SEVERITIES
from apps.outages.selectors.etr import experience
from apps.outages.selectors.storms import storm_mode
from apps.outages.services.forecasting import (
    COLUMNS,
    FORECASTER,
    MOST,
    OPEN,
    ZONE,
    Due,
    Estimate,
    publish_estimates,
)

SHARE_OF_WAIT = 0.2
"""An estimate is new where it moved by this share of the time that is still to wait."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An outage of the queue as its row has it."""

    due: Due
    place: Place
    severity: str
    customers: int


def simulate_storm_estimates(
    *,
    teams: Sequence[Team[UUID]],
    arrived: Mapping[UUID, datetime],
    speed: float,
    at: datetime,
) -> int:
    """Estimate by simulation while storm mode is on; return how many outages were looked at.

    `teams` are the crews at work, `arrived` since when one is at an outage, `speed` is how fast
    they travel in m/s. Published is what differs enough from what stands. Nothing is done without
    a storm or without crews: then like outages and defaults speak.
    """
    if not teams or not storm_mode().on:
        return 0
    waiting = _queue(at)
    known = experience(at=at)
    jobs = [_job(one, known, arrived.get(one.due.id), at) for one in waiting]
    ends = play_queue(jobs, teams, speed=speed)
    mine = [
        (one.due, _estimate(one.due, ends[one.due.id], len(teams), at))
        for one in waiting
        if one.due.source in _AUTOMATIC and one.due.zone_at is None
    ]
    news = [(due, told) for due, told in mine if _differs(due, told, at)]
    for first in range(0, len(news), MOST):
        publish_estimates(news[first : first + MOST], at)
    return len(mine)


_AUTOMATIC = ("", EtrSource.DEFAULT, EtrSource.STATISTICS, EtrSource.STORM)


def _queue(at: datetime) -> list[_Waiting]:
    """Return every open outage that a crew must go to, those that people spoke of too."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS}, o.latitude, o.longitude, o.severity, o.customers_count "  # noqa: S608 - our own words
            f"FROM outages_outage o {ZONE} WHERE {OPEN} AND NOT o.is_momentary "
            "ORDER BY o.first_detected_at, o.number",
            [at, at],
        )
        return [
            _Waiting(Due(*row[:-4]), Place(row[-4], row[-3]), row[-2], row[-1])
            for row in cursor.fetchall()
        ]


def _job(
    one: _Waiting, known: Experience, arrived_at: datetime | None, at: datetime
) -> Job[UUID]:
    kind = one.due.kind
    work = known.lasted(one.due.likeness, least=value(declared.ETR_SAMPLES))
    if not work:
        minutes = {name: value(each) for name, each in declared.ETR_MINUTES.items()}
        usual = default_minutes(minutes, kind) * 60.0
        work = [usual * share for share in AROUND_DEFAULT]
    worked = 0.0 if arrived_at is None else max(1.0, (at - arrived_at).total_seconds())
    grave = SEVERITIES.index(Severity(one.severity))
    urgency = (-float(grave), -float(one.customers), one.due.began.timestamp())
    return Job(one.due.id, one.place, work, urgency, worked)


def _estimate(due: Due, end: Finish, teams: int, at: datetime) -> Estimate:
    def moment(seconds: float) -> datetime:
        return at + timedelta(seconds=seconds)

    return Estimate(
        estimate_at=whole_minute(moment(end.middle)),
        source=EtrSource.STORM,
        by=FORECASTER.label,
        why=f"by the queue of the storm before {teams} crews",
        low_at=moment(end.low).replace(second=0, microsecond=0),
        high_at=whole_minute(moment(end.high)),
        basis=f"queue before {teams} crews",
    )


def _differs(due: Due, told: Estimate, at: datetime) -> bool:
    """Return whether it says something else than what stands, or that has passed."""
    stands = due.estimate_at
    if stands is None or due.source != EtrSource.STORM or stands < at:
        return True
    enough = max(
        timedelta(minutes=value(declared.STORM_ETR_MINUTES)), SHARE_OF_WAIT * (stands - at)
    )
    return abs(told.estimate_at - stands) >= enough


__all__ = ["simulate_storm_estimates"]
