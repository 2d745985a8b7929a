"""Every page: who may see it, what it shows, how many queries it costs."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

PAGES = ("/", "/outages", "/crews", "/notices", "/events")
MOST_QUERIES = 25


@pytest.fixture
def evening(city):
    city.crews()
    city.evening()
    largest = city.open()[0]
    city.send("Line Crew Alpha", largest)
    return city


@pytest.mark.parametrize("path", PAGES)
def test_empty_page_says_what_to_do(as_role, path):
    answer = as_role("operator").get(path)
    assert answer.status_code == 200
    assert 'class="nothing"' in answer.content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_page_costs_few_queries(evening, as_role, path):
    client = as_role("ops_manager")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(path).status_code == 200
    assert len(queries) <= MOST_QUERIES, [q["sql"][:120] for q in queries]


def test_outage_page_costs_few_queries(evening, as_role):
    client = as_role("ops_manager")
    for outage in evening.open():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/outages/{outage.id}").status_code == 200
        assert len(queries) <= MOST_QUERIES, [q["sql"][:120] for q in queries]


def test_every_outage_says_why_it_is_there(evening, as_role):
    client = as_role("operator")
    seen = 0
    for outage in evening.open():
        told = client.get(f"/outages/{outage.id}/why").content.decode()
        seen += "chosen" in told
        assert str(outage.id) in told
    assert seen


def test_a_role_is_offered_only_its_pages(as_role):
    told = as_role("crew").get("/crews").content.decode()
    assert 'href="/crews"' in told
    assert 'href="/events"' not in told
    assert "You have no assignment." in told


def test_the_map_names_feeders_and_what_is_dark(evening, as_role):
    client = as_role("operator")
    drawn = client.get("/map/network.json").json()["features"]
    assert {feature["properties"]["feeder"] for feature in drawn} >= {"East 3", "West 4"}
    told = client.get("/").content.decode()
    block = told.partition('id="map-data" >')[2].partition("</script>")[0]
    dark = set(json.loads(block)["dead"])
    assert dark
    assert dark <= {feature["id"] for feature in drawn}


def test_a_replay_shows_what_is_known_by_coordinates(city, as_role):
    city.report("call_center", "no_power", 20, latitude=31.5, longitude=35.25)
    city.report("operator", "outage", 10, substation_id="SS1")
    told = as_role("operator").get(f"/replay/{city.replay().id}")
    film = told.context["film"]()
    assert not film.missing + film.surplus
    played = told.context["played"]()
    drawn = {one["device"]: one["feature"] for one in played["outages"]}
    assert drawn["31.5000, 35.2500"]["geometry"]["coordinates"] == [35.25, 31.5]
    assert drawn["SS1"]["properties"]["customers"] > 0
    assert '<span class="mono">31.5000, 35.2500</span>' in told.content.decode()


def test_a_replay_is_asked_for_and_shows_how_far_it_is(city, as_role):
    client = as_role("operator")
    asked = {"start": "2026-11-21T10:00", "end": "2026-11-21T12:00"}
    answer = client.post("/replay/new", asked)
    assert answer.status_code == 302
    told = client.get(answer.url).content.decode()
    assert "The replay is being made" in told
    assert "film-data" not in told
    assert client.post("/replay/new", asked).url == answer.url
    assert answer.url in client.get("/replay").content.decode()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"start": "2026-11-21T10:00", "end": "2026-11-21T10:00"}, "up to 24 hours"),
        ({"start": "2026-11-19T10:00", "end": "2026-11-21T12:00"}, "up to 24 hours"),
        ({"start": "yesterday", "end": ""}, "Enter a valid date/time."),
        ({"start": "", "end": "0001-01-01T00:00"}, "Choose a year from 2000 on."),
        ({"start": "9999-12-31T23:00", "end": ""}, "Choose a year from 2000 on."),
    ],
)
def test_a_period_that_cannot_be_played_is_explained(city, as_role, asked, said):
    answer = as_role("operator").post("/replay/new", asked)
    assert answer.status_code == 400
    assert said in answer.content.decode()
