"""Judge a part of the network again: infer what happened, write what the record lacks.

Safe to run twice and at any time: it reads what stands, infers, and writes the difference. A
feeder is read and inferred without holding it. The intake is kept out only for what both write,
at the end. What came in meanwhile is kept as the intake matched it and waits to be judged next;
only where somebody or something else changed an outage meanwhile is what was written taken back
and the feeder looked at again, while it is held.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from apps.configuration.selectors import value
from apps.core.actor import system
from apps.core.bulk import array, ask, change, planned_by_index, rows_of, together
from apps.core.outbox import publish
from apps.core.work import WorkState
from apps.network import selectors as network
from apps.outages.events import OutagesRejudged
from apps.outages.models import CorrelationWork, Interruption, Outage, SourceEvent
from apps.outages.rules import Disposition, Kind, confidence, severity
from apps.outages.rules import settings as declared
from apps.outages.rules.judgement import (
    REST_AT_MOST,
    REST_TIMES,
    REST_TIMES_IN_QUIET,
    SHORT_REST,
)
from apps.outages.selectors.hearing import hear
from apps.outages.services.holding import keep_intake_out, keep_judges_out, lock_part
from apps.outages.services.life import Ending, restore_by_evidence
from apps.outages.services.settling import Plan

JUDGE = system("correlation")
TAKEN_OVER = """
    SELECT o.id, max(back.at) FROM outages_outage o
    JOIN LATERAL (
        SELECT l.meter_number, l.occurred_at FROM outages_sourceevent l
        WHERE l.outage_id = o.id AND l.kind = 'outage' AND l.meter_number IS NOT NULL LIMIT 1
    ) one ON EXISTS (
        SELECT FROM outages_sourceevent r
        WHERE r.meter_number = one.meter_number AND r.kind = 'restoration'
        AND r.outage_id IS NULL AND r.occurred_at >= one.occurred_at
        AND r.feeder_number <> o.feeder_number
    )
    JOIN outages_sourceevent e ON e.outage_id = o.id AND e.kind = 'outage'
        AND e.meter_number IS NOT NULL
    LEFT JOIN LATERAL (
        SELECT min(r.occurred_at) AS at FROM outages_sourceevent r
        WHERE r.meter_number = e.meter_number AND r.kind = 'restoration' AND r.outage_id IS NULL
        AND r.occurred_at >= e.occurred_at AND r.feeder_number <> o.feeder_number
    ) back ON true
    WHERE o.feeder_number = %s AND o.merged_into_id IS NULL AND NOT o.is_planned
    AND o.status IN ('detected', 'confirmed', 'in_progress')
    GROUP BY o.id HAVING bool_and(back.at IS NOT NULL)
