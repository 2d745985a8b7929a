"""The facts that hold of SimBench's MV1.101."""

import pytest
from django.core.management import CommandError, call_command

from apps.core.actor import system
from apps.network import selectors, services
from apps.network.gateways import simbench
from apps.network.models import Edge, Feeder, Meter
from tests.network.conftest import AT

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def document():
    return simbench.document("MV1.101")


@pytest.fixture
def imported(document):
    services.import_network(document=document, by=system("tests"), at=AT)
    return selectors.grid()


def test_the_grid_is_simbenchs(imported):
    assert Meter.objects.count() == 5_373
    assert imported.energised_nodes().all()
    breaker = imported.edge_index("MV1.101 Switch 7")
    assert imported.interrupted_by(breaker).customers == 666
    assert [imported.edge_code(t.edge) for t in imported.restoring_ties(breaker)] == [
        "MV1.101 loop_line_switch 1.2"
    ]
    for number in (1, 2):
        for side in ("HV", "MV"):
            code = f"HV1-MV1.101-Trafo{number} CB {side}-Side"
            edge = imported.edge_index(code)
            assert imported.edge_kind(edge) == "breaker"
            assert imported.interrupted_by(edge).customers == 0
            after = imported.switched({edge: False})
            assert after.energised_nodes()[imported.layout.meters > 0].all()


def test_opening_the_breaker_and_closing_the_tie(imported):
    services.set_device_state(code="MV1.101 Switch 7", closed=False, by=system(), at=AT)
    grid = selectors.grid()
    dark = ~grid.energised_nodes()
    assert grid.layout.meters[dark].sum() == 666
    tie = "MV1.101 loop_line_switch 1.2"
    services.set_device_state(code=tie, closed=True, by=system(), at=AT)
    grid = selectors.grid()
    assert grid.layout.meters[~grid.energised_nodes()].sum() == 0
    assert len(selectors.meters_of_feeder("MV1.101-F1")) == 667


def test_kinds_and_states(imported):
    count = Edge.objects.filter
    assert count(kind="transformer").count() == 92
    assert count(kind="breaker").count() == 236
    assert count(kind="switch").count() == 10_732
    assert count(normally_closed=False).count() == 6
    assert count(kind__in=["line", "cable"]).count() == 5_391
    assert Edge.objects.get(code="MV1.101-LV1.101-Trafo 1").rated_kva == 160


def test_feeders_and_regions(imported):
    assert Feeder.objects.count() == 8
    first = selectors.feeder_names(Feeder.objects.get(code="MV1.101-F1").pk)
    assert (first.breaker, first.region_code) == ("MV1.101 Switch 7", "north")
    regions = selectors.regions()
    assert [(r.code, r.meters, r.time_zone) for r in regions] == [
        ("east", 567, "Asia/Amman"),
        ("north", 857, "Asia/Amman"),
        ("south", 1_708, "Asia/Amman"),
        ("west", 2_241, "Asia/Amman"),
    ]
    assert all(r.capacity_mw > 1 for r in regions)
    assert sum(r.meters for r in regions) == 5_373


def test_meters_and_customers(imported):
    known = selectors.meters_by_code(["meter-123", "meter-456", "meter-5373"])
    assert {m.code: m.customer_code for m in known} == {
        "meter-123": "customer_123",
        "meter-456": "customer_456",
        "meter-5373": "customer_5373",
    }
    first = known[0]
    assert first.region_code == "north"
    assert first.phone.startswith("+9627")
    assert len(first.phone) == 13
    assert first.email.endswith("@example.org")
    assert (first.load_profile, first.load_kw) == ("H0-G", 1.0)
    [place] = selectors.resolve([selectors.PlaceRef(asset_mrid="LV1.101 Load 1")])
    assert place.meter_code == "meter-1"
    critical = Meter.objects.filter(customer__critical=True).count()
    assert critical == 31
    assert 4_800 < Meter.objects.exclude(onu="").count() < 5_373
    assert Meter.objects.exclude(load_profile="").count() == 5_373
    assert Meter.objects.filter(
        latitude__range=(53, 54), longitude__range=(11, 12)
    ).count() == (5_373)


def test_again_changes_nothing(imported, document):
    result = services.import_network(document=document, by=system("tests"), at=AT)
    assert not result.changed


def test_an_unknown_subnet_is_refused():
    with pytest.raises(CommandError, match="no subnet MV9"):
        call_command("import_simbench", "MV9.999")
