"""Network files: all or nothing, and nothing twice."""

import copy
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.audit.models import AuditEntry
from apps.core.actor import system
from apps.core.errors import Forbidden, Invalid
from apps.core.models import OutboxRow
from apps.network import selectors, services
from apps.network.models import Customer, Edge, Meter, NetworkVersion, Node, Region
from apps.network.services import bulk
from apps.network.services.documents import read_document
from tests.network.conftest import AT, bring, nobody

pytestmark = pytest.mark.django_db


LISTS = (
    "regions", "substations", "feeders", "nodes", "edges", "customers", "meters", "sources",
)  # fmt: skip
EMPTY = {name: [] for name in LISTS}


def version():
    row = NetworkVersion.objects.get()
    return row.structure, row.stamp


def test_everything_arrives(city):
    result = bring(city)
    assert result.changed
    assert result.created == {
        "regions": 2, "substations": 2, "feeders": 2, "nodes": 6, "edges": 6,
        "customers": 3, "meters": 4,
    }  # fmt: skip
    edge = Edge.objects.get(code="T-1")
    assert (edge.from_node.code, edge.to_node.code, edge.rated_kva) == ("b", "lv1", 400)
    assert (edge.kind, edge.is_closed, edge.feeder) == ("transformer", True, None)
    assert not Edge.objects.get(code="TIE").is_closed
    assert [n.code for n in Node.objects.filter(is_source=True)] == ["bus"]
    meter = Meter.objects.get(code="meter-1")
    assert (meter.node.code, meter.customer.code, meter.feeder.code) == (
        "lv1", "customer_1", "F1",
    )  # fmt: skip
    assert (meter.mrid, meter.onu, meter.load_kw) == ("mrid-1", "ONU-1", 3)
    assert Meter.objects.get(code="meter-2").load_profile == "H0-A"
    assert Customer.objects.get(code="customer_1").phone == "+962790000001"
    assert Customer.objects.get(code="customer_3").name == "Noor \\ Awad"


def test_an_import_leaves_a_trail_and_tells(city):
    bring(city)
    entry = AuditEntry.objects.get(action="import_network")
    assert (entry.resource, entry.resource_id, entry.at) == ("network", "city", AT)
    assert entry.after["created"]["meters"] == 4
    row = OutboxRow.objects.get(name="network.imported")
    assert row.subject == "network:city"
    assert (row.payload["created"], row.payload["structure"]) == (25, 1)


def test_the_same_file_twice_changes_nothing(city):
    bring(city)
    before = version()
    told = OutboxRow.objects.count(), AuditEntry.objects.count()
    result = bring(city)
    assert not result.changed
    assert version() == before
    assert (OutboxRow.objects.count(), AuditEntry.objects.count()) == told


def test_a_changed_file_updates_what_differs(city):
    bring(city)
    before = Edge.objects.get(code="L-1").pk
    city["customers"][0]["name"] = "Ali Nasser"
    city["edges"][1]["kind"] = "cable"
    result = bring(city)
    assert {k: v for k, v in result.updated.items() if v} == {"edges": 1, "customers": 1}
    assert not any(result.created.values())
    assert not any(result.retired.values())
    assert Edge.objects.get(code="L-1").pk == before
    assert version()[0] == 2


def test_what_vanishes_is_retired_and_comes_back(city):
    bring(city)
    whole = [list(city[name]) for name in ("edges", "nodes", "meters", "customers")]
    city["edges"] = [e for e in city["edges"] if e["id"] != "T-2"]
    city["nodes"] = [n for n in city["nodes"] if n["id"] != "lv2"]
    city["meters"] = city["meters"][:2]
    result = bring(city)
    assert {k: v for k, v in result.retired.items() if v} == {
        "nodes": 1,
        "edges": 1,
        "meters": 2,
    }
    assert Meter.objects.get(code="meter-3").retired
    grid = selectors.grid()
    assert (len(grid.parent), grid.edge_index("T-2")) == (5, None)
    assert selectors.resolve([selectors.PlaceRef(meter_id="meter-3")]) == [None]
    city["edges"], city["nodes"], city["meters"], city["customers"] = whole
    assert bring(city).updated["meters"] == 2
    assert selectors.grid().edge_index("T-2") is not None


def test_a_vanished_parent_stays_while_something_hangs_on_it(city):
    bring(city)
    other = EMPTY | {"name": "other", "nodes": city["nodes"][:1], "sources": ["bus"]}
    bring(other)
    other["nodes"], other["sources"] = [], []
    assert not any(bring(other).retired.values())
    assert not Node.objects.get(code="bus").retired


def test_the_latest_file_that_names_an_id_owns_it(city):
    bring(city)
    region = {
        "id": "north",
        "name": "Far North",
        "capacity_mw": 1,
        "time_zone": "Asia/Amman",
    }
    bring(EMPTY | {"name": "other", "regions": [region]})
    assert Region.objects.get(code="north").name == "Far North"
    assert bring(city).updated["regions"] == 1
    assert Region.objects.get(code="north").name == "North"