"""
MARGIN = timedelta(seconds=15)
LONGEST_REMEMBERED = 10.0

# What the intake writes of an outage that an event joins, and the estimates, which the
# inference does not ask for.
_PASSING = frozenset(
    {
        "severity",
        "confidence",
        "sources",
        "first_detected_at",
        "last_event_at",
        "updated_at",
        "estimated_restoration_at",
        "etr_source",
        "etr_made_for",
        "place_names",
    }
)
_STANDING = tuple(
    field.attname for field in Outage._meta.concrete_fields if field.name not in _PASSING
)


def judge(*, key: str, at: datetime) -> int:
    """Judge the part named by the key (`feeder:12`, `space`); return how many outages changed."""
    kind, _, number = key.partition(":")
    if kind != "feeder":
        return _judge_space(key, at)
    feeder = int(number)
    seen = _look(key, feeder, at)
    changed = _settle(key, feeder, seen, at)
    if changed is None:
        changed = _settle(key, feeder, None, at)
    return len({*(changed or ()), *_end_taken_over(key, feeder, at)})


def wake(*, at: datetime) -> int:
    """Let parts that rest be judged at once, because nothing comes in; return how many are due.

    What took long has its rest, but a short one.
    """
    waits = CorrelationWork.objects.filter(state=WorkState.PENDING, waiting__gt=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE outages_correlationwork SET run_at = %s WHERE id IN ("
            "SELECT id FROM outages_correlationwork WHERE state = 'pending' AND waiting > 0 "
            "AND run_at > %s AND run_at <= %s + interval '1 second' "
            "* (least(took_seconds * %s, %s) - greatest(took_seconds * %s - %s, 0)) "
            "ORDER BY id FOR UPDATE SKIP LOCKED)",
            [
                *(at, at, at),
                *(REST_TIMES, float(REST_AT_MOST)),
                *(REST_TIMES_IN_QUIET, SHORT_REST),
            ],
        )
    return waits.filter(run_at__lte=at).count()


@transaction.atomic
@planned_by_index()
def _end_taken_over(key: str, feeder: int, at: datetime) -> set[UUID]:
    """End outages of which every meter that reported is back on another feeder; return them.

    Somebody closed a tie: the inference on this feeder does not hear these meters any more.
    """
    ends = _back_elsewhere(feeder)
    if not ends:
        return set()
    lock_part([feeder])
    held = Outage.objects.open().filter(id__in=list(ends)).select_for_update()
    endings = [
        Ending(row, max(ends[row.id], row.first_detected_at), momentary=False)
        for row in held.order_by("id")
    ]
    for ending in endings:
        Interruption.objects.filter(outage=ending.outage, ended_at=None).update(
            ended_at=Greatest(F("started_at"), Value(ending.ended_at))
        )
    restore_by_evidence(endings=endings, by=JUDGE, at=at)
    told = {ending.outage.id for ending in endings}
    if told:
        publish(OutagesRejudged(key=key, changed=tuple(sorted(told)), at=at))
    return told


def _back_elsewhere(feeder: int) -> dict[UUID, datetime]:
    """Return the outages whose reporting meters all have power from another feeder, and since."""
    return dict(ask(TAKEN_OVER, [feeder]).fetchall())


@dataclass(frozen=True, slots=True)
class _Sight:
    """What was inferred, and by what one sees whether it still holds."""

    plan: Plan
    waiting: int
    standing: dict[UUID, tuple[object, ...]]
    updated: dict[UUID, datetime]
    took: float


@transaction.atomic
@planned_by_index()
def _look(key: str, feeder: int, at: datetime) -> _Sight:
    begun = monotonic()
    work = _work(key)
    heard = hear(network.grid(fresh=True), feeder, work.earliest if work else None, at)
    plan = Plan(network.grid(), feeder, heard, at)
    standing = {key: _standing(outage) for key, outage in heard.outages.items()}
    updated = {key: outage.updated_at for key, outage in heard.outages.items()}
    waiting = work.waiting if work else 0
    return _Sight(plan, waiting, standing, updated, monotonic() - begun)


def _standing(outage: Outage) -> tuple[object, ...]:
    """Return what the inference started from, as far as the intake does not change it."""
    return tuple(getattr(outage, name) for name in _STANDING)


def _settle(key: str, feeder: int, seen: _Sight | None, at: datetime) -> set[UUID] | None:
    """Write what was inferred; None where it holds no longer. Without a sight, look again."""
    if seen is not None and seen.plan.is_empty():
        _close(key, seen, set(), at)
        return set()
    with transaction.atomic(), planned_by_index():
        keep_judges_out([feeder])
        if seen is None:
            keep_intake_out([feeder])
            seen = _look(key, feeder, at)
        seen.plan.begin()
        with together():
            # Now, not with the commit, when the intake waits.
            change("SET CONSTRAINTS ALL IMMEDIATE", [])
            change("SET CONSTRAINTS ALL DEFERRED", [])
            keep_intake_out([feeder])
        now = rows_of(
            Outage, "id = ANY(%s::uuid[]) ORDER BY id FOR UPDATE", [array(seen.standing)]
        )
        if {outage.id: _standing(outage) for outage in now} != seen.standing:
            transaction.set_rollback(True)
            return None
        changed = seen.plan.write(now)
        _close(key, seen, changed, at)
    return changed


def _touched(seen: _Sight, work: CorrelationWork | None) -> set[UUID]:
    """Return the outages that the intake changed since they were judged last."""
    since = _waiting_since(work)
    if since is None:
        return set()
    return {key for key, at in seen.updated.items() if at >= since}


@transaction.atomic
@planned_by_index()
def _close(key: str, seen: _Sight, changed: set[UUID], at: datetime) -> None:
    """Close the work as far as it was seen, and tell what changed since the last time."""
    told = changed | _touched(seen, _work(key))
    took = min(seen.took, LONGEST_REMEMBERED)
    soon, again = at + _rest(took), seen.plan.look_again_at()
    since = seen.plan.look_again_since()
    change(
        "UPDATE outages_correlationwork SET waiting = greatest(waiting - %s, 0), "
        "state = CASE WHEN waiting > %s THEN 'pending' ELSE %s END, "
        "run_at = CASE WHEN waiting > %s THEN %s ELSE %s END, "
        "earliest = CASE WHEN waiting > %s THEN least(earliest, %s) ELSE %s END, "
        "took_seconds = %s, "
        "lease_owner = '', lease_until = NULL, attempts = 0, last_error = '' WHERE key = %s",
        [
            seen.waiting,
            seen.waiting,
            WorkState.PENDING.value if again else WorkState.DONE.value,
            seen.waiting,
            soon,
            again or soon,
            seen.waiting,
            since,
            since,
            took,
            key,
        ],
    )
    if told:
        publish(OutagesRejudged(key=key, changed=tuple(sorted(told)), at=at))


def _work(key: str) -> CorrelationWork | None:
    return next(iter(rows_of(CorrelationWork, "key = %s", [key])), None)


def _waiting_since(work: CorrelationWork | None) -> datetime | None:
    """Return when the first of the events that wait came in, at the latest.

    A batch may have waited for its locks since it took its time, hence the margin.
    """
    if work is None:
        return None
    put_off = timedelta(milliseconds=value(declared.DEBOUNCE_MILLISECONDS))
    return work.run_at - put_off - _rest(work.took_seconds) - MARGIN


def _rest(took_seconds: float) -> timedelta:
    """Return how long a part rests after a judgement that took so long."""
    return timedelta(seconds=min(REST_TIMES * took_seconds, REST_AT_MOST))


def _finish(work: CorrelationWork | None, took: float) -> None:
    if work is not None:
        work.state, work.waiting, work.lease_owner = WorkState.DONE, 0, ""
        work.lease_until, work.earliest = None, None
        work.attempts, work.last_error = 0, ""
        work.took_seconds = min(took, LONGEST_REMEMBERED)
        work.save()


# --- Off the network ----------------------------------------------------------------------


@transaction.atomic
def _judge_space(key: str, at: datetime) -> int:
    """Bring the figures of outages known by coordinates up to date, and close what is over."""
    lock_part([], space=True)
    begun = monotonic()
    work = CorrelationWork.objects.select_for_update().filter(key=key).first()
    since = _waiting_since(work)
    found = Outage.objects.open().filter(feeder_number=None).select_for_update()
    if since is not None:
        found = found.filter(updated_at__gte=since)
    outages = list(found.order_by("first_detected_at", "id"))
    ends = _ends(outages)
    changed = {o.id for o in outages if _bring_up_to_date(o, ends.get(o.id), at)}
    told = changed | {o.id for o in outages if since and o.updated_at >= since}
    _finish(work, monotonic() - begun)
    if told:
        publish(OutagesRejudged(key=key, changed=tuple(sorted(told)), at=at))
    return len(changed)


def _bring_up_to_date(outage: Outage, ended_at: datetime | None, at: datetime) -> bool:
    sure = confidence(outage.sources)
    grave = severity(
        sure=sure, customers=outage.customers_count, critical=outage.critical_customers
    )
    changed = (sure, grave) != (outage.confidence, outage.severity)
    if changed:
        outage.confidence, outage.severity, outage.updated_at = sure, grave, at
        outage.save(update_fields=["confidence", "severity", "updated_at"])
    if ended_at is None or outage.is_planned:
        return changed
    lasted = ended_at - outage.first_detected_at
    momentary = lasted <= timedelta(seconds=value(declared.MOMENTARY_SECONDS))
    if momentary:
        SourceEvent.objects.filter(outage=outage, disposition=Disposition.OUTAGE).update(
            disposition=Disposition.MOMENTARY
        )
    restore_by_evidence(endings=[Ending(outage, ended_at, momentary)], by=JUDGE, at=at)
    return True


def _ends(outages: Sequence[Outage]) -> Mapping[UUID, datetime]:
    """Return when those are over whose last word is that power is back."""
    latest = (
        SourceEvent.objects.filter(outage__in=outages)
        .order_by("outage_id", "-occurred_at", "-id")
        .distinct("outage_id")
        .values_list("outage_id", "kind", "occurred_at")
    )
    return {key: when for key, kind, when in latest if kind == Kind.RESTORATION}
