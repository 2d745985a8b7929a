"""The events that the portal is fed with: a storm night on the demo network.

Mostly single meters, some calls, some devices named by people, a few breakers told by SCADA
again and again, and some reports that know nothing but where they are. Every event has a name
of its own.
"""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from benchmarks.portal import Portal

SEED = 20_260
BREAKERS = 3
SPREAD_SECONDS = 240
SHARES = {"meter": 84, "call": 5, "device": 5, "breaker": 1, "coordinates": 5}


@dataclass(frozen=True)
class Places:
    """What of the network the events name."""

    meters: Sequence[str]
    devices: Sequence[str]
    breakers: Sequence[str]
    south_west: tuple[float, float]
    north_east: tuple[float, float]


def places_of(portal: Portal) -> Places:
    """Read the network of the portal."""
    with portal.database() as connection:
        rows = connection.execute("SELECT code FROM network_meter ORDER BY code").fetchall()
        edges = connection.execute(
            "SELECT kind, code FROM network_edge WHERE kind IN ('breaker', 'transformer', "
            "'fuse', 'recloser') ORDER BY code"
        ).fetchall()
        south, west, north, east = connection.execute(
            "SELECT min(latitude), min(longitude), max(latitude), max(longitude) "
            "FROM network_node"
        ).fetchall()[0]
    breakers = [code for kind, code in edges if kind == "breaker"]
    return Places(
        meters=[code for (code,) in rows],
        devices=[code for kind, code in edges if kind != "breaker"],
        breakers=breakers[-BREAKERS:],
        south_west=(south, west),
        north_east=(north, east),
    )


class Storm:
    """An endless row of events; the same seed gives the same places."""

    def __init__(self, places: Places, name: str) -> None:
        self.places = places
        self.name = name
        self.choice = random.Random(SEED)  # noqa: S311 - no secret
        self.numbers = itertools.count(1)
        self.began = datetime.now(tz=UTC)  # noqa: TID251 - a measurement has no caller

    def event(self) -> dict[str, Any]:
        """Return the next event."""
        number = next(self.numbers)
        kind = self.choice.choices(list(SHARES), weights=list(SHARES.values()))[0]
        back = timedelta(seconds=self.choice.uniform(0, SPREAD_SECONDS))
        return {
            **self._said(kind),
            "source_event_id": f"bench-{self.name}-{number}",
            "timestamp": (self.began - back).isoformat(),
        }

    def _said(self, kind: str) -> dict[str, Any]:
        one = self.choice.choice
        match kind:
            case "meter":
                return _words("last_gasp", "smart_meter", meter_id=one(self.places.meters))
            case "call":
                return _words("no_power", "call_center", meter_id=one(self.places.meters))
            case "device" if self.places.devices:
                return _words("power_off", "crew", device_id=one(self.places.devices))
            case "breaker" if self.places.breakers:
                return _words("breaker_trip", "scada", device_id=one(self.places.breakers))
        (south, west), (north, east) = self.places.south_west, self.places.north_east
        return _words(
            "outage",
            "call_center",
            latitude=round(self.choice.uniform(south, north), 6),
            longitude=round(self.choice.uniform(west, east), 6),
        )

    def requests(self, portal: Portal, count: int) -> Iterator[bytes]:
        """Return so many calls of one event, made beforehand."""
        bodies = [orjson.dumps(self.event()) for _ in range(count)]
        path = "/api/oms/events/correlate"
        return iter([portal.request("POST", path, body) for body in bodies])

    def batches(self, portal: Portal, count: int, size: int) -> Iterator[bytes]:
        """Return so many calls of `size` events, made beforehand."""
        path = "/api/oms/events/correlate/batch"
        bodies = [{"events": [self.event() for _ in range(size)]} for _ in range(count)]
        return iter([portal.request("POST", path, orjson.dumps(body)) for body in bodies])


def _words(event_type: str, source_type: str, **place: Any) -> dict[str, Any]:
    return {"event_type": event_type, "source_type": source_type, **place}
