"""What the map draws: the network once, outages and crews with each update."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.urls import reverse

from apps.portal.lines import AssignmentLine, OutageLine

Collection = dict[str, Any]


def collection(features: Iterable[dict[str, Any]]) -> Collection:
    """Return features as a GeoJSON collection."""
    return {"type": "FeatureCollection", "features": list(features)}


def point(longitude: float, latitude: float, **properties: Any) -> dict[str, Any]:
    """Return a GeoJSON point."""
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [longitude, latitude]},
        "properties": properties,
    }


def outage_features(lines: Iterable[OutageLine]) -> Collection:
    """Return the outages whose place is known."""
    return collection(
        point(
            line.longitude,
            line.latitude,
            number=line.label,
            severity=line.severity,
            customers=line.customers,
            url=line.url,
            label=f"{line.label} · {line.severity_label} · {line.where} · {line.customers}",
        )
        for line in lines
        if line.latitude is not None and line.longitude is not None
    )


def crew_features(lines: Iterable[AssignmentLine], at: datetime) -> Collection:
    """Return the crews at work whose position is known."""
    return collection(
        point(
            line.longitude,
            line.latitude,
            name=line.crew_name,
            url=reverse("portal:outage", args=[line.outage_id]),
            label=f"{line.crew_name} · {line.status_label} · {line.outage_number}",
        )
        for line in lines
        if line.latitude is not None and line.longitude is not None
    )


def trace_features(outage: Any) -> Collection:
    """Return nothing yet."""
    return collection([])


def network(request: Any) -> Any:
    from django.http import JsonResponse

    return JsonResponse(collection([]))