def test_the_actual_state_follows_the_normal_one_unless_switched(city):
    bring(city)
    services.set_device_state(code="T-1", closed=False, by=system("tests"), at=AT)
    city["edges"][0]["closed"] = False
    city["edges"][2]["closed"] = False
    city["edges"][3]["closed"] = False
    bring(city)
    states = dict(Edge.objects.values_list("code", "is_closed"))
    assert (states["CB-1"], states["CB-2"], states["T-1"]) == (False, False, False)
    for number in (0, 2, 3):
        city["edges"][number]["closed"] = True
    bring(city)
    assert Edge.objects.get(code="CB-1").is_closed


def test_a_switched_device_stays_when_its_normal_state_moves_to_another(city):
    bring(city)
    services.set_device_state(code="TIE", closed=True, by=system("tests"), at=AT)
    city["edges"][5]["closed"] = True
    bring(city)
    assert Edge.objects.get(code="TIE").is_closed
    city["edges"][5]["closed"] = False
    bring(city)
    assert not Edge.objects.get(code="TIE").is_closed


@pytest.mark.parametrize(
    ("section", "index", "key", "value", "message"),
    [
        ("edges", 3, "from", "nowhere", "names nothing in nodes: 'nowhere'"),
        ("edges", 0, "feeder", "F9", "names nothing in feeders: 'F9'"),
        ("edges", 2, "kind", "wire", "must be one of line, cable"),
        ("edges", 2, "closed", "yes", "must be true or false"),
        ("edges", 2, "rated_kva", -1, "must be from 0"),
        ("edges", 1, "to", "a", "is where the edge begins"),
        ("feeders", 0, "breaker", "CB-9", "names nothing in edges"),
        ("feeders", 0, "breaker", "L-1", "must be a device, not a line"),
        ("substations", 1, "region", "moon", "names nothing in regions"),
        ("meters", 1, "node", "", "must not be empty"),
        ("meters", 1, "customer", "who", "names nothing in customers"),
        ("meters", 2, "latitude", 91, "must be from -90 to 90"),
        ("meters", 2, "longitude", float("nan"), "must be from -180 to 180"),
        ("meters", 2, "latitude", True, "must be a number"),
        ("meters", 2, "id", "meter-1", "is there twice"),
        ("nodes", 4, "voltage_kv", 0, "must be above 0"),
        ("nodes", 4, "id", "a\x00b", "must not have control characters"),
        ("nodes", 4, "id", "\ud800", "must not have control characters"),
        ("nodes", 4, "id", "x" * 201, "must not be longer than 200"),
        ("nodes", 4, "id", 7, "must be a text"),
        ("regions", 0, "time_zone", "Mars/Base", "is not a known time zone"),
        ("regions", 0, "capacity_mw", None, "must be a number"),
        ("customers", 0, "phone", "1" * 41, "must not be longer than 40"),
    ],
)
def test_a_wrong_file_is_refused_whole_with_the_path(
    city, section, index, key, value, message
):
    city[section][index][key] = value
    with pytest.raises(Invalid) as refused:
        bring(city)
    path = f"$.{section}[{index}].{key}"
    assert message in refused.value.fields[path]
    assert path in refused.value.message
    assert not Node.objects.exists()
    assert not OutboxRow.objects.exists()


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": ""}, "$.name"),
        ({"name": None}, "$.name"),
        ({"nodes": {}}, "$.nodes"),
        ({"nodes": [1]}, "$.nodes[0]"),
        ({"sources": ["bus", "x"]}, "$.sources[1]"),
        ({"sources": [["bus"]]}, "$.sources[0]"),
        ({"sources": "bus"}, "$.sources"),
        ({"sources": []}, "$.sources"),
        ({"meters": [{"id": "m"}]}, "$.meters[0].node"),
    ],
)
def test_a_malformed_file_is_refused(city, change, path):
    with pytest.raises(Invalid) as refused:
        bring(city | change)
    assert path in refused.value.fields


@pytest.mark.parametrize("name", LISTS)
def test_a_file_that_leaves_a_list_out_is_refused_and_retires_nothing(city, name):
    bring(city)
    before = version()
    del city[name]
    with pytest.raises(Invalid) as refused:
        bring(city)
    assert refused.value.fields[f"$.{name}"] == "is missing"
    assert version() == before
    assert not Meter.objects.filter(retired=True).exists()


def test_a_list_may_be_empty(city):
    assert bring(city | {"customers": [], "meters": []}).created["nodes"] == 6


def test_a_list_is_no_network_file():
    with pytest.raises(Invalid):
        bring([])


def test_a_file_with_many_faults_names_a_few(city):
    lost = city["meters"][0] | {"node": "gone"}
    city["meters"] = [lost | {"id": f"m{n}"} for n in range(100)]
    with pytest.raises(Invalid) as refused:
        bring(city)
    assert len(refused.value.fields) == 20


