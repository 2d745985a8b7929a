"""`simulate_storm` and `score_storm` beside a running portal."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.rules import Scope
from apps.accounts.services import issue_service_token
from apps.core.actor import system
from apps.feeds.management.commands.simulate import TOKEN_VARIABLE
from apps.feeds.simulator import ground
from apps.feeds.storms import world_of
from apps.network import selectors as network
from apps.network.invention.varied import varied
from apps.network.services import import_network

US = system("tests")


@pytest.fixture
def grown(live_portal, monkeypatch):
    """Import a small varied grid; the value is the portal's address."""
    now = datetime.now(UTC)
    _, secret = issue_service_token(name="head-end", scopes=Scope.values, by=US, at=now)
    monkeypatch.setenv(TOKEN_VARIABLE, secret)
    import_network(document=varied(300, seed=1), by=US, at=now)
    network.grid(fresh=True)
    return live_portal


def say(*words, **options):
    out = StringIO()
    call_command(*words, stdout=out, **options)
    return out.getvalue()


def test_a_storm_is_posted_and_scored(grown, tmp_path):
    place, truth = tmp_path / "storm.ndjson", tmp_path / "storm.truth.ndjson"
    said = say(
        "simulate_storm", "--easy", "--faults=4", f"--out={place}", f"--post={grown}"
    )
    lines = place.read_text().splitlines()
    assert f"{len(lines):,} events of" in said
    assert f"{len(lines):,} events taken, 0 refused" in said
    found = json.loads(say("score_storm", str(truth), f"--portal={grown}", "--json"))
    assert found["events_missing"] == 0
    assert found["declared"] > 0
    assert 0 < found["ari"] <= 1
    table = say("score_storm", str(truth), f"--portal={grown}")
    assert f"adjusted Rand index, all events{found['ari']:>11.3f}" in table


def test_the_backlog_is_waited_for(grown, tmp_path):
    place, truth = tmp_path / "storm.ndjson", tmp_path / "storm.truth.ndjson"
    say("simulate_storm", "--easy", "--faults=2", f"--out={place}", f"--post={grown}")
    with pytest.raises(CommandError, match="backlog"):
        say("score_storm", str(truth), f"--portal={grown}", "--wait=0.1")


def test_a_file_that_holds_no_truth_is_refused(tmp_path):
    place = tmp_path / "other.ndjson"
    place.write_text('{"a": 1}\n')
    with pytest.raises(CommandError, match="no truth"):
        say("score_storm", str(place), "--portal=http://127.0.0.1:1")


def test_a_portal_that_is_away_is_said_so(tmp_path, monkeypatch):
    monkeypatch.setenv(TOKEN_VARIABLE, "oms_x")
    place = tmp_path / "none.ndjson"
    place.write_text('{"noise": []}\n')
    with pytest.raises(CommandError, match="http://127"):
        say("score_storm", str(place), "--portal=http://127.0.0.1:1")


def test_a_storm_begins_when_it_is_told_to(grown, tmp_path):
    place = tmp_path / "storm.ndjson"
    start = datetime(2026, 1, 2, 3, tzinfo=UTC)
    options = ["--faults=3", f"--start={start.isoformat()}", f"--out={place}"]
    say("simulate_storm", "--minutes=2", *options)
    times = [
        datetime.fromisoformat(json.loads(line)["timestamp"])
        for line in place.read_text().splitlines()
    ]
    assert start <= min(times) < start + timedelta(minutes=2)
    with pytest.raises(CommandError, match="zone"):
        say("simulate_storm", "--start=2026-01-02T03:00:00", f"--out={place}")


def test_the_registered_world_is_that_of_the_file(grown):
    there, here = ground.world(), world_of(varied(300, seed=1))
    assert [meter.code for meter in there.meters] == [meter.code for meter in here.meters]
    assert there.watched == here.watched
    for device in sorted(there.watched):
        assert there.interrupted(there.grid, device) == here.interrupted(here.grid, device)
    for one, other in zip(there.meters, here.meters, strict=True):
        assert one.customer == other.customer
        assert there.places[one.node] == pytest.approx(here.places[other.node], abs=0.002)


def test_a_varied_grid_is_written_as_a_network_file(tmp_path):
    place = tmp_path / "grid.json"
    say("generate_network", "--meters=200", "--varied", "--name=varied", f"--out={place}")
    assert json.loads(place.read_text()) == varied(200, seed=1)
