"""What an outage cost its customers: who was interrupted, how long, restored in which steps."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from apps.configuration.selectors import value
from apps.outages.models import Outage
from apps.outages.rules import settings as declared


@dataclass(frozen=True, slots=True)
class RestorationStep:
    """Customers whose power came back at about the same time, and when the last of them had it."""

    at: datetime
    customers: int


@dataclass(frozen=True, slots=True)
class Reliability:
    """The figures of one outage, of which the indices of a year are sums.

    `customer_minutes` and `longest` count those who are still out up to the moment of asking.
    `momentary_customers` were back within the time that makes an interruption momentary.
    """

    customers_interrupted: int
    customers_still_out: int
    momentary_customers: int
    customer_minutes: float
    longest: timedelta | None
    is_momentary: bool
    steps: list[RestorationStep]


_FIGURES = """
WITH members AS (
    SELECT ended_at, greatest(coalesce(ended_at, %(at)s) - started_at, interval '0') AS lasted
    FROM outages_interruption WHERE outage_id = %(outage)s
), ordered AS (
    SELECT ended_at, (ended_at - lag(ended_at) OVER (ORDER BY ended_at) <= %(gap)s) IS NOT TRUE
        AS begins
    FROM members WHERE ended_at IS NOT NULL
), numbered AS (
    SELECT ended_at, count(*) FILTER (WHERE begins) OVER (ORDER BY ended_at) AS step FROM ordered
), steps AS (
    SELECT max(ended_at) AS at, count(*) AS customers FROM numbered GROUP BY step
)
SELECT count(*), count(*) FILTER (WHERE ended_at IS NULL),
    count(*) FILTER (WHERE ended_at IS NOT NULL AND lasted <= %(momentary)s),
    coalesce(sum(extract(epoch FROM lasted)) / 60, 0)::float8, max(lasted),
    (SELECT array_agg(at ORDER BY at) FROM steps),
    (SELECT array_agg(customers ORDER BY at) FROM steps)
FROM members
"""


def reliability_of(*, outage: Outage, at: datetime) -> Reliability:
    """Return the figures of the outage as they are now, by one statement.

    Each interruption of a meter counts as a customer. Power that came back within a minute of
    others (a setting) came back in one step with them.
    """
    values: dict[str, Any] = {
        "at": at,
        "outage": outage.id,
        "gap": timedelta(seconds=value(declared.STEP_SECONDS)),
        "momentary": timedelta(seconds=value(declared.MOMENTARY_SECONDS)),
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, values)
        row = cursor.fetchone()
    customers, out, brief, minutes, longest, moments, counts = row
    steps = zip(moments or (), counts or (), strict=True)
    return Reliability(
        customers_interrupted=customers,
        customers_still_out=out,
        momentary_customers=brief,
        customer_minutes=round(minutes, 1),
        longest=longest,
        is_momentary=outage.is_momentary,
        steps=[RestorationStep(moment, n) for moment, n in steps],
    )
