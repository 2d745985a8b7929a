"""When power will be back: what people say, of one outage or of a whole zone, and how it was.

What nobody says is estimated in `forecasting`. Crew goes before operator before zone before
storm simulation before like outages before the default of the kind of device.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from apps.accounts.services import require
from apps.audit import services as audit
from apps.core.actor import Actor
from apps.core.errors import NotFound, Unprocessable
from apps.core.outbox import publish
from apps.outages.events import OutageNoted, ZoneEstimateChanged
from apps.outages.models import EtrEstimate, Outage, ZoneEstimate
from apps.outages.rules import EtrSource, Status, ZoneKind, check_step
from apps.outages.rules.etr import is_outranked
from apps.outages.services import forecasting, trail

OPERATE = "outages.operate_outage"


class EtrOutranked(Unprocessable):
    """A more trusted source has already said when power is back."""


class ZoneEstimateNotFound(NotFound):
    """There is no such estimate in force."""


@transaction.atomic
def publish_etr(
    *, outage_id: UUID, estimate_at: datetime, source: EtrSource, by: Actor, at: datetime
) -> Outage:
    """Say when power will be back. A less trusted source never overrules a more trusted one.

    Raises Forbidden, OutageNotFound, StepRefused on a closed outage, EtrOutranked.
    """
    require(by, "outages.record_field_work" if source is EtrSource.CREW else OPERATE)
    outage = trail.hold(outage_id)
    if not outage.is_open:
        check_step(Status(outage.status), Status.RESTORED)
    if estimate_at < outage.first_detected_at:
        raise Unprocessable("Power cannot be back before it went.")
    if is_outranked(source, by=outage.etr_source):
        raise EtrOutranked(f"The {outage.etr_source} has already said when power is back.")
    before = outage.facts()
    outage.estimated_restoration_at, outage.etr_source = estimate_at, source
    outage.updated_at = at
    outage.save(update_fields=["estimated_restoration_at", "etr_source", "updated_at"])
    EtrEstimate.objects.create(
        outage=outage,
        estimate_at=estimate_at,
        source=source,
        published_at=at,
        actor_label=by.label,
    )
    text = f"Power expected back {estimate_at:%Y-%m-%d %H:%M} UTC"
    trail.tell(outage, "etr", text, by, at)
    trail.record(outage, "outage_etr", before, by, at)
    publish(OutageNoted(outage_id=outage.id, kind="etr", at=at))
    return outage


@transaction.atomic
def set_zone_estimate(
    *,
    zone_kind: ZoneKind,
    zone_code: str,
    estimate_at: datetime,
    until: datetime | None = None,
    by: Actor,
    at: datetime,
) -> ZoneEstimate:
    """Say when power will be back wherever it is out on a feeder or in a region.

    It holds for what is out there now and goes out there before `until` (by default before the
    estimate itself), except where a crew or an operator speaks of one outage. It replaces what
    was said of the zone before. Raises Forbidden, or Unprocessable for times that are past.
    """
    require(by, OPERATE)
    until = until or estimate_at
    if not zone_code:
        raise Unprocessable("Nobody knows to which zone this belongs.")
    if min(estimate_at, until) <= at:
        raise Unprocessable("An estimate for a zone is about what is to come.")
    _hold_zones()
    before = _end(
        ZoneEstimate.objects.filter(zone_kind=zone_kind, zone_code=zone_code), by, at
    )
    row = ZoneEstimate.objects.create(
        zone_kind=zone_kind,
        zone_code=zone_code,
        estimate_at=estimate_at,
        until=until,
        set_at=at,
        set_by=by.label[:200],
        on_behalf_of=by.on_behalf_of[:200],
    )
    _tell_zone(row, "zone_etr", before, by, at)
    return row


@transaction.atomic
def withdraw_zone_estimate(*, zone_estimate_id: int, by: Actor, at: datetime) -> None:
    """Take back what was said of a zone. Raises Forbidden or ZoneEstimateNotFound."""
    require(by, OPERATE)
    _hold_zones()
    row = ZoneEstimate.objects.filter(id=zone_estimate_id, ended_at=None).first()
    if row is None:
        raise ZoneEstimateNotFound("There is no such estimate in force.")
    _end(ZoneEstimate.objects.filter(id=row.id), by, at)
    row.refresh_from_db()
    _tell_zone(row, "zone_etr_withdraw", None, by, at)


@transaction.atomic
def score_estimates(*, outage_ids: Sequence[UUID], by: Actor) -> int:
    """Note by how much each estimate of these outages was off, where power is back.

    Those of what was merged into them are scored with them. Idempotent: a score is computed
    anew where the outage's end has changed since. Returns how many were scored. Raises Forbidden.
    """
    require(by, OPERATE)
    if not outage_ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE outages_etrestimate e SET error_seconds = x.off FROM ("
            "SELECT e.id, round(extract(epoch FROM o.restored_at - e.estimate_at))::bigint "
            "AS off FROM outages_outage o JOIN ("
            "SELECT id AS told, id AS into FROM outages_outage WHERE id = ANY(%s) UNION ALL "
            "SELECT id, merged_into_id FROM outages_outage WHERE merged_into_id = ANY(%s)"
            ") AS y ON y.into = o.id JOIN outages_etrestimate e ON e.outage_id = y.told "
            "WHERE o.status = 'restored') AS x "
            "WHERE e.id = x.id AND e.error_seconds IS DISTINCT FROM x.off",
            [list(outage_ids), list(outage_ids)],
        )
        return int(cursor.rowcount)


def _hold_zones() -> None:
    """Let one person at a time speak of zones."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE outages_zoneestimate IN SHARE ROW EXCLUSIVE MODE")


def _end(rows: QuerySet[ZoneEstimate], by: Actor, at: datetime) -> dict[str, object] | None:
    """End what is in force; return what it was."""
    row = rows.filter(ended_at=None).first()
    if row is None:
        return None
    row.ended_at, row.ended_by = max(at, row.set_at), by.label[:200]
    row.save(update_fields=["ended_at", "ended_by"])
    return _facts(row)


def _facts(row: ZoneEstimate) -> dict[str, object]:
    return {
        "estimate_at": row.estimate_at.isoformat(),
        "until": row.until.isoformat(),
        "set_by": row.set_by,
        "ended_at": row.ended_at and row.ended_at.isoformat(),
    }


def _tell_zone(
    row: ZoneEstimate,
    action: str,
    before: dict[str, object] | None,
    by: Actor,
    at: datetime,
) -> None:
    audit.record(
        by=by,
        action=action,
        resource="zone",
        resource_id=f"{row.zone_kind}:{row.zone_code}",
        before=before,
        after=_facts(row),
        at=at,
    )
    forecasting.renew_estimates(at=at)
    publish(
        ZoneEstimateChanged(
            zone_kind=row.zone_kind, zone_code=row.zone_code, by=by.label, at=at
        )
    )
