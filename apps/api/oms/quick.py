"""Long lists without a serializer a row: one narrow query, one pass, one encoder.

What they say is described by `serializers.OutageRowOut` and `EventOut`; a test holds them equal.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from django.db.models import QuerySet

from apps.api.oms.vocabulary import (
    DISPOSITION_WORDS,
    SEVERITY_WORDS,
    SOURCE_WORDS,
    STATUS_WORDS,
)
from apps.outages.selectors import BELONGING

COLUMNS = (
    "id",
    "number",
    "first_event_id",
    "status",
    "severity",
    "confidence",
    "customers_count",
    "first_detected_at",
    "estimated_restoration_at",
    "substation_name",
    "feeder_name",
    "device_code",
    "latitude",
    "longitude",
    "sources",
)
EVENT_COLUMNS = (
    "id",
    "source_type",
    "source_event_id",
    "event_type",
    "occurred_at",
    "received_at",
    "meter_code",
    "device_code",
    "disposition",
    "outage_id",
    "outage__merged_into_id",
)
_OPTIONS = orjson.OPT_UTC_Z


def page_bytes(rows: QuerySet[Any], *, limit: int, offset: int, total: int) -> bytes:
    """Return `{"outages": […], "total"}` of the window, encoded."""
    return page_of(rows.values_list(*COLUMNS)[offset : offset + limit], total=total)


def page_of(found: Iterable[Sequence[Any]], *, total: int) -> bytes:
    """Return `{"outages": […], "total"}` of rows given as `COLUMNS`, encoded."""
    return orjson.dumps({"outages": row_bodies(found), "total": total}, option=_OPTIONS)


def row_bodies(found: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    """Return the rows, given as `COLUMNS`, as the wire has them; times are still times."""
    return [
        {
            "id": key,
            "number": f"OUT{number:03d}",
            "event_id": event_id,
            "status": STATUS_WORDS[status],
            "severity": SEVERITY_WORDS[severity],
            "confidence_score": confidence,
            "affected_customers_count": customers,
            "first_detected_at": first_detected_at,
            "estimated_restoration_time": estimate,
            "substation_name": substation or None,
            "feeder_name": feeder or None,
            "device_id": device or None,
            "device_name": device or None,
            "latitude": latitude,
            "longitude": longitude,
            "source_count": sum(sources.values()),
            "source_types": [SOURCE_WORDS[source] for source in sorted(sources)],
        }
        for (
            key,
            number,
            event_id,
            status,
            severity,
            confidence,
            customers,
            first_detected_at,
            estimate,
            substation,
            feeder,
            device,
            latitude,
            longitude,
            sources,
        ) in found
    ]


def events_bytes(rows: QuerySet[Any], *, limit: int, offset: int, total: int) -> bytes:
    """Return `{"events": […], "total", "limit", "offset"}` of the window, encoded."""
    found = rows.values_list(*EVENT_COLUMNS)[offset : offset + limit]
    body = {"events": event_bodies(found), "total": total, "limit": limit, "offset": offset}
    return orjson.dumps(body, option=_OPTIONS)


def event_bodies(found: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    """Return the events, given as `EVENT_COLUMNS`, as the wire has them."""
    return [
        {
            "event_id": key,
            "source_type": SOURCE_WORDS[source],
            "source_event_id": source_event_id,
            "event_type": event_type,
            "timestamp": occurred_at,
            "received_at": received_at,
            "meter_id": meter or None,
            "device_id": device or None,
            "disposition": DISPOSITION_WORDS[disposition],
            "outage_id": (merged_into or outage) if disposition in BELONGING else None,
        }
        for (
            key,
            source,
            source_event_id,
            event_type,
            occurred_at,
            received_at,
            meter,
            device,
            disposition,
            outage,
            merged_into,
        ) in found
    ]
