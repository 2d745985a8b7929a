"""The tasks of a shift on their pages: calls, switching, the log, a crew's work, people."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts import selectors as accounts
from apps.accounts.models import SavedView, ServiceToken, User
from apps.audit.models import AuditEntry
from apps.crews import services as crew_services
from apps.network import selectors as network
from apps.outages.models import Handover, Outage, PlannedWork, SourceEvent

MOST_QUERIES = 25
WHO_SEES = {
    "/calls": {"operator", "engineer", "ops_manager", "admin"},
    "/network": {"operator", "engineer", "ops_manager", "admin"},
    "/network/CB-2": {"operator", "engineer", "ops_manager", "admin"},
    "/shift": {"operator", "engineer", "ops_manager", "admin"},
    "/work": {"crew", "admin"},
    "/people": {"admin"},
    "/machines": {"admin"},
    "/audit": {"admin"},
    "/audit.csv": {"admin"},
    "/profile": {"user", "operator", "engineer", "crew", "ops_manager", "admin"},
}
ROLES = ("user", "operator", "engineer", "crew", "ops_manager", "admin")


@pytest.fixture
def evening(city):
    city.crews()
    city.evening()
    return city


def text_of(answer):
    return answer.content.decode()


@pytest.mark.parametrize("path", WHO_SEES)
def test_each_page_opens_for_its_roles_only(as_role, path):
    for role in ROLES:
        status = as_role(role).get(path).status_code
        assert status == (200 if role in WHO_SEES[path] else 403), role


@pytest.mark.parametrize("path", [p for p in WHO_SEES if not p.endswith(".csv")])
def test_a_task_costs_few_queries(evening, as_role, path):
    client = as_role("admin")
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    assert len(queries) <= MOST_QUERIES, [q["sql"][:120] for q in queries]


def a_meter():
    (meter,) = network.meter_views(network.meters().exclude(customer=None)[:1])
    return meter


def test_a_call_is_found_told_and_taken_once(city, as_role):
    client, meter = as_role("operator"), a_meter()
    found = text_of(client.get("/calls", {"text": meter.phone}))
    assert meter.code in found
    known = client.get("/calls", {"meter": meter.code})
    assert "We know of no outage there." in text_of(known)
    form = known.context["call_form"].initial if known.context else None
    call = str(form["call"]) if form else "6f1d7a52-6b2f-4f4e-9d2e-0a8b5d1c2e3f"
    said = {"call": call, "meter": meter.code, "words": "Dark since noon", "back": ""}
    for _ in range(2):
        assert client.post("/calls/take", said).status_code == 302
    event = SourceEvent.objects.get(source_type="call_center")
    assert (event.description, event.meter_code) == ("Dark since noon", meter.code)
    assert Outage.objects.count() == 1
    told = text_of(client.get("/calls", {"meter": meter.code}))
    assert "We know of an outage there" in told
    assert "Dark since noon" in told
    assert client.post("/calls/take", {**said, "call": "x"}).status_code == 400
    assert as_role("engineer").post("/calls/take", said).status_code == 403


def test_switching_shows_who_is_lost_and_is_refused_once_something_changed(city, as_role):
    client = as_role("operator")
    seen = network.preview(code="CB-2")
    assert (seen.closes, seen.won) == (False, 0)
    assert seen.lost > 0
    assert f'<dd class="strong">{seen.lost}</dd>' in text_of(client.get("/network/CB-2"))
    order = {"version": seen.version, "closes": "", "reason": "Earth fault"}
    bare = client.post("/network/CB-2/switch", {**order, "reason": ""})
    assert bare.status_code == 400
    assert client.post("/network/CB-2/switch", order).status_code == 302
    assert network.preview(code="CB-2").closes
    assert network.preview(code="CB-2").won == seen.lost
    late = client.post("/network/CB-2/switch", {**order, "closes": "on"})
    assert late.status_code == 409
    assert "switched meanwhile" in text_of(late)
    assert as_role("engineer").post("/network/CB-2/switch", order).status_code == 403
    entry = AuditEntry.objects.get(action="switch_device")
    assert entry.after == {"closed": False, "reason": "Earth fault"}


def test_a_caller_is_found_by_any_part_of_the_address(city, as_role):
    meter = a_meter()
    assert meter.address.endswith("Fig Tree Lane")
    client = as_role("operator")
    for text in (meter.address, meter.address.upper(), meter.address[:-5]):
        told = text_of(client.get("/calls", {"text": text}))
        assert f'href="/calls?meter={meter.code}"' in told
        assert meter.address in told
    assert meter.address in text_of(client.get("/calls", {"meter": meter.code}))


def test_the_network_is_searched_and_what_is_unknown_is_said(city, as_role):
    client = as_role("engineer")
    assert 'href="/network/CB-2"' in text_of(client.get("/network", {"text": "CB-2"}))
    assert "Nothing begins with" in text_of(client.get("/network", {"text": "ZZZ"}))
    assert "Nothing is called" in text_of(client.get("/network/ZZZ"))
    meter = a_meter()
    chosen = client.get("/network", {"device": meter.code})
    assert chosen.headers["Location"] == f"/network/{meter.code}"
    assert meter.code in text_of(client.get(f"/network/{meter.code}"))
    assert 'href="/feeders/F2"' in text_of(client.get("/network"))
    assert client.get("/feeders/ZZZ").status_code == 404


def test_a_shift_is_written_down_and_handed_over(evening, as_role):
    giver, taker = as_role("operator"), as_role("ops_manager")
    note = {"note-text": "Tower 4 smells of smoke <b>", "note-pinned": "on"}
    assert giver.post("/shift/write", note).status_code == 302
    assert giver.post("/shift/write", {"note-text": " "}).status_code == 400
    page = text_of(taker.get("/shift"))
    assert page.count("Tower 4 smells of smoke &lt;b&gt;") == 2
    summary = {"handover-summary": "Two crews out"}
    assert giver.post("/shift/give", summary).status_code == 302
    assert giver.post("/shift/give", summary).status_code == 409
    row = Handover.objects.get()
    assert row.open_outages == len(evening.open())
    assert giver.post(f"/shift/{row.id}/take").status_code == 409
    assert as_role("crew").post(f"/shift/{row.id}/take").status_code == 403
    assert taker.post(f"/shift/{row.id}/take").status_code == 302
    assert taker.post(f"/shift/{row.id}/take").status_code == 409
    row.refresh_from_db()
    assert row.taken_by != row.given_by
    assert AuditEntry.objects.filter(action="shift_take_over").count() == 1
    assert giver.post("/shift/give", summary).status_code == 302


def test_a_crew_works_its_assignment_on_its_own_page(evening, as_role):
    outage = evening.open()[0]
    sent = evening.send("Line Crew Alpha", outage)
    crew_services.join_crew(
        crew_id=sent.crew_id,
        user_id=evening.person("crew").id,
        by=evening.portal,
        at=evening.at,
    )
    client = as_role("crew")
    page = text_of(client.get("/work"))
    assert outage.label in page
    job = page.partition('action="/work/')[2].partition("/step")[0]
    step = {"status": "en_route", "notes": "Road is flooded"}
    assert client.post(f"/work/{job}/step", step).status_code == 302
    assert client.post(f"/work/{job}/note", {"notes": "Pole down"}).status_code == 302
    page = text_of(client.get("/work"))
    assert "Road is flooded" in page
    assert "Pole down" in page
    assert as_role("engineer").post(f"/work/{job}/step", step).status_code in (403, 404)


def test_an_admin_grants_a_wish_and_keeps_somebody_out(city, as_role):
    client, person = as_role("admin"), city.person("user")
    User.objects.filter(pk=person.pk).update(requested_role="engineer")
    assert "Grant" in text_of(client.get("/people?status=waiting"))
    assert client.post(f"/people/{person.pk}/role", {"role": "engineer"}).status_code == 302
    assert client.post(f"/people/{person.pk}/role", {"role": "king"}).status_code == 400
    assert client.post(f"/people/{person.pk}/entry", {"active": "no"}).status_code == 302
    person.refresh_from_db()
    assert (person.role, person.requested_role, person.is_active) == ("engineer", "", False)
    refused = as_role("ops_manager").post(f"/people/{person.pk}/role", {"role": "admin"})
    assert refused.status_code == 403


def test_a_token_is_shown_once(city, as_role):
    client = as_role("admin")
    wrong = client.post("/machines/new", {"name": "x", "scopes": ["everything"]})
    assert wrong.status_code == 400
    made = client.post("/machines/new", {"name": "Head end", "scopes": ["events:write"]})
    secret = text_of(made).partition('<code class="mono strong">')[2].partition("<")[0]
    assert secret.startswith("oms_")
    assert made["Cache-Control"] == "no-store"
    assert secret not in text_of(client.get("/machines"))
    row = ServiceToken.objects.get(name="Head end")
    assert client.post(f"/machines/{row.pk}/revoke").status_code == 302
    accounts.forget_bearers()
    row.refresh_from_db()
    assert row.revoked_at is not None


def test_the_own_profile_changes_and_a_wrong_password_is_said(city, as_role):
    client = as_role("operator")
    sent = {"full_name": "Zain", "phone": "", "time_zone": "Asia/Amman"}
    assert client.post("/profile/change", sent).status_code == 302
    assert 'value="Zain"' in text_of(client.get("/profile"))
    wrong = {"password-current": "no", "password-new": "Entirely-new-77"}
    assert client.post("/profile/password", wrong).status_code == 400


@pytest.mark.usefixtures("empty_trail", "guarded")
@pytest.mark.django_db(transaction=True)
def test_the_trail_is_a_harmless_file_and_has_a_seal(city, as_role):
    city.person("admin")
    client = as_role("admin")
    as_role("operator").post("/shift/write", {"note-text": "=cmd()"})
    assert client.post("/audit/prove").status_code == 302
    assert "whole" in text_of(client.get("/audit"))
    lines = b"".join(client.get("/audit.csv?action=shift_note")).decode().splitlines()
    assert lines[0].startswith("at,actor_label")
    assert len(lines) == 2


def test_picked_outages_are_confirmed_each_by_itself(evening, as_role):
    first, second, *_ = evening.open()
    client = as_role("operator")
    assert f'value="{first.id}"' in text_of(client.get("/outages"))
    sent = {"pick": [first.id, second.id, "nothing"]}
    assert client.post("/outages/confirm", sent).status_code == 302
    told = text_of(client.get("/outages"))
    assert "2 outages are confirmed." in told
    assert "1 was not: There is no such outage." in told
    assert f'value="{first.id}"' not in told
    assert Outage.objects.filter(status="confirmed").count() == 2
    assert client.post("/outages/confirm").status_code == 302
    assert as_role("crew").post("/outages/confirm", sent).status_code == 403


def test_the_list_is_a_file_with_the_same_filters(evening, as_role):
    client = as_role("engineer")
    Outage.objects.update(cause="=HYPERLINK(1)")
    lines = b"".join(client.get("/outages.csv")).decode().splitlines()
    assert len(lines) == 1 + len(evening.open())
    assert "'=HYPERLINK(1)" in lines[1]
    assert len(b"".join(client.get("/outages.csv?text=CB-3")).decode().splitlines()) == 2


@pytest.mark.django_db
def test_outages_are_merged_split_and_placed_by_hand(city, as_role):
    city.report("smart_meter", "last_gasp", 5, meter_id="M-F3-2-1-0")
    city.report("smart_meter", "last_gasp", 5, meter_id="M-F3-4-1-0")
    first, second = sorted(city.open(), key=lambda row: row.number)
    client = as_role("engineer")
    page = text_of(client.get(f"/outages/{first.id}/regroup"))
    assert "CB-3" in page
    answer = client.post(f"/outages/{first.id}/merge", {"into": str(second.id)})
    assert answer["Location"] == f"/outages/{second.id}"
    assert client.get(f"/outages/{first.id}/regroup").status_code == 302
    (one,) = city.open()
    assert (one.id, one.device_code, one.status) == (second.id, "CB-3", "confirmed")
    refused = client.post(f"/outages/{one.id}/split", {"device_code": "CB-3"})
    assert refused.status_code == 409
    assert "place the outage there instead" in text_of(refused)
    assert (
        client.post(f"/outages/{one.id}/split", {"device_code": "nothing"}).status_code
        == 400
    )
    assert (
        client.post(f"/outages/{one.id}/split", {"device_code": "FU-F3-4"}).status_code
        == 302
    )
    assert len(city.open()) == 2
    placed = client.post(f"/outages/{one.id}/place", {"device_code": "FU-F3-2"})
    assert placed.status_code == 302
    assert {row.device_code for row in city.open()} == {"FU-F3-2", "FU-F3-4"}


@pytest.mark.django_db
def test_work_is_planned_agreed_to_announced_and_done(city, as_role):
    operator, manager = as_role("operator"), as_role("ops_manager")
    page = text_of(operator.get("/planned?device=FU-F3-2"))
    assert "customers without supply meanwhile" in page
    now = timezone.now()
    sent = {
        "plan-title": "New cable",
        "plan-device_code": "FU-F3-2",
        "plan-starts_at": f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "plan-ends_at": f"{now + timedelta(hours=3):%Y-%m-%dT%H:%M}",
    }
    wrong = operator.post("/planned/new", {**sent, "plan-device_code": "nothing"})
    assert wrong.status_code == 400
    assert "no device that feeds anybody" in text_of(wrong)
    assert operator.post("/planned/new", sent).status_code == 302
    work = PlannedWork.objects.get()
    place = f"/planned/{work.pk}"
    assert "New cable" in text_of(operator.get("/planned"))
    assert operator.post(f"{place}/approve").status_code == 403
    assert manager.post(f"{place}/approve").status_code == 302
    told = {"announce-channel": "sms", "announce-message": "Power off at noon."}
    assert operator.post(f"{place}/announce", told).status_code == 302
    assert "Power off at noon." in text_of(operator.get(place))
    assert work.label in text_of(operator.get("/notices"))
    assert operator.post(f"{place}/begin").status_code == 302
    later = {"extend-ends_at": f"{now + timedelta(hours=9):%Y-%m-%dT%H:%M}"}
    assert operator.post(f"{place}/extend", later).status_code == 302
    (outage,) = city.open()
    assert outage.is_planned
    assert outage.label in text_of(operator.get(place))
    assert operator.post(f"{place}/end").status_code == 302
    assert city.open() == []
    assert operator.get("/planned?from=nonsense&page=x").status_code == 200


@pytest.mark.django_db
def test_people_keep_their_views_and_columns_to_themselves(city, as_role):
    operator, engineer = as_role("operator"), as_role("engineer")
    query = "status=all&sort=-customers"
    saved = operator.post("/outages/views", {"name": " My night ", "query": query})
    assert saved["Location"] == f"/outages?{query.replace('&', '&')}"
    page = text_of(operator.get("/outages"))
    assert "My night" in page
    assert "My night" not in text_of(engineer.get("/outages"))
    operator.post("/outages/views", {"name": "My night", "query": "status=all"})
    view = SavedView.objects.get()
    assert (view.name, view.query) == ("My night", "status=all")
    assert engineer.post(f"/outages/views/{view.pk}").status_code == 404
    for name in ("", " ", "x" * 61, "a\0"):
        assert operator.post("/outages/views", {"name": name}).status_code == 400
    away = operator.post("/outages/views", {"name": "x", "query": "//evil.example"})
    assert away["Location"].startswith("/outages?")
    shown = {"shown": ["state", "place", "customers", "etr"], "query": query}
    assert operator.post("/outages/columns", shown).status_code == 302
    assert 'data-hide="confidence crews "' in text_of(operator.get("/outages"))
    assert 'data-hide=""' in text_of(engineer.get("/outages"))
    assert operator.post(f"/outages/views/{view.pk}").status_code == 302
    assert "My night" not in text_of(operator.get("/outages"))
