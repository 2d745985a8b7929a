"""What a page costs: few queries whatever stands in the database, and a short way to the end."""

import html
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.core.actor import system
from apps.outages import selectors as outages
from apps.outages.models import Outage, SourceEvent
from apps.outages.rules import Severity
from apps.outages.services import WorkPlan, plan_work
from apps.portal import events, lines
from apps.portal.lines import paged
from tests.permissions import PAGES

MOST_QUERIES = 25
OWN = {"id", "number", "place_names"}
COPIED = [f for f in Outage._meta.concrete_fields if f.name not in OWN]


@pytest.fixture
def evening(city):
    city.crews()
    city.evening()
    grave = city.open()
    city.send("Line Crew Alpha", grave[0])
    city.send("Line Crew Bravo", grave[1])
    plan = WorkPlan("Cable", "FU-F3-2", city.at, city.at + timedelta(hours=2))
    city.work = plan_work(plan=plan, by=system("test"), at=city.at)
    city.played = city.replay()
    return city


def address(name, city):
    """Return where the page is; the pages of one thing show the largest outage, a device."""
    outage = {"outage_id": city.open()[0].id}
    wanted = {
        "outage": outage,
        "why": outage,
        "regroup": outage,
        "device": {"code": "CB-3"},
        "feeder": {"code": "F3"},
        "planned-work": {"work_id": city.work.pk},
        "replay-run": {"run_id": city.played.id},
    }
    return reverse(f"portal:{name}", kwargs=wanted.get(name, {}))


def test_every_page_costs_few_queries(evening, as_role):
    client = as_role("admin")
    dear = {}
    for name in PAGES:
        path = address(name, evening)
        assert client.get(path).status_code == 200, name
        with CaptureQueriesContext(connection) as queries:
            b"".join(client.get(path))
        if len(queries) > MOST_QUERIES:
            dear[name] = [query["sql"][:120] for query in queries]
    assert not dear


def test_a_crew_at_work_costs_few_queries(evening, as_role):
    client = as_role("crew")
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/work").status_code == 200
    assert len(queries) <= MOST_QUERIES


def test_the_storm_page_counts_what_the_rows_say(evening, as_role):
    told = as_role("admin").get("/bad-night").content.decode()
    standing = list(outages.open_outages(viewer=evening.portal))
    customers = sum(row.customers_count for row in standing)
    assert f"{len(standing)} open outages, {customers} customers out" in told
    assert "Line Crew Alpha" in told
    sent = {row.id for row in evening.open()[:2]}
    waiting = [r for r in standing if r.status == "detected" or r.id not in sent]
    assert f'<span class="count">{len(waiting)}</span>' in told
    listed = outages.unattended(sent=sent, viewer=evening.portal)
    assert {row.id for row in listed} == {row.id for row in waiting}


def test_the_gravest_outage_comes_first(evening):
    ranks = [
        (-Severity.values.index(row.severity), -row.customers_count)
        for row in outages.gravest(viewer=evening.portal)
    ]
    assert len(ranks) == len(evening.open()) > 3
    assert ranks == sorted(ranks)


@pytest.mark.parametrize("path", ["/", "/outages?sort=-severity", "/bad-night"])
def test_an_old_grave_outage_is_not_lost_behind_new_small_ones(evening, as_role, path):
    grave = evening.open()[0]
    Outage.objects.filter(pk=grave.pk).update(
        severity="critical",
        critical_customers=True,
        customers_count=90_000,
        first_detected_at=evening.at - timedelta(days=3),
    )
    row = {f.attname: getattr(grave, f.attname) for f in COPIED}
    row |= {"severity": "low", "customers_count": 1, "critical_customers": False}
    row |= {"first_detected_at": evening.at, "first_event_id": None}
    Outage.objects.bulk_create(Outage(**row) for _ in range(2_100))
    told = as_role("admin").get(path).content.decode()
    rows = re.findall(r'href="/outages/([0-9a-f-]{36})"', told)
    assert rows[0] == str(grave.id)


