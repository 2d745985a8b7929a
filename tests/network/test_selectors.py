"""Places, names, the map, and the snapshot that processes share."""

import numpy as np
import pytest

from apps.core.actor import system
from apps.network import selectors, services
from apps.network.models import Edge
from apps.network.selectors import PlaceRef, compiling
from tests.network.conftest import AT, bring

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(city):
    bring(city)


@pytest.mark.parametrize(
    ("ref", "kind", "meter", "device"),
    [
        (PlaceRef(device_id="T-1"), "device", "", "T-1"),
        (PlaceRef(device_id="meter-1"), "meter", "meter-1", ""),
        (PlaceRef(device_id="?", feeder_id="F1"), "feeder", "", "CB-1"),
        (PlaceRef(substation_id="SS1"), "substation", "", ""),
        (PlaceRef(meter_id="meter-2"), "meter", "meter-2", ""),
        (PlaceRef(asset_mrid="mrid-1"), "meter", "meter-1", ""),
        (PlaceRef(customer_id="customer_3"), "meter", "meter-3", ""),
        (PlaceRef(phone="+962 79 000 0001"), "meter", "meter-1", ""),
        (PlaceRef(onu_id="ONU-1"), "meter", "meter-1", ""),
        (PlaceRef(meter_id="meter-2", customer_id="customer_3"), "meter", "meter-2", ""),
        (PlaceRef(meter_id="?", customer_id="customer_3"), "meter", "meter-3", ""),
        (PlaceRef(feeder_id="F1", device_id="T-2"), "device", "", "T-2"),
    ],
)
def test_the_most_exact_part_that_is_known_decides(town, ref, kind, meter, device):
    [place] = selectors.resolve([ref])
    assert (place.kind, place.meter_code, place.device_code) == (kind, meter, device)


def test_places_say_where_they_are(town):
    device, meter, nothing, station = selectors.resolve(
        [PlaceRef("T-2"), PlaceRef("meter-3"), PlaceRef(phone="1"), PlaceRef("", "", "SS2")]
    )
    assert nothing is None
    assert (device.feeder_code, device.substation_code) == ("F2", "SS2")
    assert (device.latitude, device.longitude) == (31.95, 35.9)
    assert device.node_pk == meter.node_pk
    assert (meter.feeder_pk, meter.feeder_code) == (device.feeder_pk, "F2")
    assert (station.substation_code, station.feeder_pk, station.latitude) == (
        "SS2",
        None,
        31.8,
    )
    assert selectors.resolve([PlaceRef()]) == [None]


def test_known_places_are_not_looked_up_again(town, django_assert_num_queries):
    refs = [PlaceRef("T-1"), PlaceRef(meter_id="meter-1"), PlaceRef(onu_id="none")]
    first = selectors.resolve(refs)
    with django_assert_num_queries(0):
        assert selectors.resolve(refs) == first


def test_a_place_follows_the_feeder_that_feeds_it(town):
    ref = PlaceRef(meter_id="meter-1")
    assert selectors.resolve([ref])[0].feeder_code == "F1"
    for code, closed in (("CB-1", False), ("TIE", True)):
        services.set_device_state(code=code, closed=closed, by=system(), at=AT)
    assert selectors.resolve([ref])[0].feeder_code == "F2"
    assert selectors.meters_by_code(["meter-1"])[0].region_code == "north"


def test_meters_and_customers(town):
    under = selectors.meters_under("CB-1")
    assert [(m.code, m.customer_code, m.critical) for m in under] == [
        ("meter-1", "customer_1", False),
        ("meter-2", "customer_2", True),
    ]
    assert (under[0].name, under[0].phone, under[0].load_kw) == (
        "Ali Haddad",
        "+962790000001",
        3,
    )
    assert selectors.meters_under("none") == []
    assert selectors.meters_under("TIE") == []
    [customer] = selectors.customers_by_code(["customer_3", "none"])
    assert customer.meters == ("meter-3", "meter-4")
    assert [m.code for m in selectors.meters_of_region("south")] == ["meter-3", "meter-4"]
    assert [m.code for m in selectors.meters_of_feeder("F1")] == ["meter-1", "meter-2"]
    assert selectors.meters_of_substation("SS2") == 2
    assert [(r.code, r.meters) for r in selectors.regions()] == [("north", 2), ("south", 2)]
    assert selectors.networks() == ["city"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("T-", {("transformer", "T-1"), ("transformer", "T-2")}),
        ("f1", {("feeder", "F1")}),
        ("alpha", {("substation", "SS1")}),
        ("meter-4", {("meter", "meter-4")}),
        ("hospital", {("customer", "customer_2")}),
        ("0096279000000", {("customer", "customer_1"), ("customer", "customer_3")}),
        ("%", set()),
        (" ", set()),
    ],
)
def test_search(town, text, found):
    assert {(hit.kind, hit.code) for hit in selectors.search(text)} == found


