"""Who is without power because of an outage: one row a meter, never two at once."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import connection

from apps.network import selectors as network
from apps.outages.models import Interruption, Outage
from apps.outages.rules import PlaceKind


def count(outage: Outage) -> tuple[int, bool] | None:
    """Write who is interrupted where the outage stands now.

    Returns how many customers are concerned and whether a critical one is among them; None
    where the place is not on the network.
    """
    meters = _meters(outage)
    if meters is None:
        return None
    wanted = {meter.pk: meter for meter in meters}
    rows = Interruption.objects.filter(outage=outage)
    rows.exclude(meter_number__in=list(wanted)).delete()
    known = set(rows.values_list("meter_number", flat=True))
    _insert(outage, [meter for pk, meter in wanted.items() if pk not in known])
    return len(wanted), any(meter.critical for meter in meters)


def _meters(outage: Outage) -> list[network.MeterView] | None:
    match outage.place_kind:
        case PlaceKind.DEVICE if outage.device_code:
            return list(network.meters_under(outage.device_code))
        case PlaceKind.SERVICE_POINT:
            return network.meters_by_code([outage.device_code])
    return None


def _insert(outage: Outage, meters: list[network.MeterView]) -> None:
    """Add the meters that are not in another outage at that time; those are counted there."""
    if not meters:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO outages_interruption (outage_id, meter_number, meter_code, started_at) "
            "SELECT %s, x.number, x.code, %s FROM unnest(%s::bigint[], %s::text[]) "
            "AS x(number, code) WHERE NOT EXISTS (SELECT 1 FROM outages_interruption i "
            "WHERE i.meter_number = x.number "
            "AND tstzrange(i.started_at, i.ended_at) && tstzrange(%s, NULL))",
            [
                outage.id,
                outage.first_detected_at,
                [m.pk for m in meters],
                [m.code for m in meters],
                outage.first_detected_at,
            ],
        )


def end(outage: Outage, back: Mapping[int, datetime]) -> None:
    """End the interruption of each meter (its number) that is back since the moment given."""
    if not back:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE outages_interruption i SET ended_at = greatest(x.back, i.started_at) "
            "FROM unnest(%s::bigint[], %s::timestamptz[]) AS x(number, back) "
            "WHERE i.outage_id = %s AND i.meter_number = x.number "
            "AND i.ended_at IS DISTINCT FROM greatest(x.back, i.started_at)",
            [list(back), list(back.values()), outage.id],
        )


def hand_over(giver: UUID, taker: Outage) -> None:
    """Move the interruptions of the meters below the taker's device to it."""
    meters = _meters(taker) or []
    rows = Interruption.objects.filter(outage_id=giver)
    rows.filter(meter_number__in=[m.pk for m in meters]).update(outage=taker)