def test_places_are_found_by_any_part_of_their_names(evening, as_role):
    client = as_role("operator")
    outage = evening.open()[0]
    for name in (outage.device_code, outage.feeder_name, outage.substation_name):
        for text in (name, name[1:].upper(), name[:-1].lower()):
            told = client.get("/outages", {"text": text}).content.decode()
            assert str(outage.id) in told, text
    told = client.get("/outages", {"text": f"{outage.device_code}\n"}).content.decode()
    assert str(outage.id) in told, "a line break at the end is no part of the word"
    told = client.get("/outages", {"text": f"{outage.device_code}%"}).content.decode()
    assert str(outage.id) not in told, "a per cent sign stands for itself"


def test_where_the_pages_end_the_list_goes_on_by_time(evening, as_role, monkeypatch):
    monkeypatch.setattr(lines, "DEEPEST", 8)
    monkeypatch.setattr(events, "SIZE", 4)
    client, seen, query, turns = as_role("operator"), set(), "", []
    while query is not None:
        told = client.get(f"/events{query}").content.decode()
        seen |= set(re.findall(r'id="event-([0-9a-f-]{36})"', told))
        onward = re.search(r'<a class="btn[^>]*href="([^"]+)">(?:Next|Older)', told)
        query = html.unescape(onward[1]) if onward else None
        turns.append(query)
    assert len(seen) == SourceEvent.objects.count() > 30
    assert sum("until" in (one or "") for one in turns) >= 4, turns


def test_figures_of_the_overview_and_of_machines_agree(evening):
    whole = outages.statistics(viewer=evening.portal, at=evening.at)
    now = outages.situation(viewer=evening.portal)
    points = outages.event_rate(viewer=evening.portal, at=evening.at)
    assert now.active_outages == whole.active_outages == len(evening.open())
    assert now.unconfirmed == whole.by_status["detected"]
    assert now.by_severity == whole.by_severity
    assert sum(point.events for point in points) == whole.events_last_hour > 0


def test_the_first_customers_of_an_outage_are_the_critical_ones(evening):
    viewer = evening.portal
    for outage in evening.open():
        whole = outages.affected_customers(outage=outage, viewer=viewer)
        some = outages.affected_customers(outage=outage, viewer=viewer, most=3)
        assert some == whole[:3]
        assert outages.affected_count(outage=outage, viewer=viewer) == len(whole)


def test_events_are_found_by_what_their_names_begin_with(evening, as_role):
    client = as_role("operator")
    for column in ("source_event_id", "meter_code", "device_code"):
        event = SourceEvent.objects.exclude(**{column: ""}).earliest("accepted_at", "id")
        name = getattr(event, column)
        for text, is_found in ((name[:-1], True), (f"{name}x", False)):
            told = client.get("/events", {"text": text}).content.decode()
            assert (f"event-{event.id}" in told) == is_found, text


@pytest.mark.parametrize("size", [1, 3, 7, 1_000])
def test_pages_of_a_list_cover_it_once(evening, size):
    rows = SourceEvent.objects.order_by("-accepted_at", "-id")
    whole, seen, page = list(rows), [], 1
    while page:
        found, pager = paged(rows, str(page), size)
        assert (pager.total, pager.more) == (len(whole), False)
        assert (pager.first, pager.last) == (len(seen) + 1, len(seen) + len(found))
        assert pager.previous == (page - 1 or None)
        seen += found
        page = pager.next
    assert seen == whole


def test_a_page_beyond_the_end_is_the_last_one(evening):
    rows = SourceEvent.objects.order_by("-accepted_at", "-id")
    count = rows.count()
    for wish in ("999", "9" * 9, str(count)):
        found, pager = paged(rows, wish, 4)
        assert pager.last == pager.total == count
        assert pager.next is None
        assert found == list(rows)[pager.first - 1 :]
    for wish in ("", "0", "-1", "x", "\uff19", "9" * 40):
        assert paged(rows, wish, 4)[1].first == 1


def test_a_long_list_is_not_counted_to_its_end(evening, monkeypatch):
    monkeypatch.setattr(lines, "COUNTED", 5)
    rows = SourceEvent.objects.order_by("-accepted_at", "-id")
    first, later = paged(rows, "1", 2)[1], paged(rows, "6", 2)[1]
    assert (first.total, first.more, first.next) == (5, True, 2)
    assert (later.total, later.more, later.last) == (12, True, 12)


def test_nothing_has_no_pages(db):
    found, pager = paged(SourceEvent.objects.order_by("id"), "3", 10)
    assert found == []
    assert (pager.first, pager.last, pager.total) == (0, 0, 0)
    assert pager.next is None
