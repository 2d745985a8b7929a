"""Judge a part of the network again, under its lock: merge, move, close, count.

Safe to run twice and at any time: it reads what stands, infers, and writes the difference.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import Case, F, Max, Q, Value, When
from django.db.models.functions import Greatest

from apps.configuration.selectors import value
from apps.core.actor import system
from apps.core.outbox import publish
from apps.core.work import WorkState
from apps.network import selectors as network
from apps.outages.correlation.inference import Merge, MeterState, Standing, infer
from apps.outages.events import OutagesRejudged
from apps.outages.models import (
    CorrelationWork,
    Interruption,
    Outage,
    SourceEvent,
    TimelineEntry,
)
from apps.outages.rules import Disposition, Kind, PlaceKind, confidence, severity
from apps.outages.rules import settings as declared
from apps.outages.rules.judgement import REST_AT_MOST, REST_TIMES
from apps.outages.services import interruptions, latecomers
from apps.outages.services.intake import lock_part
from apps.outages.services.life import restore_by_evidence

if TYPE_CHECKING:
    from apps.network.topology import Grid

JUDGE = system("correlation")
MARGIN = timedelta(seconds=15)


def judge(*, key: str, at: datetime) -> int:
    """Judge the part named by the key (`feeder:12`, `space`); return how many outages changed.

    Most judgements of a storm change nothing: these are made without holding the feeder.
    """
    kind, _, number = key.partition(":")
    feeder = int(number) if kind == "feeder" else None
    if feeder is not None and _leave_quiet(key, feeder, at):
        return 0
    return _judge(key, feeder, at)


@transaction.atomic
def _leave_quiet(key: str, feeder: int, at: datetime) -> bool:
    """Close the work of a feeder on which nothing is to be written; False where there is."""
    begun = monotonic()
    work = CorrelationWork.objects.filter(key=key).first()
    since = _waiting_since(work)
    if work is None or since is None:
        return False
    grid = network.grid(fresh=True)
    found = Outage.objects.open().filter(feeder_number=feeder)
    outages = {outage.id: outage for outage in found.order_by("first_detected_at", "id")}
    if not _is_quiet(grid, outages):
        return False
    took = min(monotonic() - begun, 10.0)
    more = Q(waiting__gt=work.waiting)
    CorrelationWork.objects.filter(key=key).update(
        state=Case(
            When(more, then=Value(WorkState.PENDING)), default=Value(WorkState.DONE)
        ),
        run_at=at + _rest(took),
        waiting=Greatest(F("waiting") - work.waiting, 0),
        took_seconds=took,
        lease_owner="",
        lease_until=None,
        attempts=0,
        last_error="",
    )
    told = sorted(o.id for o in outages.values() if o.updated_at >= since)
    if told:
        publish(OutagesRejudged(key=key, changed=tuple(told), at=at))
    return True


def _is_quiet(grid: "Grid", outages: Mapping[UUID, Outage]) -> bool:
    """Return whether the outages stand as they should: nothing moves, ends or is counted."""
    if any(_is_uncounted(outage) for outage in outages.values()):
        return False
    told_back = SourceEvent.objects.filter(outage__in=list(outages), kind=Kind.RESTORATION)
    if told_back.exists():
        return False
    states = _meter_states(grid, outages)
    if latecomers.exist(states):
        return False
    standings = [_standing(grid, o, states.get(o.id, {})) for o in outages.values()]
    return not infer(grid, standings, timedelta(minutes=value(declared.WINDOW_MINUTES)))


def _is_uncounted(outage: Outage) -> bool:
    sure = confidence(outage.sources)
    grave = severity(
        sure=sure, customers=outage.customers_count, critical=outage.critical_customers
    )
    place = outage.counted_place != outage.device_code
    return place or outage.severity != grave or outage.confidence != sure


@transaction.atomic
def _judge(key: str, feeder: int | None, at: datetime) -> int:
    lock_part([feeder] if feeder is not None else [], space=feeder is None)
    begun = monotonic()
    grid = network.grid(fresh=True)
    pending = _pending(key)
    since = _waiting_since(pending)
    found = Outage.objects.open().filter(feeder_number=feeder).select_for_update()
    if feeder is None and since is not None:
        found = found.filter(updated_at__gte=since)
    outages = {outage.id: outage for outage in found.order_by("first_detected_at", "id")}
    states = _meter_states(grid, outages)
    changed = latecomers.adopt(outages, states, at)
    if feeder is not None:
        standings = [_standing(grid, o, states.get(o.id, {})) for o in outages.values()]
        window = timedelta(minutes=value(declared.WINDOW_MINUTES))
        for merge in infer(grid, standings, window):
            changed |= _merge(grid, merge, outages, states, at)
    standing = [o for o in outages.values() if o.merged_into_id is None]
    ends = _ends(standing, states)
    for outage in standing:
        if _settle(grid, outage, states.get(outage.id, {}), ends.get(outage.id), at):
            changed.add(outage.id)
    told = changed | {o.id for o in outages.values() if since and o.updated_at >= since}
    _finish(pending, monotonic() - begun)
    if told:
        publish(OutagesRejudged(key=key, changed=tuple(sorted(told)), at=at))
    return len(changed)


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


def _pending(key: str) -> CorrelationWork | None:
    return CorrelationWork.objects.select_for_update().filter(key=key).first()


def _finish(work: CorrelationWork | None, took: float) -> None:
    if work is not None:
        work.state, work.waiting, work.lease_owner, work.lease_until = (
            WorkState.DONE,
            0,
            "",
            None,
        )
        work.attempts, work.last_error, work.took_seconds = 0, "", min(took, 10.0)
        work.save()


def _meter_states(
    grid: "Grid", outages: Mapping[UUID, Outage]
) -> dict[UUID, dict[int, MeterState]]:
    """Return what was last heard of each meter, by outage."""
    lost = Max("occurred_at", filter=~Q(kind=Kind.RESTORATION))
    back = Max("occurred_at", filter=Q(kind=Kind.RESTORATION))
    rows = (
        SourceEvent.objects.filter(outage__in=list(outages), meter_number__isnull=False)
        .values_list("outage_id", "meter_number")
        .annotate(node=Max("node_number"), lost=lost, back=back)
        .order_by("outage_id", "meter_number")
    )
    states: dict[UUID, dict[int, MeterState]] = {}
    for outage_id, meter, node_pk, lost_at, back_at in rows:
        known = node_pk is not None and grid.has_node(node_pk)
        node = grid.node_index(node_pk) if known else -1
        states.setdefault(outage_id, {})[meter] = MeterState(node, lost_at, back_at)
    return states


def _standing(grid: "Grid", outage: Outage, states: Mapping[int, MeterState]) -> Standing:
    pk = outage.node_number
    node = grid.node_index(pk) if pk is not None and grid.has_node(pk) else -1
    edge = grid.edge_index(outage.device_code) if outage.edge_number else None
    return Standing(
        id=outage.id,
        status=outage.status,
        place_kind=outage.place_kind,
        node=node,
        edge=-1 if edge is None else edge,
        is_planned=outage.is_planned,
        sources=frozenset(outage.sources),
        first_detected_at=outage.first_detected_at,
        meters=states,
    )


def _merge(
    grid: "Grid",
    merge: Merge,
    outages: Mapping[UUID, Outage],
    states: dict[UUID, dict[int, MeterState]],
    at: datetime,
) -> set[UUID]:
    keeper = outages[merge.keeper]
    absorbed = [outages[found] for found in merge.absorbed]
    if merge.edge >= 0:
        _move_to(grid, keeper, merge.edge)
    for other in absorbed:
        for source, count in other.sources.items():
            keeper.sources[source] = keeper.sources.get(source, 0) + count
        keeper.first_detected_at = min(keeper.first_detected_at, other.first_detected_at)
        keeper.last_event_at = max(keeper.last_event_at, other.last_event_at)
        other.merged_into = keeper
        other.updated_at = at
        states.setdefault(keeper.id, {}).update(states.get(other.id, {}))
    keeper.updated_at, keeper.counted_place = at, ""
    Outage.objects.bulk_update(absorbed, ["merged_into", "updated_at"])
    keeper.save()
    ids = [other.id for other in absorbed]
    SourceEvent.objects.filter(outage__in=ids).update(outage=keeper)
    Outage.objects.filter(merged_into__in=ids).update(merged_into=keeper)
    Interruption.objects.filter(outage__in=ids).delete()
    _tell_merge(keeper, absorbed, merge.why, at)
    return {keeper.id, *ids}


def _move_to(grid: "Grid", outage: Outage, edge: int) -> None:
    node = grid.fed_node(edge)
    outage.place_kind = PlaceKind.DEVICE
    outage.device_code, outage.device_kind = grid.edge_code(edge), grid.edge_kind(edge)
    outage.edge_number = grid.edge_pk(edge)
    outage.node_number = None if node is None else grid.node_pk(node)


def _tell_merge(keeper: Outage, absorbed: Sequence[Outage], why: str, at: datetime) -> None:
    device = f"{keeper.device_kind} {keeper.device_code}"
    names = ", ".join(other.label for other in absorbed)
    entries = [
        TimelineEntry(
            outage=keeper,
            at=at,
            kind="merge",
            actor_label=JUDGE.label,
            text=f"{names} merged here, device {device}: {why}",
        )
    ]
    entries += [
        TimelineEntry(
            outage=other,
            at=at,
            kind="merge",
            actor_label=JUDGE.label,
            text=f"Merged into {keeper.label}, device {device}: {why}",
        )
        for other in absorbed
    ]
    TimelineEntry.objects.bulk_create(entries)


def _settle(
    grid: "Grid",
    outage: Outage,
    states: Mapping[int, MeterState],
    ended_at: datetime | None,
    at: datetime,
) -> bool:
    """Bring members, figures and state of one outage up to date; return whether it changed."""
    before = {**outage.facts(), "place": outage.counted_place}
    if outage.counted_place != outage.device_code:
        counted = interruptions.count(outage)
        if counted is not None:
            outage.customers_count, outage.critical_customers = counted
        outage.counted_place = outage.device_code
    interruptions.end(outage, states)
    outage.confidence = confidence(outage.sources)
    outage.severity = severity(
        sure=outage.confidence,
        customers=outage.customers_count,
        critical=outage.critical_customers,
    )
    changed = {**outage.facts(), "place": outage.counted_place} != before
    if changed:
        outage.updated_at = at
        outage.save()
    return _restore_if_back(grid, outage, ended_at, at) or changed


def _restore_if_back(
    grid: "Grid", outage: Outage, ended_at: datetime | None, at: datetime
) -> bool:
    """Close the outage when all that spoke for it say that power is back."""
    if outage.is_planned or ended_at is None:
        return False
    if _is_held_open(grid, outage):
        return _mark_candidate(outage, ended_at, at)
    lasted = ended_at - outage.first_detected_at
    momentary = lasted <= timedelta(seconds=value(declared.MOMENTARY_SECONDS))
    if momentary:
        SourceEvent.objects.filter(outage=outage, disposition=Disposition.OUTAGE).update(
            disposition=Disposition.MOMENTARY
        )
    text = (
        "Momentary: power was back within minutes"
        if momentary
        else ("Power is back at all reporting meters")
    )
    restore_by_evidence(
        outage=outage, ended_at=ended_at, momentary=momentary, text=text, by=JUDGE, at=at
    )
    return True


def _ends(
    outages: Sequence[Outage], states: Mapping[UUID, Mapping[int, MeterState]]
) -> dict[UUID, datetime]:
    """Return when the last of the meters, or the device itself, came back, by outage."""
    ends: dict[UUID, datetime] = {}
    silent: list[UUID] = []
    for outage in outages:
        held = states.get(outage.id, {}).values()
        spoke = [state for state in held if state.lost_at is not None]
        if not spoke:
            silent.append(outage.id)
        elif all(state.is_back for state in spoke):
            ends[outage.id] = max(s.back_at for s in spoke if s.back_at is not None)
    latest = (
        SourceEvent.objects.filter(outage__in=silent)
        .order_by("outage_id", "-occurred_at", "-id")
        .distinct("outage_id")
        .values_list("outage_id", "kind", "occurred_at")
    )
    ends |= {key: at for key, kind, at in latest if kind == Kind.RESTORATION}
    return ends


def _is_held_open(grid: "Grid", outage: Outage) -> bool:
    """Return whether the actual switch state still says that the device is open."""
    if outage.place_kind != PlaceKind.DEVICE:
        return False
    edge = grid.edge_index(outage.device_code)
    return edge is not None and not bool(grid.closed[edge])


def _mark_candidate(outage: Outage, ended_at: datetime, at: datetime) -> bool:
    if outage.restoration_candidate_at is not None:
        return False
    outage.restoration_candidate_at = ended_at
    outage.save(update_fields=["restoration_candidate_at"])
    TimelineEntry.objects.create(
        outage=outage,
        at=at,
        kind="candidate",
        actor_label=JUDGE.label,
        text="All reporting meters are back, but the device is still open",
    )
    return True
