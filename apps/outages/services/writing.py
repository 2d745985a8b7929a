"""The writes of the intake, each one statement for the whole batch."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from apps.configuration.selectors import value
from apps.core.bulk import array, change, insert, together
from apps.outages.correlation.matching import Candidate, Spot
from apps.outages.models import EventConflict, Outage
from apps.outages.rules import PLACE_FIELDS, EtrSource, Report, severity
from apps.outages.services import trail
from apps.outages.services.places import describe

if TYPE_CHECKING:
    from apps.network.topology import Grid
    from apps.outages.services.batch import Known, Outcome
    from apps.outages.services.spots import SpotFinder

_OUTAGE_COLUMNS = (
    "id",
    "status",
    "severity",
    "confidence",
    "place_kind",
    "device_code",
    "device_kind",
    "feeder_code",
    "feeder_name",
    "substation_code",
    "substation_name",
    "region_code",
    "edge_number",
    "node_number",
    "feeder_number",
    "latitude",
    "longitude",
    "customers_count",
    "critical_customers",
    "sources",
    "first_event_id",
    "first_detected_at",
    "last_event_at",
    "opened_at",
    "confirmed_at",
    "estimated_restoration_at",
    "etr_source",
    "is_momentary",
    "is_planned",
    "planned_until",
    "cause",
    "updated_at",
    "transformer_number",
)


def insert_outages(
    grid: "Grid",
    opened: Sequence[Candidate],
    first_events: Mapping[uuid.UUID, uuid.UUID],
    at: datetime,
) -> None:
    """Write the new outages with their default estimate of restoration."""
    if not opened:
        return
    lines, estimates = [], []
    for c in opened:
        place = describe(grid, c)
        sure = c.sure
        etr = c.first_detected_at + timedelta(minutes=value(place.etr_setting))
        if c.planned_until is not None:
            etr = c.planned_until
        lines.append(
            (
                c.id,
                c.status,
                severity(sure=sure, customers=place.customers, critical=False),
                sure,
                c.place_kind,
                place.device_code,
                place.device_kind,
                place.feeder_code,
                place.feeder_name,
                place.substation_code,
                place.substation_name,
                place.region_code,
                place.edge_number,
                place.node_number,
                c.feeder_number,
                place.latitude,
                place.longitude,
                place.customers,
                False,
                c.sources,
                first_events[c.id],
                c.first_detected_at,
                c.last_event_at,
                at,
                at if c.is_planned else None,
                etr,
                EtrSource.DEFAULT,
                False,
                c.is_planned,
                c.planned_until,
                "",
                at,
                place.transformer_number,
            )
        )
        estimates.append((c.id, etr, EtrSource.DEFAULT, at, ""))
    insert("outages_outage", _OUTAGE_COLUMNS, lines)
    insert(
        "outages_etrestimate",
        ("outage_id", "estimate_at", "source", "published_at", "actor_label"),
        estimates,
    )


def update_outages(grid: "Grid", changed: Sequence[Candidate], at: datetime) -> None:
    """Write what the joined events changed: sources, confidence, times, a moved device.

    Of most only how often and when they were heard of.
    """
    heard = [c for c in changed if not c.joined and not c.has_moved]
    told = [_record(grid, c) for c in changed if c.joined or c.has_moved]
    if heard:
        change(_HEARD, [at, orjson.dumps(list(map(_heard, heard))).decode()])
    if not told:
        return
    change(
        "UPDATE outages_outage o SET severity = x.severity, confidence = x.confidence, "
        "sources = x.sources, first_detected_at = x.first_detected_at, "
        "last_event_at = x.last_event_at, place_kind = x.place_kind, "
        "device_code = x.device_code, device_kind = x.device_kind, "
        "edge_number = x.edge_number, node_number = x.node_number, "
        "customers_count = x.customers, updated_at = %s "
        "FROM json_to_recordset(%s::json) AS x(id uuid, severity text, confidence float8, "
        "sources jsonb, first_detected_at timestamptz, last_event_at timestamptz, "
        "place_kind text, device_code text, device_kind text, edge_number bigint, "
        "node_number bigint, customers int) WHERE o.id = x.id",
        [at, orjson.dumps(told).decode()],
    )


_HEARD = (
    "UPDATE outages_outage o SET sources = x.sources, "
    "first_detected_at = x.first_detected_at, last_event_at = x.last_event_at, "
    "updated_at = %s FROM json_to_recordset(%s::json) AS x(id uuid, sources jsonb, "
    "first_detected_at timestamptz, last_event_at timestamptz) WHERE o.id = x.id"
)


def _heard(c: Candidate) -> dict[str, Any]:
    return {
        "id": str(c.id),
        "sources": c.sources,
        "first_detected_at": c.first_detected_at,
        "last_event_at": c.last_event_at,
    }


_SAVED = {
    "status": "text",
    "severity": "text",
    "confidence": "float8",
    "place_kind": "text",
    "device_code": "text",
    "device_kind": "text",
    "edge_number": "bigint",
    "node_number": "bigint",
    "transformer_number": "bigint",
    "customers_count": "int",
    "critical_customers": "bool",
    "sources": "jsonb",
    "counted_place": "text",
    "first_detected_at": "timestamptz",
    "last_event_at": "timestamptz",
    "restored_at": "timestamptz",
    "restoration_candidate_at": "timestamptz",
    "parent_id": "uuid",
    "split_from_id": "uuid",
    "is_momentary": "bool",
    "ended_by_evidence": "bool",
    "updated_at": "timestamptz",
}


def save_outages(outages: Sequence[Outage]) -> None:
    """Write what evidence can change of these outages, in one statement."""
    if not outages:
        return
    columns = ", ".join(f"{name} = x.{name}" for name in _SAVED)
    shape = ", ".join(f"{name} {kind}" for name, kind in _SAVED.items())
    records = [{"id": o.id, **{name: getattr(o, name) for name in _SAVED}} for o in outages]
    change(
        f"UPDATE outages_outage o SET {columns} "  # noqa: S608 - names of our own
        f"FROM json_to_recordset(%s::json) AS x(id uuid, {shape}) WHERE o.id = x.id",
        [orjson.dumps(records).decode()],
    )


_PAIRS = "FROM unnest(%s::uuid[], %s::uuid[]) AS x(id, keeper) WHERE"
_MERGED_BEFORE = (
    f"UPDATE outages_outage o SET merged_into_id = x.keeper {_PAIRS} "  # noqa: S608
    "o.merged_into_id = x.id"
)
_EVENTS_MERGED = (
    f"UPDATE outages_sourceevent e SET outage_id = x.keeper {_PAIRS} "  # noqa: S608
    "e.outage_id = x.id"
)
_MERGED = (
    "UPDATE outages_outage o SET merged_into_id = x.keeper, "  # noqa: S608
    f"updated_at = %s {_PAIRS} o.id = x.id"
)


def merge_outages(pairs: Sequence[tuple[uuid.UUID, uuid.UUID]], at: datetime) -> None:
    """Let the first of each pair go into the second, with its events and those merged before."""
    told = [array(key for key, _ in pairs), array(keeper for _, keeper in pairs)]
    with together():
        change(_MERGED_BEFORE, told)
        change(_EVENTS_MERGED, told)
        change(_MERGED, [at, *told])


def _record(grid: "Grid", c: Candidate) -> dict[str, Any]:
    place = describe(grid, c)
    sure = c.sure
    return {
        **_heard(c),
        "severity": severity(sure=sure, customers=place.customers, critical=c.has_critical),
        "confidence": sure,
        "place_kind": c.place_kind,
        "device_code": place.device_code,
        "device_kind": place.device_kind,
        "edge_number": place.edge_number,
        "node_number": place.node_number,
        "customers": place.customers,
    }


def insert_timeline(
    grid: "Grid", opened: Sequence[Candidate], changed: Sequence[Candidate], at: datetime
) -> None:
    """Write what people should read later: opened, moved, a further source agrees."""
    entries = [
        (c.id, c.first_detected_at, "detected", _opening(c), "system", "") for c in opened
    ]
    for c in changed:
        if c.has_moved:
            place = describe(grid, c)
            text = f"Device inferred: {place.device_kind} {place.device_code}"
            entries.append((c.id, at, "device", text, "system", ""))
        entries.extend(
            (c.id, at, "source", f"Also reported by {source}", "system", "")
            for source in c.joined
        )
    trail.write_rows(entries)


def _opening(c: Candidate) -> str:
    source = next(iter(c.sources))
    return (
        f"Planned outage, told by {source}" if c.is_planned else f"Detected from {source}"
    )


EVENTS = "outages_sourceevent"
EVENT_COLUMNS = (
    "id",
    "source_type",
    "source_event_id",
    "event_type",
    "kind",
    "occurred_at",
    "received_at",
    "accepted_at",
    "clock",
    "meter_code",
    "device_code",
    "feeder_number",
    "node_number",
    "meter_number",
    "latitude",
    "longitude",
    "severity",
    "description",
    "told_place",
    "metadata",
    "fingerprint",
    "disposition",
    "outage_id",
)


def event_rows(
    reports: Sequence[Report],
    spots: Sequence[Spot | None],
    events: Sequence[tuple[int, "Outcome"]],
    finder: "SpotFinder",
    at: datetime,
) -> list[tuple[Any, ...]]:
    """Return the new events as rows of EVENT_COLUMNS, with where they went."""
    rows = []
    for index, outcome in events:
        r, spot, place = reports[index], spots[index], finder.places[index]
        told = {
            name: text for name, text in zip(PLACE_FIELDS, r.place, strict=True) if text
        }
        rows.append(
            (
                outcome.event_id,
                r.source_type,
                r.source_event_id,
                r.event_type,
                r.kind,
                r.occurred_at,
                r.received_at,
                at,
                r.clock,
                place.meter_code if place else "",
                place.device_code if place else "",
                place.feeder_pk if place else None,
                place.node_pk if place else None,
                place.meter_pk if place else None,
                spot.latitude if spot else None,
                spot.longitude if spot else None,
                r.severity,
                r.description,
                told,
                dict(r.metadata),
                r.fingerprint,
                outcome.disposition,
                outcome.candidate.id if outcome.candidate else None,
            )
        )
    return rows


def insert_conflicts(conflicts: Sequence[tuple["Known", Report]], at: datetime) -> None:
    """Keep events that came again with other content, each such content once."""
    if not conflicts:
        return
    EventConflict.objects.bulk_create(
        [
            EventConflict(
                event_id=known.event_id,
                fingerprint=report.fingerprint,
                received_at=at,
                content={
                    "event_type": report.event_type,
                    "timestamp": report.occurred_at.isoformat(),
                    "place": dict(zip(PLACE_FIELDS, report.place, strict=True)),
                    "latitude": report.latitude,
                    "longitude": report.longitude,
                    "description": report.description,
                    "metadata": dict(report.metadata),
                },
            )
            for known, report in conflicts
        ],
        ignore_conflicts=True,
    )
