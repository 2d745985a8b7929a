import copy
from datetime import UTC, datetime

import pytest

from apps.core.actor import Actor, ActorKind, system
from apps.network import selectors, services

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

CITY = {
    "name": "city",
    "regions": [
        {"id": "north", "name": "North", "capacity_mw": 10.0, "time_zone": "Asia/Amman"},
        {"id": "south", "name": "South", "capacity_mw": 5, "time_zone": "Asia/Amman"},
    ],
    "substations": [
        {"id": "SS1", "name": "Alpha", "region": "north", "latitude": 31.9, "longitude": 35.9},
        {"id": "SS2", "name": "Beta", "region": "south", "latitude": 31.8, "longitude": 35.9},
    ],
    "feeders": [
        {"id": "F1", "name": "Feeder 1", "substation": "SS1", "breaker": "CB-1"},
        {"id": "F2", "name": "Feeder 2", "substation": "SS2", "breaker": "CB-2"},
    ],
    "nodes": [
        {"id": code, "latitude": (3190 + i) / 100, "longitude": 35.9, "voltage_kv": kv}
        for i, (code, kv) in enumerate(
            [("bus", 33), ("a", 33), ("b", 33), ("lv1", 0.4), ("c", 33), ("lv2", 0.4)]
        )
    ],
    "edges": [
        {"id": "CB-1", "from": "bus", "to": "a", "kind": "breaker", "feeder": "F1"},
        {"id": "L-1", "from": "a", "to": "b", "kind": "line", "closed": True},
        {"id": "T-1", "from": "b", "to": "lv1", "kind": "transformer", "rated_kva": 400},
        {"id": "CB-2", "from": "bus", "to": "c", "kind": "breaker", "feeder": "F2"},
        {"id": "T-2", "from": "c", "to": "lv2", "kind": "transformer", "rated_kva": 250},
        {"id": "TIE", "from": "b", "to": "c", "kind": "switch", "closed": False},
    ],
    "sources": ["bus"],
    "customers": [
        {"id": "customer_1", "name": "Ali Haddad", "phone": "00962 79-000 0001"},
        {"id": "customer_2", "name": "City Hospital", "critical": True, "email": "h@x.org"},
        {"id": "customer_3", "name": "Noor \\ Awad", "phone": "+962790000003"},
    ],
    "meters": [
        {"id": "meter-1", "node": "lv1", "customer": "customer_1", "mrid": "mrid-1",
         "onu": "ONU-1", "latitude": 31.93, "longitude": 35.9, "load_kw": 3},
        {"id": "meter-2", "node": "lv1", "customer": "customer_2",
         "latitude": 31.93, "longitude": 35.9, "load_profile": "H0-A"},
        {"id": "meter-3", "node": "lv2", "customer": "customer_3",
         "latitude": 31.95, "longitude": 35.9},
        {"id": "meter-4", "node": "lv2", "customer": "customer_3",
         "latitude": 31.95, "longitude": 35.9},
    ],
}  # fmt: skip


@pytest.fixture
def city():
    """Return a network file to change at will."""
    return copy.deepcopy(CITY)


@pytest.fixture(autouse=True)
def _look_again():
    selectors.look_again()
    yield
    selectors.look_again()


def bring(document):
    return services.import_network(document=document, by=system("tests"), at=AT)


def nobody() -> Actor:
    return Actor(kind=ActorKind.PERSON, label="nobody@example.org")
