"""Invented radial grids of any size: substations, feeders, laterals, transformers, services.

A substation has a source and up to ten feeders. A feeder leaves through its breaker, runs along
a trunk with a recloser half-way, and every trunk node has a lateral behind a fuse with some
transformers; neighbouring feeders are tied at their ends by an open switch. A transformer feeds
service points along two low-voltage cables behind a fuse each, a few meters at each point.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from apps.network.invention import people

METERS_PER_FEEDER = 1_500
FEEDERS_PER_SUBSTATION = 10
METERS_PER_TRANSFORMER = 48
METERS_PER_POINT = 4
TRANSFORMERS_PER_LATERAL = 4
CRITICAL_EVERY = 997
REGIONS = ("north", "south", "east", "west")
CENTRE = (31.95, 35.93)
RATINGS_KVA = (100, 160, 250, 400, 630)
PROFILES = ("H0-A", "H0-B", "H0-C", "H0-G", "H0-L", "G1-A", "G2-A")
KW_PER_METER = 1.2
"""What a meter adds to the capacity of its region."""

Entry = dict[str, Any]


@dataclass(slots=True)
class Plan:
    """An invented grid: `meters` customers; the same seed and name give the same grid."""

    meters: int
    seed: int = 1
    name: str = "generated"
    sections: dict[str, list[Entry]] = field(init=False)
    sources: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.sections = {
            name: []
            for name in (
                "regions",
                "substations",
                "feeders",
                "nodes",
                "edges",
                "customers",
                "meters",
            )
        }

    def document(self) -> dict[str, Any]:
        """Return the network file."""
        Builder(self).build()
        return {"name": self.name, **self.sections, "sources": self.sources}


@dataclass(frozen=True, slots=True)
class Spot:
    """A node that was made, with where it is."""

    code: str
    latitude: float
    longitude: float


class Builder:
    """Adds the parts of a grid from the source to the meters."""

    meters_per_feeder = METERS_PER_FEEDER
    feeders_per_substation = FEEDERS_PER_SUBSTATION

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.sections = plan.sections
        self.random = random.Random(plan.seed)  # noqa: S311 - an invented grid is no secret
        self.prefix = plan.name.upper()[:12]
        self.made = 0
        self.feeder = ""
        self.lateral = Spot("", *CENTRE)

    def build(self) -> None:
        """Add everything."""
        feeders = max(1, math.ceil(self.plan.meters / self.meters_per_feeder))
        self._regions()
        ends: list[Spot] = []
        for number in range(feeders):
            if number % self.feeders_per_substation == 0:
                bus = self._substation(number // self.feeders_per_substation)
                ends = []
            ends.append(self._feeder(number, bus, self._share(number, feeders)))
            if len(ends) > 1:
                self._edge(f"TIE-{number}", ends[-2], ends[-1], "switch", closed=False)

    def _share(self, number: int, feeders: int) -> int:
        return (
            number + 1
        ) * self.plan.meters // feeders - number * self.plan.meters // feeders

    def _regions(self) -> None:
        capacity = round(max(self.plan.meters * KW_PER_METER / 1000 / len(REGIONS), 0.1), 1)
        self.sections["regions"] += [
            {
                "id": f"{self.plan.name}-{region}",
                "name": region.capitalize(),
                "capacity_mw": capacity,
                "time_zone": "Asia/Amman",
            }
            for region in REGIONS
        ]

    def _substation(self, number: int) -> Spot:
        angle, distance = number * 2.399963, 0.03 * math.sqrt(number)  # a sunflower's seeds
        code = f"{self.prefix}-SS{number + 1:03d}"
        bus = self._node(
            f"{code}-BUS",
            CENTRE[0] + distance * math.sin(angle),
            CENTRE[1] + distance * math.cos(angle),
            33,
        )
        self.plan.sources.append(bus.code)
        self.sections["substations"].append(
            {
                "id": code,
                "name": f"Substation {number + 1}",
                "region": f"{self.plan.name}-{REGIONS[number % len(REGIONS)]}",
                "latitude": bus.latitude,
                "longitude": bus.longitude,
            }
        )
        return bus

    def _start(self, number: int, bus: Spot) -> tuple[Spot, tuple[float, float]]:
        """Add a feeder's breaker; return the node behind it and the step along the trunk."""
        self.feeder = f"{self.prefix}-F{number + 1:04d}"
        breaker = f"{self.prefix}-CB{number + 1:04d}"
        self.sections["feeders"].append(
            {
                "id": self.feeder,
                "name": f"Feeder {number + 1}",
                "substation": self.sections["substations"][-1]["id"],
                "breaker": breaker,
            }
        )
        around = self.feeders_per_substation
        angle = number % around * 2 * math.pi / around
        step = (0.002 * math.sin(angle), 0.002 * math.cos(angle))
        here = self._beside(f"{self.feeder}-N0", bus, step, 33)
        self._edge(f"CB{number + 1:04d}", bus, here, "breaker")
        return here, step

    def _feeder(self, number: int, bus: Spot, meters: int) -> Spot:
        """Add a feeder; return the end of its trunk."""
        here, step = self._start(number, bus)
        transformers = max(1, math.ceil(meters / METERS_PER_TRANSFORMER))
        laterals = math.ceil(transformers / TRANSFORMERS_PER_LATERAL)
        for at in range(laterals):
            here = self._trunk(at, laterals, here, step)
            for of in range(at * TRANSFORMERS_PER_LATERAL, transformers)[
                :TRANSFORMERS_PER_LATERAL
            ]:
                share = (of + 1) * meters // transformers - of * meters // transformers
                self._transformer(at, of, share, here, step)
        return here

    def _trunk(self, at: int, laterals: int, here: Spot, step: tuple[float, float]) -> Spot:
        if at and at == laterals // 2:
            code = f"{self.feeder}-R{at}"
            beyond = self._beside(f"{code}-N", here, (0, 0), 33)
            self._edge(code.removeprefix(f"{self.prefix}-"), here, beyond, "recloser")
            here = beyond
        there = self._beside(f"{self.feeder}-N{at + 1}", here, step, 33)
        kind = "cable" if at % 3 == 0 else "line"
        self._edge(f"{self._short()}-L{at + 1}", here, there, kind)
        return there

    def _transformer(
        self, at: int, of: int, meters: int, trunk: Spot, step: tuple[float, float]
    ) -> None:
        across = (-step[1] * 0.3, step[0] * 0.3)
        code = f"{self.feeder}-T{of + 1}"
        if of % TRANSFORMERS_PER_LATERAL == 0:
            tap = self._beside(f"{self.feeder}-X{at}-0", trunk, across, 33)
            self._edge(f"{self._short()}-FU{at}", trunk, tap, "fuse")
        else:
            before = self.lateral
            tap = self._beside(f"{self.feeder}-X{at}-{of}", before, across, 33)
            self._edge(f"{self._short()}-X{at}-{of}", before, tap, "line")
        self.lateral = tap
        low = self._beside(f"{code}-LV", tap, (0, 0), 0.4)
        edge = self._edge(f"{self._short()}-T{of + 1}", tap, low, "transformer")
        edge["rated_kva"] = self.random.choice(RATINGS_KVA)
        for side, share in ((0, (meters + 1) // 2), (1, meters // 2)):
            self._services(f"{code}-{side}", low, share, 1 if side else -1)

    def _services(self, code: str, low: Spot, meters: int, side: int) -> None:
        here, short = low, code.removeprefix(f"{self.prefix}-")
        for at, count in enumerate(_portions(meters)):
            drift = (side * 0.0002, self.random.uniform(-1e-4, 1e-4))
            there = self._beside(f"{code}-P{at}", here, drift, 0.4)
            self._edge(f"{short}-{at}", here, there, "cable" if at else "fuse")
            for _ in range(count):
                self._meter(there)
            here = there

    def _meter(self, spot: Spot) -> None:
        self.made += 1
        number, tag = self.made, self.plan.name
        critical = number % CRITICAL_EVERY == 0
        customer = people.customer(number, tag, critical=critical)
        self.sections["customers"].append(customer)
        self.sections["meters"].append(
            {
                "id": f"{tag}-meter-{number}",
                "node": spot.code,
                "customer": customer["id"],
                "mrid": f"{self.prefix}-M{number:08d}",
                "onu": people.onu(number, tag),
                "latitude": spot.latitude,
                "longitude": spot.longitude,
                "load_profile": PROFILES[number % len(PROFILES)],
                "load_kw": 1.0 + number % 5,
            }
        )

    def _short(self) -> str:
        return self.feeder.removeprefix(f"{self.prefix}-")

    def _beside(
        self, code: str, spot: Spot, step: tuple[float, float], voltage_kv: float
    ) -> Spot:
        return self._node(
            code, spot.latitude + step[0], spot.longitude + step[1], voltage_kv
        )

    def _node(
        self, code: str, latitude: float, longitude: float, voltage_kv: float
    ) -> Spot:
        spot = Spot(code, round(latitude, 6), round(longitude, 6))
        self.sections["nodes"].append(
            {
                "id": code,
                "latitude": spot.latitude,
                "longitude": spot.longitude,
                "voltage_kv": voltage_kv,
            }
        )
        return spot

    def _edge(
        self, code: str, start: Spot, end: Spot, kind: str, *, closed: bool = True
    ) -> Entry:
        edge: Entry = {
            "id": f"{self.prefix}-{code}",
            "from": start.code,
            "to": end.code,
            "kind": kind,
            "closed": closed,
            "feeder": self.feeder if closed else "",
        }
        self.sections["edges"].append(edge)
        return edge


def _portions(meters: int) -> Iterator[int]:
    while meters > 0:
        yield min(meters, METERS_PER_POINT)
        meters -= METERS_PER_POINT
