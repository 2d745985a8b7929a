"""When power will be back where no person said so: a zone's word, like outages, the default.

Each outage is looked at when it is new, when its device changes, and when something is said of
its zone or taken back: `etr_made_for` says what it was estimated for last. What a person said of
it is never touched. All outages that are due are done in a few statements.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from apps.audit import services as audit
from apps.configuration.selectors import value
from apps.core.actor import system
from apps.core.bulk import insert
from apps.core.outbox import publish
from apps.outages.events import EstimatesPublished
from apps.outages.rules import EtrSource
from apps.outages.rules import settings as declared
from apps.outages.rules.etr import (
    MINUTE,
    Experience,
    Likeness,
    default_minutes,
    whole_minute,
)
from apps.outages.selectors.etr import experience
from apps.outages.selectors.storms import storm_mode

MOST = 500
FORECASTER = system("estimates")
OPEN = (
    "o.status IN ('detected', 'confirmed', 'in_progress') AND o.merged_into_id IS NULL "
    "AND NOT o.is_planned"
)
# What a zone's word overrules beyond what is estimated here.
_MINE = (
    "(o.etr_source IN ('', 'default', 'statistics', 'zone') "
    "OR o.etr_source = 'storm' AND z.id IS NOT NULL)"
)
_IN_FORCE = (
    "LEFT JOIN outages_zoneestimate {0} ON {0}.zone_kind = '{1}' AND {0}.zone_code = o.{1}_code "
    "AND {0}.ended_at IS NULL AND {0}.until > %s AND {0}.estimate_at > o.first_detected_at "
)
# What is said of the feeder goes before what is said of the region.
ZONE = (
    _IN_FORCE.format("f", "feeder")
    + _IN_FORCE.format("r", "region")
    + "CROSS JOIN LATERAL (SELECT coalesce(f.id, r.id) AS id, "
    "coalesce(f.estimate_at, r.estimate_at) AS estimate_at, "
    "coalesce(f.set_by, r.set_by) AS set_by, "
    "coalesce('feeder ' || f.zone_code, 'region ' || r.zone_code) AS name) AS z "
    "CROSS JOIN LATERAL (SELECT left(concat_ws('/', o.device_kind, o.region_code, o.cause, "
    "z.id), 300) AS made_for) AS x"
)
COLUMNS = (
    "o.id, o.device_kind, o.cause, o.region_code, o.first_detected_at, "
    "o.estimated_restoration_at, o.etr_source, x.made_for, z.estimate_at, z.set_by, z.name"
)


@dataclass(frozen=True, slots=True)
class Due:
    """An outage whose time of restoration is to be estimated, and what its zone says."""

    id: UUID
    kind: str
    cause: str
    region: str
    began: datetime
    estimate_at: datetime | None
    source: str
    made_for: str
    zone_at: datetime | None
    zone_by: str | None
    zone: str | None

    @property
    def likeness(self) -> Likeness:
        """Return what makes other outages like this one."""
        return Likeness(self.kind, self.cause, self.region)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is to be published of one outage."""

    estimate_at: datetime
    source: EtrSource
    by: str
    why: str
    low_at: datetime | None = None
    high_at: datetime | None = None
    samples: int | None = None
    basis: str = ""

    @property
    def text(self) -> str:
        """Return what the timeline says of it."""
        said = f"Power expected back {self.estimate_at:%Y-%m-%d %H:%M} UTC"
        if self.low_at is None or self.high_at is None:
            return f"{said}, {self.why}"
        return f"{said} ({self.low_at:%H:%M} to {self.high_at:%H:%M}), {self.why}"


