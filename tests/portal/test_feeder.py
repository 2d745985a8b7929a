"""The page of a feeder: its schematic as it is switched, and what is out on it."""

import json
import re

from apps.core.actor import system
from apps.network import selectors, services


def test_the_feeder_is_drawn_as_it_is_switched(city):
    before = selectors.feeder_schematic("F3")
    assert before.symbols[0].code == "CB-3"
    assert before.energised
    assert all(one.energised for one in before.symbols)
    assert {one.code for one in before.symbols if one.kind == "fuse"} == {
        f"FU-F3-{n}" for n in range(1, 6)
    }
    services.set_device_state(
        code="CB-3", closed=False, reason="Fault", by=system("test"), at=city.at
    )
    after = selectors.feeder_schematic("F3")
    assert after.energised
    assert not after.symbols[0].closed
    assert not any(one.energised for one in after.symbols)
    assert selectors.feeder_schematic("F9") is None


def test_the_page_names_every_device_its_state_and_its_outages(city, as_role):
    city.report("scada", "breaker_trip", 5, device_id="CB-3")
    outage = city.open()[0]
    told = as_role("engineer").get("/feeders/F3").content.decode()
    drawing = selectors.feeder_schematic("F3")
    for one in drawing.symbols:
        if one.code:
            assert told.count(f'href="/network/{one.code}"') == 2, "drawn, and in the list"
    assert told.count('class="alarm"') == 1
    assert f'href="/outages/{outage.id}"' in told
    assert re.search(r"CB-3: Breaker, open, 120\s+customers", told)


def test_a_device_is_traced_on_the_map_and_leads_to_its_feeder(city, as_role):
    held = selectors.grid()
    told = as_role("engineer").get("/network/FU-F3-2").content.decode()
    assert 'href="/feeders/F3"' in told
    data = re.search(r'id="map-data"\s*>(.*?)</script>', told, re.DOTALL)[1]
    parts = json.loads(data)["trace"]["parts"]
    assert {held.edge_code(edge) for edge in parts["upstream"]} >= {"CB-3"}
    fuse = held.edge_index("FU-F3-2")
    assert parts["below"] == held.edges_below(fuse).tolist()
    assert not set(parts["upstream"]) & set(parts["below"])


def test_a_network_too_large_for_the_picture_sends_its_trace_as_shapes(
    city, as_role, monkeypatch
):
    monkeypatch.setattr(selectors, "MOST_FEATURES", 10)
    told = as_role("engineer").get("/network/FU-F3-2").content.decode()
    data = re.search(r'id="map-data"\s*>(.*?)</script>', told, re.DOTALL)[1]
    trace = json.loads(data)["trace"]
    assert trace["parts"] == {}
    assert {one["properties"]["part"] for one in trace["shapes"]} == {"upstream", "below"}
