"""Who is without power because of an outage: one row a meter, never two at once."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import inf
from uuid import UUID

from apps.core.bulk import array, ask, change, texts
from apps.outages.correlation.darktimes import DarkTime
from apps.outages.selectors.hearing import moment

Row = tuple[UUID, int, datetime, datetime | None]

_DROP = "DELETE FROM outages_interruption WHERE id = ANY(%s::bigint[])"
_END = (
    "UPDATE outages_interruption i SET ended_at = x.until "
    "FROM unnest(%s::bigint[], %s::timestamptz[]) AS x(id, until) WHERE i.id = x.id"
)
_WRITE = (
    "INSERT INTO outages_interruption "
    "(outage_id, meter_number, meter_code, started_at, ended_at) "
    "SELECT x.outage, x.number, x.code, x.since, x.until "
    "FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[]) "
    "AS x(outage, number, code, since, until) "
    "ON CONFLICT ON CONSTRAINT interruption_never_overlaps DO NOTHING"
)


def bring_up_to_date(
    outages: Iterable[UUID], times: Sequence[DarkTime], codes: dict[int, str]
) -> None:
    """Let the rows of these outages say what the dark times say; `codes` names the meters.

    What other outages hold already stays theirs. Only inside a transaction.
    """
    wanted = _wanted(times)
    rows = ask(
        "SELECT id, outage_id, meter_number, started_at, ended_at FROM outages_interruption "
        "WHERE outage_id = ANY(%s::uuid[])",
        [array(outages)],
    )
    stale, ended = [], []
    for pk, outage, meter, since, until in rows:
        key = outage, meter, since
        if key not in wanted:
            stale.append(pk)
        elif wanted[key] == until:
            del wanted[key]
        elif until is None:
            # It only becomes shorter, so that it cannot run into another one.
            ended.append((pk, wanted.pop(key)))
        else:
            stale.append(pk)
    if stale:
        change(_DROP, [array(stale)])
    if ended:
        change(_END, [array(pk for pk, _ in ended), array(at for _, at in ended)])
    if wanted:
        _write([(*key, until) for key, until in wanted.items()], codes)


def _wanted(times: Sequence[DarkTime]) -> dict[tuple[UUID, int, datetime], datetime | None]:
    distinct = {at for t in times for at in (t.since, t.until) if at != inf}
    moments = {at: moment(at) for at in distinct}
    return {(t.outage, t.meter, moments[t.since]): moments.get(t.until) for t in times}


def _write(rows: Sequence[Row], codes: dict[int, str]) -> None:
    change(
        _WRITE,
        [
            array(row[0] for row in rows),
            array(row[1] for row in rows),
            texts(codes.get(row[1], "") for row in rows),
            array(row[2] for row in rows),
            array(row[3] for row in rows),
        ],
    )