def renew_estimates(*, at: datetime) -> int:
    """Estimate what is new or has become something else; return how many outages were looked at.

    At most 500 at once; who gets as many asks again.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM outages_outage o {ZONE} "  # noqa: S608 - our own words
            f"WHERE {OPEN} AND {_MINE} AND o.etr_made_for <> x.made_for "
            "ORDER BY o.first_detected_at DESC, o.number DESC LIMIT %s",
            [at, at, MOST],
        )
        due = [Due(*row) for row in cursor.fetchall()]
    if due:
        known = experience(at=at)
        publish_estimates([(one, _estimate(one, known, at)) for one in due], at)
    return len(due)


def renew_overdue_estimates(*, at: datetime) -> int:
    """Estimate anew where power should be back by what was estimated; return how many.

    Only outages like it that lasted longer still count; where they are too few nothing changes.
    """
    known = experience(at=at)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM outages_outage o {ZONE} "  # noqa: S608 - our own words
            f"WHERE {OPEN} AND o.etr_source = ANY(%s) AND z.id IS NULL "
            "AND o.estimated_restoration_at < %s",
            [at, at, _overdue_sources(), at],
        )
        due = [Due(*row) for row in cursor.fetchall()]
    found = [(one, _like(one, known, at)) for one in due]
    renewed = [(one, estimate) for one, estimate in found if estimate is not None]
    for first in range(0, len(renewed), MOST):
        publish_estimates(renewed[first : first + MOST], at)
    return len(renewed)


def _overdue_sources() -> list[str]:
    """Return whose estimates are made anew: while a storm lasts it is played again anyway."""
    sources: list[str] = [EtrSource.DEFAULT, EtrSource.STATISTICS]
    return sources if storm_mode().on else [*sources, EtrSource.STORM]


def _estimate(due: Due, known: Experience, at: datetime) -> Estimate:
    if due.zone_at is not None:
        said = f"as {due.zone_by} said of {due.zone}"
        return Estimate(due.zone_at, EtrSource.ZONE, due.zone_by or "", said)
    return _like(due, known, at) or _default(due)


def _like(due: Due, known: Experience, at: datetime) -> Estimate | None:
    found = known.forecast(
        due.likeness, lasted=at - due.began, least=value(declared.ETR_SAMPLES)
    )
    if found is None:
        return None
    return Estimate(
        estimate_at=whole_minute(due.began + found.lasts),
        source=EtrSource.STATISTICS,
        by=FORECASTER.label,
        why=f"as {found.samples} like outages: {found.likeness}",
        low_at=(due.began + found.low).replace(second=0, microsecond=0),
        high_at=whole_minute(due.began + found.high),
        samples=found.samples,
        basis=str(found.likeness)[:300],
    )


def _default(due: Due) -> Estimate:
    minutes = {kind: value(setting) for kind, setting in declared.ETR_MINUTES.items()}
    lasts = timedelta(minutes=default_minutes(minutes, due.kind))
    why = f"by default for a {due.kind or 'place'}"
    return Estimate(due.began + lasts, EtrSource.DEFAULT, FORECASTER.label, why)


@transaction.atomic
def publish_estimates(found: Sequence[tuple[Due, Estimate]], at: datetime) -> None:
    """Write the estimates that say something new; of the others only that they were looked at.

    Who is held by somebody else is left for the next time: nobody waits here, so nothing can
    wait for us for ever.
    """
    held = _hold([due.id for due, _ in found])
    mine = [(due, estimate) for due, estimate in found if held.get(due.id) == due.source]
    told = [(due, estimate) for due, estimate in mine if _is_news(due, estimate)]
    _mark(mine)
    if not told:
        return
    _change(told, at)
    insert("outages_etrestimate", _LEDGER, (_ledger(due, e, at) for due, e in told))
    insert(
        "outages_timelineentry",
        ("outage_id", "at", "kind", "text", "actor_label", "on_behalf_of"),
        ((due.id, at, "etr", e.text, e.by, "") for due, e in told),
    )
    counts: dict[str, int] = {}
    for _, estimate in told:
        counts[estimate.source.value] = counts.get(estimate.source.value, 0) + 1
    audit.record(
        by=FORECASTER, action="outage_etr_renewed", resource="outage", after=counts, at=at
    )
    publish(EstimatesPublished(outage_ids=tuple(due.id for due, _ in told), at=at))


def _is_news(due: Due, estimate: Estimate) -> bool:
    if due.estimate_at is None or due.source != estimate.source:
        return True
    return abs(due.estimate_at - estimate.estimate_at) >= MINUTE


def _hold(ids: list[UUID]) -> dict[UUID, str]:
    """Hold those that nobody else holds; return who spoke of each last."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT o.id, o.etr_source FROM outages_outage o "  # noqa: S608 - our own words
            f"WHERE o.id = ANY(%s) AND {OPEN} FOR UPDATE SKIP LOCKED",
            [ids],
        )
        return dict(cursor.fetchall())


def _mark(found: Iterable[tuple[Due, Estimate]]) -> None:
    pairs = [(due.id, due.made_for) for due, _ in found]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE outages_outage o SET etr_made_for = x.made_for "
            "FROM unnest(%s::uuid[], %s::text[]) AS x(id, made_for) WHERE o.id = x.id",
            [[key for key, _ in pairs], [made_for for _, made_for in pairs]],
        )


def _change(told: Iterable[tuple[Due, Estimate]], at: datetime) -> None:
    rows = [(due.id, e.estimate_at, e.source.value) for due, e in told]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE outages_outage o SET estimated_restoration_at = x.estimate_at, "
            "etr_source = x.source, updated_at = %s "
            "FROM unnest(%s::uuid[], %s::timestamptz[], %s::text[]) "
            "AS x(id, estimate_at, source) WHERE o.id = x.id",
            [at, *(list(column) for column in zip(*rows, strict=True))],
        )


_LEDGER = (
    "outage_id",
    "estimate_at",
    "low_at",
    "high_at",
    "samples",
    "basis",
    "source",
    "published_at",
    "actor_label",
)


def _ledger(due: Due, e: Estimate, at: datetime) -> tuple[object, ...]:
    return (
        due.id,
        e.estimate_at,
        e.low_at,
        e.high_at,
        e.samples,
        e.basis,
        e.source,
        at,
        e.by,
    )