def test_a_refused_file_leaves_the_old_network(city):
    bring(city)
    before = version()
    city["customers"][0]["name"] = "Changed"
    city["edges"][3]["from"] = "nowhere"
    with pytest.raises(Invalid):
        bring(city)
    assert version() == before
    assert Customer.objects.get(code="customer_1").name == "Ali Haddad"


@pytest.mark.usefixtures("empty_trail")
@pytest.mark.django_db(transaction=True)
def test_without_the_permission_nothing_happens(city):
    with pytest.raises(Forbidden):
        services.import_network(document=city, by=nobody(), at=AT)
    assert not Node.objects.exists()
    assert AuditEntry.objects.filter(action="access_denied").count() == 1


def test_the_command_imports_and_says_what_changed(city, tmp_path, capsys):
    path = tmp_path / "city.json"
    path.write_text(json.dumps(city))
    call_command("import_network", str(path))
    assert "created 2 regions" in capsys.readouterr().out
    call_command("import_network", str(path))
    assert "nothing changed" in capsys.readouterr().out
    city["edges"][3]["from"] = "nowhere"
    path.write_text(json.dumps(city))
    with pytest.raises(CommandError, match=r"\$\.edges\[3\]\.from"):
        call_command("import_network", str(path))
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_network", str(tmp_path / "none.json"))


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b"", "line 1 column 1 "),
        (b"{", "line 1 column 2 "),
        (b'{\n "name": "x",\n "nodes": [\n  1,\n ]}', "line 4 column 4 "),
        (b'{\n "name": NaN}', "line 2 column 10 "),
        (b'{\n "name":\n  "K\xf6ln"}', "line 3 column 5 "),
        (b"[" * 5_000, "line 1 column 1026 "),
        (b"\x1f\x8b\x08\x00", "line 1 column 2 "),
    ],
)
def test_a_file_that_is_no_json_is_refused_by_line_and_column(db, raw, place, tmp_path):
    path = tmp_path / "city.json"
    path.write_bytes(raw)
    with pytest.raises(CommandError, match="no valid JSON: ") as refused:
        call_command("import_network", str(path))
    assert place in str(refused.value)
    assert str(path) in str(refused.value)


def places(value, path=()):
    """Return the keys that lead to each value of a document, itself apart."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in inside:
        yield (*path, key)
        if isinstance(each, dict | list):
            yield from places(each, (*path, key))


VALUES = (True, 5, 0.5, "no such thing", [["x"]], {"a": {}})


def test_a_wrong_type_anywhere_is_refused_by_its_path(city):
    for *keys, last in places(city):
        for value in VALUES:
            document = copy.deepcopy(city)
            place = document
            for key in keys:
                place = place[key]
            kinds = {type(value), type(place[last])}
            if len(kinds) == 1 or kinds == {int, float}:
                continue
            place[last] = value
            path = "".join(
                f"[{k}]" if isinstance(k, int) else f".{k}" for k in (*keys, last)
            )
            with pytest.raises(Invalid) as refused:
                read_document(document)
            assert any(name.startswith(f"${path}") for name in refused.value.fields)


def test_the_longest_names_are_imported(city):
    city["name"] = "ü" * 200
    city["edges"][0]["id"] = city["feeders"][0]["breaker"] = "b" * 200
    assert bring(city).changed


def test_an_invented_grid_is_whole_live_and_the_same_again(capsys, tmp_path):
    call_command("generate_network", meters=3_200, name="gen")
    grid = selectors.grid()
    assert Meter.objects.count() == 3_200
    assert grid.energised_nodes().all()
    assert not Meter.objects.filter(feeder=None).exists()
    breaker = grid.edge_index("GEN-CB0002")
    lost = grid.interrupted_by(breaker).customers
    assert lost == grid.counts_below(breaker).customers == 1_067
    assert [grid.edge_code(tie.edge) for tie in grid.restoring_ties(breaker)] == [
        "GEN-TIE-1",
        "GEN-TIE-2",
    ]
    path = tmp_path / "gen.json"
    call_command("generate_network", meters=3_200, name="gen", out=path)
    capsys.readouterr()
    call_command("import_network", str(path))
    assert "nothing changed" in capsys.readouterr().out


def definitions():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexdef FROM pg_indexes WHERE tablename LIKE 'network\\_%' UNION ALL "
            "SELECT conrelid::regclass || conname || pg_get_constraintdef(oid) "
            "FROM pg_constraint WHERE conrelid::regclass::text LIKE 'network\\_%' ORDER BY 1"
        )
        return [row[0] for row in cursor.fetchall()]


def test_filling_empty_tables_gives_them_their_indexes_and_keys_back(city, monkeypatch):
    before = definitions()
    monkeypatch.setattr(bulk, "LARGE", 1)
    bring(city)
    assert definitions() == before
    assert Meter.objects.count() == 4
    assert not bring(city).changed
