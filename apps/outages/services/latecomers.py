"""Power-ups that came in before the losses they end."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import connection

from apps.outages.correlation.inference import MeterState
from apps.outages.models import Outage

States = dict[UUID, dict[int, MeterState]]


def adopt(outages: Mapping[UUID, Outage], states: States, at: datetime) -> set[UUID]:
    """Give the power-ups that belonged to no outage to those whose meters they brought back.

    Only meters that are not back yet are asked for, all in one question. The states are
    brought up to date; returns the outages that were given something.
    """
    waiting = _waiting(states)
    if not waiting:
        return set()
    given = set()
    for outage_id, meter, back_at in _given(waiting):
        state = states[outage_id][meter]
        last = back_at if state.back_at is None else max(state.back_at, back_at)
        states[outage_id][meter] = MeterState(state.node, state.lost_at, last)
        outage = outages[outage_id]
        outage.last_event_at = max(outage.last_event_at, back_at)
        given.add(outage_id)
    for outage_id in given:
        outages[outage_id].updated_at = at
        outages[outage_id].save(update_fields=["last_event_at", "updated_at"])
    return given


def exist(states: States) -> bool:
    """Return whether a power-up waits for one of the meters that are not back."""
    waiting = _waiting(states)
    if not waiting:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM unnest(%s::bigint[], %s::timestamptz[]) "
            "AS x(meter, lost) JOIN outages_sourceevent e ON e.meter_number = x.meter "
            "WHERE e.kind = 'restoration' AND e.outage_id IS NULL "
            "AND e.occurred_at >= x.lost)",
            [list(waiting), [lost for _, lost in waiting.values()]],
        )
        return bool(cursor.fetchone()[0])


def _waiting(states: States) -> dict[int, tuple[UUID, datetime]]:
    """Return the outage and loss of each meter that is not back, of two the later loss."""
    waiting: dict[int, tuple[UUID, datetime]] = {}
    for outage_id, meters in states.items():
        for meter, state in meters.items():
            if state.lost_at is None or state.is_back:
                continue
            if meter not in waiting or waiting[meter][1] < state.lost_at:
                waiting[meter] = outage_id, state.lost_at
    return waiting


def _given(
    waiting: Mapping[int, tuple[UUID, datetime]],
) -> list[tuple[UUID, int, datetime]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE outages_sourceevent e SET outage_id = x.outage "
            "FROM unnest(%s::bigint[], %s::uuid[], %s::timestamptz[]) "
            "AS x(meter, outage, lost) WHERE e.kind = 'restoration' AND e.outage_id IS NULL "
            "AND e.meter_number = x.meter AND e.occurred_at >= x.lost "
            "RETURNING x.outage, e.meter_number, e.occurred_at",
            [
                list(waiting),
                [outage for outage, _ in waiting.values()],
                [lost for _, lost in waiting.values()],
            ],
        )
        rows: list[tuple[UUID, int, datetime]] = cursor.fetchall()
    return rows
