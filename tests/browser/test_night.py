"""The tasks of a night, each as the one who does it, in a real browser."""

import re

from playwright.sync_api import expect

from apps.crews.models import Crew
from apps.crews.services import join_crew
from apps.network import selectors as network
from apps.outages.models import Outage, PlannedWork

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def test_a_call_is_taken_by_keyboard_and_joins_the_outage_that_is_known(evening, desk):
    meter = network.meters_under("T-F3-2-1")[0]
    at = desk()
    at.sign_in(evening.person("operator"))
    at.go("/calls")
    page = at.page
    expect(page.get_by_label("Phone, meter, name or address")).to_be_focused()
    page.keyboard.type(meter.phone)
    page.keyboard.press("Enter")
    page.locator("[data-row]").first.wait_for()
    page.locator("body").click(position={"x": 5, "y": 400})
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    told = page.locator("#live-known")
    expect(told).to_contain_text("We know of an outage there")
    expect(told).to_contain_text("Line Crew Alpha")
    page.get_by_label("What the caller says").fill("Dark since nine, a tree is on the line")
    page.get_by_role("button", name="No power: join what is known").press("Enter")
    page.get_by_text("The call joined an outage that is known.").wait_for()
    assert Outage.objects.open().filter(device_code="CB-3").count() == 1


def test_a_call_from_where_nothing_is_known_opens_an_outage(evening, desk):
    meter = network.meters_under("T-F4-1-2")[0]
    at = desk()
    at.sign_in(evening.person("operator"))
    at.go(f"/calls?meter={meter.code}")
    expect(at.page.locator("#live-known")).to_contain_text("We know of no outage there")
    at.page.get_by_role("button", name="No power: report it").click()
    at.page.get_by_text("The call opened an outage.").wait_for()
    at.go(f"/calls?meter={meter.code}")
    expect(at.page.locator("#live-known")).to_contain_text("We know of an outage there")


def test_a_feeder_is_opened_from_its_schematic_and_closed_again(evening, desk):
    at = desk()
    at.sign_in(evening.person("operator"))
    page = at.page
    at.go("/network")
    page.get_by_role("link", name="South 2").click()
    drawing = page.locator("#live-drawing")
    breaker = drawing.locator("svg a", has_text="CB-2")
    expect(breaker).to_have_attribute("data-state", "live")
    breaker.click()
    page.wait_for_url("**/network/CB-2")
    effect = page.locator("section", has=page.get_by_role("heading", name="Open it"))
    lost = int(effect.locator("dd").first.inner_text())
    assert lost > 100
    page.get_by_label("Why").fill("Smoke at the cable head")
    page.get_by_role("button", name="Open CB-2").click()
    page.get_by_text("The device is switched.").wait_for()
    effect = page.locator("section", has=page.get_by_role("heading", name="Close it"))
    expect(effect.locator("dd").last).to_have_text(str(lost))
    page.get_by_role("link", name="South 2").click()
    expect(breaker).to_have_attribute("data-state", "open")
    expect(drawing.locator("path[data-state=dead]")).not_to_have_count(0)
    breaker.click()
    page.get_by_label("Why").fill("Cable head changed")
    page.get_by_role("button", name="Close CB-2").click()
    page.get_by_text("The device is switched.").wait_for()
    assert network.preview(code="CB-2").lost == lost


def test_a_shift_is_handed_over_and_taken_by_somebody_else(evening, desk):
    going = desk()
    going.sign_in(evening.person("operator"))
    going.go("/shift")
    going.is_live()
    going.page.locator("#note-form textarea").fill("Breaker CB-3 locks out at once")
    going.page.locator("#note-form input[type=checkbox]").check()
    going.page.get_by_role("button", name="Write into the log").click()
    pinned = going.page.locator("#live-pinned")
    expect(pinned).to_contain_text("Breaker CB-3 locks out at once")
    going.page.locator("#handover-form textarea").fill("East 3 is out; Alpha is on its way")
    going.page.get_by_role("button", name="Hand over").click()
    expect(going.page.locator("#live-handover")).to_contain_text("Somebody else")
    coming = desk()
    coming.sign_in(evening.person("ops_manager"))
    coming.go("/shift")
    expect(coming.page.locator("#live-handover")).to_contain_text("Alpha is on its way")
    coming.page.get_by_role("button", name="Take over").click()
    expect(coming.page.locator("#live-handover")).not_to_contain_text("Take over")
    expect(coming.page.locator("main")).to_contain_text("East 3 is out")