def test_trace(town):
    [place] = selectors.resolve([PlaceRef(meter_id="meter-1")])
    trace = selectors.trace(place)
    assert [(d.code, d.customers) for d in trace.path] == [("T-1", 2), ("CB-1", 2)]
    assert (trace.feeder.code, trace.device.code, trace.protective.code) == (
        "F1",
        "T-1",
        "T-1",
    )
    assert (trace.transformers, trace.customers, trace.energised) == (1, 2, True)
    [device] = selectors.resolve([PlaceRef("CB-1")])
    assert [(t.code, t.customers) for t in selectors.trace(device).ties] == [("TIE", 2)]
    [station] = selectors.resolve([PlaceRef(substation_id="SS1")])
    assert selectors.trace(station).path == ()


def test_the_map(town):
    services.set_device_state(code="CB-1", closed=False, by=system(), at=AT)
    features = {f["properties"]["code"]: f for f in selectors.geojson()["features"]}
    line = features["L-1"]
    assert line["geometry"]["type"] == "LineString"
    assert line["geometry"]["coordinates"] == [[35.9, 31.91], [35.9, 31.92]]
    assert line["properties"] == {
        "code": "L-1",
        "kind": "line",
        "feeder": "F1",
        "closed": True,
        "energised": False,
    }
    assert features["T-2"]["geometry"] == {"type": "Point", "coordinates": [35.9, 31.95]}
    assert features["T-2"]["properties"]["energised"]
    assert not features["TIE"]["properties"]["closed"]
    named = selectors.geojson(feeder="F2")["features"]
    assert [f["properties"]["code"] for f in named] == ["CB-2"]
    assert len(selectors.geojson(limit=2)["features"]) == 2
    assert selectors.geojson(bounds=(0, 0, 1, 1))["features"] == []


def test_no_network_at_all(db):
    grid = selectors.grid(fresh=True)
    assert len(grid.parent) == 0
    assert selectors.resolve([PlaceRef("T-1")]) == [None]
    assert selectors.geojson()["features"] == []


def test_arrays_on_disk_are_the_same_grid(town, tmp_path, settings, monkeypatch):
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(compiling, "LARGE", 1)
    (tmp_path / "grid" / "older").mkdir(parents=True)
    services.set_device_state(code="CB-1", closed=False, by=system(), at=AT)
    grid = compiling.compile_grid()
    compiling.save("now", grid)
    kept = compiling.load("now")
    assert [path.name for path in (tmp_path / "grid").iterdir()] == ["now"]
    assert compiling.load("other") is None
    for name in grid.tree.__slots__:
        assert np.array_equal(getattr(kept.tree, name), getattr(grid.tree, name)), name
    assert kept.edge_index("T-2") == grid.edge_index("T-2")
    assert not kept.energised(1)
    assert kept.switched({kept.edge_index("CB-1"): True}).energised(1)


def test_codes_survive_the_way_into_the_arrays(city):
    strange = "T\\n-2 ä'\""
    city["edges"][4]["id"] = strange
    bring(city)
    grid = selectors.grid()
    assert grid.edge_code(grid.edge_index(strange)) == strange
    assert grid.edge_pk(grid.edge_index(strange)) == Edge.objects.get(code=strange).pk


def test_a_few_meters_of_a_feeder_are_told_as_among_all(city):
    bring(city)
    grid = selectors.grid(fresh=True)
    for feeder in set(grid.feeder_of_node.tolist()) - {0}:
        codes = selectors.supplied_by(feeder).codes
        selectors.snapshot().remembered.supplied.clear()
        few = selectors.supplied_by(feeder, only=[*codes[1::2], "nobody", "m-elsewhere"])
        assert few.codes == codes[1::2]
        assert not selectors.snapshot().remembered.supplied
        every = selectors.supplied_by(feeder)
        told = dict(
            zip(every.codes, zip(every.numbers, every.positions, strict=True), strict=True)
        )
        assert [told[code] for code in few.codes] == list(
            zip(few.numbers, few.positions, strict=True)
        )
        crit = [every.has_critical(p, p + 1) for p in map(every.places.get, few.codes)]
        assert crit == [few.has_critical(p, p + 1) for p in range(len(few.codes))]
        assert selectors.supplied_by(feeder, only=[]) is every


def test_meters_of_another_feeder_are_not_among_a_few(city):
    bring(city)
    grid = selectors.grid(fresh=True)
    first, other = sorted(set(grid.feeder_of_node.tolist()) - {0})[:2]
    theirs = selectors.supplied_by(other).codes
    assert theirs
    selectors.snapshot().remembered.supplied.clear()
    assert not selectors.supplied_by(first, only=theirs).codes
