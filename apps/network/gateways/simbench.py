"""The SimBench benchmark grid as a network file, read from the installed package's CSV files.

SimBench data: https://simbench.de, Open Database License (ODbL). It is read where the package
`simbench` is installed and is no part of this project. Ids are SimBench's names. Customers,
regions and feeder codes are ours: SimBench knows loads, not people.
"""

import csv
import re
from collections import defaultdict
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from apps.core.errors import NotFound, Unavailable
from apps.network.invention import people

SCENARIO = "1-complete_data-mixed-all-0-sw"
REGIONS = ("north", "south", "east", "west")
TIME_ZONE = "Asia/Amman"
CAPACITY_PER_LOAD = 0.5
"""A region's capacity in MW per MW of rated load: loads do not peak at the same time."""
CRITICAL_EVERY = 211
LARGE_KW = 100.0

Row = dict[str, str]


def folder() -> Path:
    """Return where the CSV files are. Raises Unavailable where the package is not installed."""
    spec = find_spec("simbench")
    places = list(spec.submodule_search_locations or []) if spec else []
    found = [
        path for place in places if (path := Path(place, "networks", SCENARIO)).is_dir()
    ]
    if not found:
        raise Unavailable("The package simbench is not installed.")
    return found[0]


def document(subnet: str) -> dict[str, Any]:
    """Return a medium-voltage subnet with all below it as a network file.

    Raises NotFound for a subnet that SimBench does not have.
    """
    return _Subnet(subnet).document()


@dataclass(frozen=True, slots=True)
class _Feeder:
    number: int
    breaker: str
    subnet: str


