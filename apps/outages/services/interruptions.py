"""Who is without power because of an outage: one row a meter, never two at once."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import inf
from uuid import UUID

from django.db import connection

from apps.outages.correlation.darktimes import DarkTime
from apps.outages.models import Interruption
from apps.outages.selectors.hearing import moment

Row = tuple[UUID, int, datetime, datetime | None]


def bring_up_to_date(
    outages: Iterable[UUID], times: Sequence[DarkTime], codes: dict[int, str]
) -> None:
    """Let the rows of these outages say what the dark times say; `codes` names the meters.

    What other outages hold already stays theirs.
    """
    wanted: dict[Row, None] = {
        (
            t.outage,
            t.meter,
            moment(t.since),
            None if t.until == inf else moment(t.until),
        ): None
        for t in times
    }
    rows = Interruption.objects.filter(outage__in=list(outages)).values_list(
        "pk", "outage_id", "meter_number", "started_at", "ended_at"
    )
    stale = []
    for pk, outage, meter, since, until in rows:
        if (outage, meter, since, until) in wanted:
            del wanted[outage, meter, since, until]
        else:
            stale.append(pk)
    if stale:
        Interruption.objects.filter(pk__in=stale).delete()
    if wanted:
        _insert(list(wanted), codes)


def _insert(rows: Sequence[Row], codes: dict[int, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO outages_interruption "
            "(outage_id, meter_number, meter_code, started_at, ended_at) "
            "SELECT x.outage, x.number, x.code, x.since, x.until "
            "FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::timestamptz[], "
            "%s::timestamptz[]) AS x(outage, number, code, since, until) "
            "WHERE NOT EXISTS (SELECT 1 FROM outages_interruption i "
            "WHERE i.meter_number = x.number "
            "AND tstzrange(i.started_at, i.ended_at) && tstzrange(x.since, x.until))",
            [
                [row[0] for row in rows],
                [row[1] for row in rows],
                [codes.get(row[1], "") for row in rows],
                [row[2] for row in rows],
                [row[3] for row in rows],
            ],
        )
