"""Who comes in, what a role may do, and how refusals are told."""

import pytest
from django.test import Client

from tests.fixtures.city import PASSWORD, grid_document

PAGES = ("/", "/outages", "/crews", "/notices", "/events")


@pytest.fixture
def outage(city):
    city.crews()
    city.report("scada", "breaker_trip", 5, device_id="CB-3")
    return city.open()[0]


def test_strangers_are_sent_to_sign_in(db):
    for path in PAGES:
        answer = Client().get(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/sign-in?next=")
    fragment = Client().get("/", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["HX-Redirect"]) == (204, "/sign-in")


def test_sign_in_needs_the_right_password_and_a_csrf_token(city):
    city.person("operator")
    right = {"email": "Operator@oms.example", "password": PASSWORD, "next": "/crews"}
    wrong = Client().post("/sign-in", {**right, "password": "wrong"})
    assert wrong.status_code == 401
    assert "do not belong together" in wrong.content.decode()
    assert Client(enforce_csrf_checks=True).post("/sign-in", right).status_code == 403
    client = Client()
    assert client.post("/sign-in", right)["Location"] == "/crews"
    assert client.get("/").status_code == 200
    assert client.get("/sign-out").status_code == 405
    client.post("/sign-out")
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    "target", ["https://elsewhere.example/", "//elsewhere.example", "x:y"]
)
def test_sign_in_never_leads_elsewhere(city, target):
    city.person("operator")
    sent = {"email": "operator@oms.example", "password": PASSWORD, "next": target}
    assert Client().post("/sign-in", sent)["Location"] == "/"


def test_a_customer_sees_no_control_room(as_role):
    client = as_role("user")
    for path in PAGES:
        answer = client.get(path)
        assert answer.status_code == 403
        assert "Your role does not include this page." in answer.content.decode()


def test_a_crew_member_starts_at_the_own_work(as_role, city):
    client = as_role("crew")
    assert client.get("/")["Location"] == "/work"
    assert client.get("/crews").status_code == 200
    assert client.get("/outages").status_code == 403


def test_a_role_sees_only_what_it_may_do(as_role, outage):
    path = f"/outages/{outage.id}"
    engineer = as_role("engineer").get(path).content.decode()
    assert "Confirm" in engineer
    assert "Send another crew" not in engineer
    operator = as_role("operator").get(path).content.decode()
    assert "Send another crew" in operator
    assert "Practice storm" not in as_role("operator").get("/").content.decode()
    assert "Practice storm" in as_role("ops_manager").get("/").content.decode()
    assert as_role("operator").post("/storm").status_code == 403


def test_an_outage_is_found_by_number_and_unknown_ones_are_404(as_role, outage):
    client = as_role("operator")
    assert client.get(f"/outages/{outage.label}")["Location"] == f"/outages/{outage.id}"
    for unknown in ("nothing", "OUT999999", "00000000-0000-4000-8000-000000000000"):
        assert client.get(f"/outages/{unknown}").status_code == 404


def test_a_refused_step_is_told_calmly(as_role, outage):
    client = as_role("operator")
    path = f"/outages/{outage.id}/status"
    assert client.post(path, {"status": "restored"}).status_code == 302
    again = client.post(path, {"status": "confirmed"})
    assert again.status_code == 409
    assert "already restored" in again.content.decode()
    fragment = client.post(path, {"status": "confirmed"}, headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["HX-Reswap"]) == (409, "none")
    assert 'id="messages"' in fragment.content.decode()
    assert client.post(path, {"status": "gone"}).status_code == 422


def test_what_is_wrong_stands_beside_its_field(as_role, outage):
    client = as_role("operator")
    note = client.post(f"/outages/{outage.id}/note", {"text": ""})
    assert note.status_code == 400
    assert 'class="wrong"' in note.content.decode()
    cancel = client.post(f"/outages/{outage.id}/status", {"status": "cancelled"})
    assert cancel.status_code == 400
    etr = client.post(
        f"/outages/{outage.id}/etr", {"etr-minutes": "0"}, headers={"HX-Request": "true"}
    )
    assert etr.status_code == 400
    assert 'id="etr-form"' in etr.content.decode()


def test_hostile_queries_never_break_a_page(as_role, outage):
    client = as_role("operator")
    for path in PAGES:
        for query in ("page=-1", "page=999999999999", "sort=;drop", "text=%00", "text=%ff"):
            assert client.get(f"{path}?{query}").status_code == 200, (path, query)
    assert client.get("/notices?notice=no-uuid").status_code == 200


def test_filters_find_by_status_severity_region_and_text(as_role, city, outage):
    client = as_role("operator")
    city.report("call_center", "no_power", 1, meter_id="M-F4-3-5-2")

    def listed(query):
        page = client.get(f"/outages?{query}").content.decode()
        return ("CB-3" in page, "M-F4-3-5-2" in page)

    assert listed("") == (True, True)
    assert listed("region=east") == (True, False)
    assert listed("region=west") == (False, True)
    assert listed(f"text={outage.label}") == (True, False)
    assert listed("text=f4-3-5") == (False, True)
    assert listed(f"severity={outage.severity}")[0]
    assert listed("status=restored") == (False, False)
    assert listed("status=all&sort=-customers") == (True, True)


def test_the_map_is_sent_once(as_role, city):
    client = as_role("operator")
    first = client.get("/map/network.json", headers={"Accept-Encoding": "gzip"})
    assert first.status_code == 200
    assert first["Content-Encoding"] == "gzip"
    plain = client.get("/map/network.json").json()
    assert len(plain["features"]) == len(grid_document()["edges"])
    again = client.get("/map/network.json", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304


def test_pages_allow_no_inline_script_or_style(as_role, outage):
    for path in (*PAGES, f"/outages/{outage.id}"):
        answer = as_role("ops_manager").get(path)
        policy = answer["Content-Security-Policy"]
        assert "unsafe" not in policy
        page = answer.content.decode()
        assert " style=" not in page
        assert " onclick=" not in page


def test_the_theme_is_remembered(as_role, city):
    client = as_role("operator")
    assert 'data-bs-theme="dark"' in client.get("/").content.decode()
    client.post("/theme", {"theme": "light", "next": "/"})
    assert 'data-bs-theme="light"' in client.get("/").content.decode()
    client.post("/theme", {"theme": "<script>", "next": "/"})
    assert 'data-bs-theme="light"' in client.get("/").content.decode()