def test_a_crew_works_its_assignment_off_on_a_phone(evening, desk):
    outage = evening.open()[0]
    crew = evening.person("crew")
    alpha = Crew.objects.get(name="Line Crew Alpha")
    join_crew(crew_id=alpha.id, user_id=crew.id, by=evening.portal, at=evening.at)
    at = desk(**PHONE)
    at.sign_in(crew)
    at.page.wait_for_url("**/work")
    at.is_live()
    job = at.page.locator(".jobs section").first
    expect(job).to_contain_text(outage.label)
    expect(job.locator("a[href^='geo:']")).to_be_visible()
    for step in ("En route", "On site"):
        job.get_by_role("button", name=step).tap()
        expect(job.locator(".panel-head .state")).to_have_text(step)
    job.get_by_label("Remark").fill("Fuse holder burnt")
    job.get_by_role("button", name="Only the remark").tap()
    expect(job).to_contain_text("Fuse holder burnt")
    small = job.locator(".thumbs .btn").first.bounding_box()
    assert small["height"] >= 44
    job.get_by_role("button", name="Work completed").tap()
    at.page.get_by_text("You have no assignment.").wait_for()
    outage.refresh_from_db()
    assert outage.status == "in_progress"


def test_work_is_planned_by_one_and_approved_by_another(evening, desk):
    planner = desk()
    planner.sign_in(evening.person("engineer"))
    planner.go("/planned?device=FU-F4-2")
    page = planner.page
    page.get_by_label("Work", exact=True).fill("Change the fuse holder")
    page.get_by_label("Begins (UTC)").fill("2099-03-01T08:00")
    page.get_by_label("Ends (UTC)").fill("2099-03-01T10:00")
    page.get_by_role("button", name="Propose").click()
    page.get_by_text("Change the fuse holder").first.wait_for()
    work = PlannedWork.objects.get()
    boss = desk()
    boss.sign_in(evening.person("ops_manager"))
    boss.go(f"/planned/{work.pk}")
    boss.page.get_by_role("button", name="Approve").click()
    expect(boss.page.locator(".state").first).to_have_text("Approved")
    boss.page.locator("#announce-form textarea").fill("Your power is off on 1 March.")
    boss.page.locator("#announce-form button").click()
    expect(boss.page.locator("#live-notices")).to_contain_text("off on 1 March")


def test_a_manager_sees_the_bad_night_and_switches_storm_mode(evening, desk):
    at = desk()
    at.sign_in(evening.person("ops_manager"))
    page = at.page
    page.get_by_role("button", name="Storm mode on").click()
    expect(page.get_by_role("button", name="Storm mode off")).to_be_visible()
    at.go("/bad-night")
    at.is_live()
    expect(page.locator("main")).to_contain_text("customers out")
    expect(page.locator("main")).to_contain_text("Line Crew Alpha")
    page.get_by_role("link", name=evening.open()[0].label).first.click()
    page.wait_for_url(re.compile("/outages/"))


def test_outages_are_picked_and_confirmed_by_keyboard(evening, desk):
    at = desk()
    at.sign_in(evening.person("operator"))
    at.go("/outages")
    at.is_live()
    page = at.page
    page.locator("body").click(position={"x": 5, "y": 300})
    for _ in range(2):
        page.keyboard.press("j")
        page.keyboard.press("x")
    expect(page.locator("input.pick:checked")).to_have_count(2)
    page.keyboard.press("a")
    page.get_by_text("2 outages are confirmed.").wait_for()
    assert Outage.objects.filter(status="confirmed").count() == 2
    at.go(f"/outages/{Outage.objects.filter(status='detected').first().id}")
    page.keyboard.press("a")
    page.get_by_text("The outage is now: Confirmed.").wait_for()


def test_an_outage_and_the_shift_log_are_printed_black_on_white(evening, desk, screenshot):
    at = desk()
    at.sign_in(evening.person("operator"))
    for name, path in (("outage", f"/outages/{evening.open()[0].id}"), ("shift", "/shift")):
        at.go(path)
        at.page.emulate_media(media="print")
        screenshot(at.page, f"{name}-print", full_page=True)
        for hidden in (".bar", ".bar-nav", "#map", "form"):
            for one in at.page.locator(hidden).all():
                expect(one).to_be_hidden()
        colours = at.page.evaluate(
            """() => [...document.querySelectorAll("body, main .panel, main dd, main td, h1")]
                .map((one) => getComputedStyle(one))
                .map(({ color, backgroundColor }) => [color, backgroundColor])"""
        )
        for ink, paper in colours:
            assert max(map(int, re.findall(r"\d+", ink)[:3])) < 140, ink
            assert paper in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"), paper
        at.page.emulate_media(media="screen")
