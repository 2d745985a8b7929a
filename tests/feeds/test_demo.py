"""The demo: loaded once, whole, and taken out again."""

import json
import stat

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from apps.accounts import selectors as accounts
from apps.accounts.rules import Scope
from apps.audit.selectors import entries
from apps.core.actor import system
from apps.crews import selectors as crews
from apps.network import selectors as network
from apps.notifications import selectors as notifications
from apps.outages import selectors as outages

US = system("tests")
ROLES = {
    "admin": "admin",
    "operator": "operator",
    "engineer": "engineer",
    "ops_manager": "ops_manager",
    "crew": "crew",
    "customer": "user",
}


def counts():
    return {
        "meters": network.meters().count(),
        "users": accounts.users().count(),
        "tokens": accounts.service_tokens().filter(revoked_at=None).count(),
        "crews": len(crews.crews(viewer=US)),
        "outages": outages.outages(viewer=US).count(),
        "events": outages.events(viewer=US).count(),
        "notices": notifications.notices(viewer=US).count(),
    }


@pytest.fixture
def folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    settings.AUDIT_CHECKPOINTS = tmp_path / "checkpoints"
    return tmp_path


def test_the_demo_from_beginning_to_end(guarded, folder, clock, capsys):
    """One test, since the network takes seconds to load."""
    call_command("load_demo", base_url="http://127.0.0.1:9100")
    check_file(folder)
    check_accounts(folder)
    check_printed_ids()
    check_history()

    before, published = counts(), (folder / "demo.json").read_text()
    call_command("load_demo", base_url="http://127.0.0.1:9100")
    assert counts() == before
    assert (folder / "demo.json").read_text() == published

    check_lost_password(folder)
    check_clear(folder, clock, capsys)


def check_file(folder):
    place = folder / "demo.json"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "demo-accounts.json").stat().st_mode) == 0o600
    content = json.loads(place.read_text())
    assert list(content) == ["base_url", "accounts", "service_token"]
    assert content["base_url"] == "http://127.0.0.1:9100"
    assert set(content["accounts"]) == set(ROLES)
    for name, account in content["accounts"].items():
        extra = {"meter_id"} if name == "customer" else set()
        assert set(account) == {"email", "password"} | extra
    assert content["accounts"]["customer"]["meter_id"] == "meter-123"


def check_accounts(folder):
    content = json.loads((folder / "demo.json").read_text())
    for name, role in ROLES.items():
        account = content["accounts"][name]
        user = authenticate(username=account["email"], password=account["password"])
        assert (user.role, user.region) == (role, "north")
        assert user.phone
    assert user.meter_code == "meter-123"


def check_printed_ids():
    found = network.customers_by_code(["customer_123", "customer_456"])
    assert [customer.code for customer in found] == ["customer_123", "customer_456"]
    assert "meter-123" in found[0].meters
    (meter,) = network.meters_by_code(["meter-123"])
    assert meter.region_code == "north"
    regions = [region.code for region in network.regions()]
    assert sorted(regions) == ["east", "north", "south", "west"]
    assert network.meters().count() == 5_373


def check_history():
    rows = outages.outages(viewer=US)
    assert {row.status for row in rows} == {"restored", "cancelled"}
    assert rows.filter(status="restored").count() >= 4
    assert not rows.filter(is_momentary=True).exists()
    teams = crews.crews(viewer=US)
    assert len(teams) >= 6
    assert len({team.crew_type for team in teams}) == 4
    assert all(team.leader and team.members and team.skills for team in teams)
    assert all(team.latitude is not None for team in teams)
    assert crews.active_crews(viewer=US) == []
    grid = network.grid(fresh=True)
    assert (grid.closed == grid.layout.edges.normally_closed).all()


def check_lost_password(folder):
    """An account whose password nobody knows any more is made anew, the others stay."""
    place = folder / "demo-accounts.json"
    content = json.loads(place.read_text())
    kept = dict(content["accounts"])
    content["accounts"]["operator"]["password"] = "forgotten-by-all"
    (folder / "demo-marks.json").unlink()
    place.write_text(json.dumps(content))
    call_command("load_demo")
    now = json.loads(place.read_text())
    assert now["accounts"]["admin"] == kept["admin"]
    operator = now["accounts"]["operator"]
    assert authenticate(username=operator["email"], password=operator["password"])
    assert now["service_token"] == content["service_token"]


def check_clear(folder, clock, capsys):
    token = json.loads((folder / "demo-accounts.json").read_text())["service_token"]
    assert accounts.actor_of_bearer(token, at=clock.at).scopes == frozenset(Scope.values)
    trail = entries().count()
    call_command("clear_demo", yes=True)
    assert set(counts().values()) == {0}
    assert network.networks() == []
    assert accounts.actor_of_bearer(token, at=clock.at) is None
    assert entries().count() > trail
    assert not list(folder.glob("demo*"))
    call_command("audit_verify", "--begin")


def test_a_no_deletes_nothing(db, folder, monkeypatch, town):
    monkeypatch.setattr("builtins.input", lambda _: "no")
    call_command("clear_demo")
    assert network.networks() == ["town"]


def test_another_network_is_left_alone(transactional_db, folder, town):
    call_command("clear_demo", yes=True)
    assert network.networks() == ["town"]
    assert network.meters().count() == 15


def test_a_storm_needs_a_network(db, folder):
    with pytest.raises(CommandError):
        call_command("simulate_storm", out=folder / "storm.ndjson")


def test_a_storm_is_written_with_its_truth(db, folder, town):
    out = folder / "storm.ndjson"
    start = "2026-11-21T12:00:00+00:00"
    call_command("simulate_storm", seed=3, faults=4, out=out, start=start)
    events = [json.loads(line) for line in out.read_text().splitlines()]
    *truth, last = [
        json.loads(line)
        for line in (folder / "storm.truth.ndjson").read_text().splitlines()
    ]
    named = {name for fault in truth for _, name, *_ in fault["events"]}
    noise = {name for _, name, *_ in last["noise"]}
    assert named | noise == {event["source_event_id"] for event in events}
    assert truth
    assert all(fault["meters"] for fault in truth)
    call_command("simulate_storm", seed=3, faults=4, out=folder / "again", start=start)
    assert (folder / "again").read_text() == out.read_text()
