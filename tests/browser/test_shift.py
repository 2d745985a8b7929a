"""A shift in a real browser: from sign-in to power back, live, by keyboard, without JavaScript."""

import re

from django.utils import timezone
from playwright.sync_api import expect


def test_from_sign_in_to_power_back(evening, desk, relay_now):
    at = desk()
    at.sign_in(evening.person("operator"))
    expect(at.page).to_have_title(re.compile("Overview"))
    outage = evening.open()[0]
    at.page.get_by_role("link", name=outage.label, exact=True).first.click()
    at.is_live()

    def press(button):
        """Press it. A live part that was drawn just before may come after the answer."""
        with at.page.expect_response(lambda answer: answer.request.method == "POST"):
            button.click()
        relay_now(timezone.now())

    press(at.page.get_by_role("button", name="Confirm"))
    expect(step_of(at)).to_contain_text("Confirmed")
    send_a_crew(at, press)
    tell_everybody(at, press)
    press(at.page.get_by_role("button", name="Power is back"))
    expect(step_of(at)).to_contain_text("Restored")
    expect(at.page.get_by_label("Power back in (minutes)")).to_be_hidden()
    outage.refresh_from_db()
    assert outage.status == "restored"


def step_of(at):
    return at.page.locator("#live-state [aria-current=step]")


def send_a_crew(at, press):
    press(at.page.get_by_role("button", name="Send Line Crew Bravo"))
    crews = at.page.locator("#live-crews")
    bravo = crews.get_by_role("listitem").filter(has_text="Line Crew Bravo")
    for step in ("En route", "On site", "Work completed"):
        press(bravo.get_by_role("button", name=step))
        expect(bravo.locator(".state")).to_contain_text(step)
    expect(step_of(at)).to_contain_text("In progress")


def tell_everybody(at, press):
    page = at.page
    page.get_by_label("Power back in (minutes)").fill("45")
    press(page.get_by_role("button", name="Publish the estimate"))
    expect(page.locator("#live-state")).to_contain_text(re.compile(r"in (44|45) min"))
    page.get_by_label("Note", exact=True).fill("Breaker found locked out")
    press(page.get_by_role("button", name="Write the note"))
    expect(page.locator("#live-timeline")).to_contain_text("Breaker found locked out")
    expect(page.get_by_label("Note", exact=True)).to_have_value("")
    page.get_by_text("Tell the customers").click()
    expect(page.get_by_label("Message")).to_have_value(re.compile("We expect it back at"))
    press(page.get_by_role("button", name="Send the notice"))
    expect(page.locator("#live-notices")).to_contain_text("Power is out in East 3")


def test_what_happens_appears_without_reload(evening, desk, relay_now):
    at = desk()
    at.sign_in(evening.person("operator"))
    at.is_live()
    relay_now(evening.at)
    rows = at.page.locator("#live-outages tbody tr")
    expect(rows).to_have_count(len(evening.open()))
    evening.report("scada", "breaker_trip", 0, device_id="CB-4")
    relay_now(evening.at)
    expect(rows).to_have_count(len(evening.open()), timeout=4_000)
    expect(at.page.locator("#live-outages")).to_contain_text("CB-4")


def test_a_lost_connection_is_said_and_the_data_stay(evening, desk):
    at = desk()
    at.sign_in(evening.person("operator"))
    at.is_live()
    at.page.context.set_offline(True)
    expect(at.page.locator("#live")).to_have_attribute("data-state", "offline")
    expect(at.page.locator("#live-banner")).to_contain_text("What you see is from")
    label = evening.open()[0].label
    expect(at.page.get_by_role("link", name=label, exact=True).first).to_be_visible()
    at.complaints.clear()
    at.page.context.set_offline(False)
    at.is_live()
    expect(at.page.locator("#live-banner")).to_be_hidden()


def test_keys_move_search_and_help(evening, desk):
    at = desk()
    at.sign_in(evening.person("operator"))
    at.go("/outages")
    page = at.page
    page.keyboard.press("/")
    expect(page.get_by_label("Search", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    page.locator("body").click(position={"x": 5, "y": 300})
    rows = page.locator("[data-row]")
    page.keyboard.press("j")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/outages/[0-9a-f-]{36}"))


def test_everything_but_map_and_live_works_without_javascript(evening, desk):
    at = desk(java_script_enabled=False)
    at.sign_in(evening.person("operator"))
    page = at.page
    at.go(f"/outages/{evening.open()[0].id}")
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator(".message")).to_contain_text("The outage is now: Confirmed.")
    page.get_by_role("button", name="Write the note").click()
    expect(page.locator("#note-form .wrong")).to_contain_text("required")
    assert at.complaints.pop().endswith("(Bad Request)")
    page.get_by_text("Send another crew").click()
    page.get_by_label("Crew", exact=True).fill("Night Crew")
    page.get_by_role("button", name="Send the crew").click()
    expect(page.locator("#live-crews")).to_contain_text("Night Crew")
