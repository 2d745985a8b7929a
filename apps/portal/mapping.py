"""What the map draws: the network once, outages, crews and the trace with each update."""

import gzip
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from apps.accounts.services import require
from apps.core.actor import Actor
from apps.network import selectors as network
from apps.portal.lines import AssignmentLine, labels_in, outage_url, where
from apps.portal.pages import for_people

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.outages.models import Outage

MOST_TRACED = 4_000
MOST_DEAD = 20_000
SHADES = 6

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


class Spot(NamedTuple):
    """An outage as far as the map needs it: read without the rest of its row."""

    number: int
    severity: str
    place_kind: str
    device_code: str
    substation_code: str
    substation_name: str
    edge_number: int | None
    customers_count: int
    latitude: float | None
    longitude: float | None

    @property
    def label(self) -> str:
        """Return the number as people say it."""
        return f"OUT{self.number:03d}"


def spots(rows: "QuerySet[Outage]") -> list[Spot]:
    """Return the outages as the map needs them."""
    return list(map(Spot._make, rows.values_list(*Spot._fields)))


def outage_points(found: "Iterable[Spot | Outage]") -> dict[str, Any]:
    """Return the outages whose place is known, to about a metre, as short rows.

    A row is longitude, latitude, number, severity, customers and place; the map makes features
    of them, and the number leads to the page. Thousands as features, or with their keys, would
    take most of what the page weighs.
    """
    words = labels_in(get_language() or "")["severity"]
    rows = [
        (
            round(one.longitude, 5),
            round(one.latitude, 5),
            one.label,
            one.severity,
            one.customers_count,
            where(one),
        )
        for one in found
        if one.latitude is not None and one.longitude is not None
    ]
    return {"page": outage_url(""), "words": words, "rows": rows}


def crew_features(lines: Iterable[AssignmentLine]) -> Collection:
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


def trace_of(outage: "Outage") -> dict[str, Any]:
    """Return the way from the source to the outage, and what hangs below its device.

    What hangs below an outage that is over is `restored`.
    """
    device = outage.device_code if outage.edge_number else ""
    side = "downstream" if outage.is_open else "restored"
    return traced(_parts(outage.node_number, device, side), outage.feeder_code)


def trace_of_place(place: network.Place, *, has_power: bool) -> dict[str, Any]:
    """Return the way from the source to a place, and what its device feeds, or would feed."""
    side = "below" if has_power else "downstream"
    return traced(_parts(place.node_pk, place.device_code, side), place.feeder_code)


def traced(parts: Mapping[str, Sequence[int]], feeder: str) -> dict[str, Any]:
    """Return a trace as the map takes it.

    `parts` names edges as the picture numbers them. Of a network too large to be in the picture
    as a whole, `shapes` are the lines themselves.
    """
    if len(network.grid().layout.edges.pk) <= network.MOST_FEATURES:
        return {"parts": parts, "shapes": []}
    return {"parts": {}, "shapes": _shapes(feeder, parts)}


def _parts(node: int | None, device_code: str, side: str) -> dict[str, list[int]]:
    """Return the edges above a node, `upstream`, and those from its device on, by their side."""
    held = network.grid()
    above = held.path(held.node_index(node)) if node and held.has_node(node) else []
    device = held.edge_index(device_code) if device_code else None
    below = [] if device is None else held.edges_below(device)[:MOST_TRACED].tolist()
    hidden = set(below)
    return {"upstream": [edge for edge in above if edge not in hidden], side: below}


def _shapes(feeder: str, parts: Mapping[str, Sequence[int]]) -> list[dict[str, Any]]:
    if not feeder:
        return []
    held = network.grid()
    side = {held.edge_code(edge): name for name, edges in parts.items() for edge in edges}
    drawn = network.geojson(feeder=feeder, limit=MOST_TRACED)
    return [
        {**feature, "properties": {"part": side[code]}}
        for feature in drawn["features"]
        if (code := feature["properties"]["code"]) in side
    ]


def dead_edges(open_outages: "Iterable[Spot | Outage]") -> list[int]:
    """Return the edges that these outages leave without supply, as the picture numbers them."""
    held = network.grid()
    found: set[int] = set()
    for code in {outage.device_code for outage in open_outages if outage.edge_number}:
        device = held.edge_index(code)
        if device is not None and len(found) < MOST_DEAD:
            found.update(held.edges_below(device).tolist())
    return sorted(found)[:MOST_DEAD]


class _Picture:
    """The network as compressed GeoJSON, kept until the grid is another."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.grid: object = None
        self.packed = b""
        self.tag = ""

    def current(self) -> tuple[bytes, str]:
        """Return the compressed document and its entity tag."""
        held = network.grid()
        with self.lock:
            if self.grid is not held:
                drawn = network.geojson()
                drawn["features"] = _slim(held, drawn["features"])
                self.packed = gzip.compress(orjson.dumps(drawn), 5, mtime=0)
                self.tag = f'"{hashlib.blake2b(self.packed, digest_size=12).hexdigest()}"'
                self.grid = held
            return self.packed, self.tag


_picture = _Picture()


def _slim(held: Any, features: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the features by number, with what the map draws; feeders get shades by turns."""
    names = {feeder.code: feeder.name for feeder in network.feeders().values()}
    shades = {code: n % SHADES for n, code in enumerate(sorted(names))}
    slim = []
    for feature in features:
        told = feature["properties"]
        kept = {name: told[name] for name in ("kind", "closed", "energised")}
        kept |= {
            "feeder": names.get(told["feeder"], ""),
            "shade": shades.get(told["feeder"]),
        }
        slim.append({**feature, "id": held.edge_index(told["code"]), "properties": kept})
    return slim


@require_safe
@for_people
def network_map(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Answer with the network as GeoJSON; nothing where the browser has it already."""
    require(viewer, "network.view_network")
    packed, tag = _picture.current()
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Cookie"}
    if request.headers.get("If-None-Match") == tag:
        return HttpResponse(status=304, headers=headers)
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
    else:
        packed = gzip.decompress(packed)
    return HttpResponse(packed, content_type="application/geo+json", headers=headers)