class _Subnet:
    """The rows of one subnet, of its low-voltage grids and of the part that feeds it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.files = folder()
        nets = self._read("ExternalNet")
        self.low_voltage = {
            row["subnet"].split("_")[0]
            for row in nets
            if row["subnet"].endswith(f"_{name}_eq")
        }
        self.infeeds = [row["node"] for row in nets if _is_infeed(row["subnet"], name)]
        if not self.infeeds:
            raise NotFound(f"SimBench has no subnet {name}.")
        self.nodes = self._mine("Node")
        self.switches = self._mine("Switch")
        self.lines = self._mine("Line")
        self.transformers = self._mine("Transformer")
        self.loads = self._mine("Load")
        self.subnets = {row["id"]: row["subnet"] for row in self.nodes}
        self.feeders = self._find_feeders()
        self.feeder_of_subnet = self._deal_subnets()

    def document(self) -> dict[str, Any]:
        """Return the network file."""
        places = {row["id"]: row for row in self._mine("Coordinates")}
        nodes = [_node(row, places[row["coordID"]]) for row in self.nodes]
        where = {node["id"]: node for node in nodes}
        loads = sorted(self.loads, key=self._load_order)
        meters = [
            _meter(number, row, where[row["node"]]) for number, row in enumerate(loads, 1)
        ]
        return {
            "name": f"SimBench {self.name}",
            "regions": self._regions(loads),
            "substations": [self._substation(region, where) for region in REGIONS],
            "feeders": [self._feeder(feeder) for feeder in self.feeders],
            "nodes": nodes,
            "edges": self._edges(),
            "sources": self.infeeds,
            "customers": [_customer(number, row) for number, row in enumerate(loads, 1)],
            "meters": meters,
        }

    def _read(self, name: str) -> list[Row]:
        with (self.files / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file, delimiter=";"))

    def _mine(self, name: str) -> list[Row]:
        """Return the file's rows of this subnet; `_eq` rows stand for what is there in full."""
        with (self.files / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            rows = csv.reader(file, delimiter=";")
            head = next(rows)
            at = head.index("subnet")
            mine = (row for row in rows if self._is_mine(row[at].split("_")))
            return [dict(zip(head, row, strict=True)) for row in mine]

    def _is_mine(self, parts: list[str]) -> bool:
        mine = self.name in parts or parts[0] in self.low_voltage
        return mine and parts[-1] != "eq"

    def _find_feeders(self) -> list[_Feeder]:
        """Return the feeders: a breaker at the busbar with a line of a feeder's subnet behind."""
        behind = {
            row[end]: row["subnet"] for row in self.lines for end in ("nodeA", "nodeB")
        }
        found = []
        for row in self.switches:
            subnet = behind.get(row["nodeB"], "")
            if row["type"] == "CB" and subnet.startswith(f"{self.name}_Feeder"):
                number = int(subnet.rpartition("Feeder")[2])
                found.append(_Feeder(number, row["id"], subnet.split("_")[-1]))
        return sorted(found, key=lambda feeder: feeder.number)

    def _deal_subnets(self) -> dict[str, int]:
        """Return the feeder's number by the subnet of a row; low voltage joins by its nodes."""
        found = {f"{self.name}_{feeder.subnet}": feeder.number for feeder in self.feeders}
        for row in self.nodes:
            parts = row["subnet"].split("_")
            if len(parts) == 3 and parts[0] == self.name:
                found[parts[1]] = int(parts[2].removeprefix("Feeder"))
        return found

    def _feeder_code(self, number: int) -> str:
        return f"{self.name}-F{number}"

    def _region(self, number: int) -> str:
        return REGIONS[(number - 1) % len(REGIONS)]

    def _load_order(self, row: Row) -> tuple[int, list[tuple[str, int]]]:
        """Feeder by feeder; what is at the busbar itself comes last."""
        number = self.feeder_of_subnet.get(row["subnet"]) or self._feeder_at(row["node"])
        return (number or len(self.feeders) + 1, _natural(row["id"]))

    def _feeder_at(self, node: str) -> int | None:
        name = self.subnets[node].rpartition("_")[2]
        return int(name.removeprefix("Feeder")) if name.startswith("Feeder") else None

    def _regions(self, loads: list[Row]) -> list[dict[str, Any]]:
        rated: dict[str, float] = defaultdict(float)
        for row in loads:
            number = self._load_order(row)[0]
            rated[self._region(number)] += float(row["pLoad"])
        return [
            {
                "id": region,
                "name": region.capitalize(),
                "capacity_mw": round(max(rated[region] * CAPACITY_PER_LOAD, 0.1), 1),
                "time_zone": TIME_ZONE,
            }
            for region in REGIONS
        ]

    def _substation(self, region: str, where: dict[str, Any]) -> dict[str, Any]:
        node = where[self.infeeds[0]]
        return {
            "id": f"SS-{region.upper()}",
            "name": f"{self.name} {region.capitalize()}",
            "region": region,
            "latitude": node["latitude"],
            "longitude": node["longitude"],
        }

    def _feeder(self, feeder: _Feeder) -> dict[str, Any]:
        return {
            "id": self._feeder_code(feeder.number),
            "name": f"{self.name} Feeder {feeder.number}",
            "substation": f"SS-{self._region(feeder.number).upper()}",
            "breaker": feeder.breaker,
        }

    def _edges(self) -> list[dict[str, Any]]:
        cables = {row["id"] for row in self._read("LineType") if row["type"] == "cable"}
        rated = {row["id"]: float(row["sR"]) for row in self._read("TransformerType")}
        breakers = {feeder.breaker: feeder.number for feeder in self.feeders}
        edges = []
        for row in self.switches:
            kind = "breaker" if row["type"] == "CB" else "switch"
            number = breakers.get(row["id"]) or self._number(row)
            edge = self._edge(row, ("nodeA", "nodeB"), kind, number)
            edges.append(edge | {"closed": row["cond"] == "1"})
        for row in self.lines:
            kind = "cable" if row["type"] in cables else "line"
            edges.append(self._edge(row, ("nodeA", "nodeB"), kind, self._number(row)))
        for row in self.transformers:
            edge = self._edge(row, ("nodeHV", "nodeLV"), "transformer", self._number(row))
            edges.append(edge | {"rated_kva": rated[row["type"]] * 1000})
        return edges

    def _number(self, row: Row) -> int | None:
        """Return the feeder of an edge. What feeds the busbar counts with the first feeder."""
        if row["subnet"] == self.name:
            return self.feeders[0].number
        return self.feeder_of_subnet.get(row["subnet"])

    def _edge(
        self, row: Row, ends: tuple[str, str], kind: str, number: int | None
    ) -> dict[str, Any]:
        return {
            "id": row["id"],
            "from": row[ends[0]],
            "to": row[ends[1]],
            "kind": kind,
            "closed": True,
            "feeder": self._feeder_code(number) if number else "",
        }


def _is_infeed(subnet: str, name: str) -> bool:
    parts = subnet.split("_")
    return parts[0] == name and parts[1].startswith("HV") and parts[-1] == "eq"


def _natural(text: str) -> list[tuple[str, int]]:
    """Return a key under which `Load 10` comes after `Load 9`."""
    return [(word, int(number or 0)) for word, number in re.findall(r"(\D*)(\d*)", text)]


def _node(row: Row, place: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "latitude": float(place["y"]),
        "longitude": float(place["x"]),
        "voltage_kv": float(row["vmR"]),
    }


def _customer(number: int, row: Row) -> dict[str, Any]:
    large = float(row["pLoad"]) * 1000 >= LARGE_KW
    return people.customer(number, critical=large or number % CRITICAL_EVERY == 0)


def _meter(number: int, row: Row, node: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"meter-{number}",
        "node": row["node"],
        "customer": f"customer_{number}",
        "mrid": row["id"],
        "onu": people.onu(number),
        "latitude": node["latitude"],
        "longitude": node["longitude"],
        "load_profile": row["profile"],
        "load_kw": round(float(row["pLoad"]) * 1000, 3),
    }
