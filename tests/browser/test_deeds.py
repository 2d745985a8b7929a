"""What a person does on parts that were drawn anew while they looked."""

from django.utils import timezone
from playwright.sync_api import expect

from apps.accounts.models import User
from apps.accounts.selectors import actor_of_user
from apps.approvals import services as approvals
from apps.approvals.models import Proposal
from apps.core.actor import system
from apps.network import selectors as network
from apps.outages.services import make_replay


def propose(person, role, by):
    return approvals.propose(
        kind="role_change",
        resource_id=str(person.id),
        payload={"role": role},
        summary=f"{person.email}: {person.role} → {role}",
        by=actor_of_user(by),
        at=timezone.now(),
    )


def test_a_proposal_that_appears_is_approved_where_it_appeared(evening, desk, relay_now):
    other = User.objects.create(email="second@example.com", role="admin")
    crew = evening.person("crew")
    at = desk()
    at.sign_in(evening.person("admin"))
    at.go("/approvals")
    at.is_live()
    at.page.get_by_text("Nothing waits for a second person.").wait_for()
    made = propose(crew, "operator", other)
    relay_now()
    row = at.page.locator(f"#proposal-{made.id}")
    row.get_by_role("button", name="Approve").click()
    at.page.get_by_text("Approved and carried out.").wait_for()
    assert Proposal.objects.get().state == "executed"
    assert User.objects.get(pk=crew.pk).role == "operator"


def test_times_are_those_of_the_reader(evening, desk, relay_now):
    person = evening.person("operator")
    User.objects.filter(pk=person.pk).update(time_zone="Pacific/Auckland")
    at = desk()
    at.sign_in(person)
    at.go("/outages")
    at.is_live()
    first = at.page.locator("time[datetime]").first
    assert first.get_attribute("title").endswith("Pacific/Auckland")
    evening.report("smart_meter", "last_gasp", 0, meter_id="M-F2-1-1-0")
    relay_now()
    at.page.locator("tr.arrived").first.wait_for()
    for time in at.page.locator("time[datetime]").all():
        assert time.get_attribute("title").endswith("Pacific/Auckland")


def test_outages_are_merged_by_keyboard_alone(evening, desk):
    known = {row.id for row in evening.open()}
    for spur in (2, 4):
        evening.report("smart_meter", "last_gasp", 0, meter_id=f"M-F2-{spur}-1-0")
    one, other = [row for row in evening.open() if row.id not in known]
    at = desk()
    at.sign_in(evening.person("operator"))
    at.go(f"/outages/{one.id}")
    at.page.get_by_role("link", name="Merge, split, place").press("Enter")
    row = at.page.locator(f"#merge-{other.id}")
    assert "CB-2" in row.inner_text()
    row.get_by_role("button", name="Merge").press("Enter")
    at.page.get_by_text("Merged: one cause.").wait_for()
    at.page.wait_for_url(f"**/outages/{other.id}")
    assert at.page.get_by_text("CB-2").first.is_visible()


def test_a_night_is_played_again_with_the_slider(evening, desk):
    at = desk()
    at.sign_in(evening.person("operator"))
    at.go("/replay")
    at.page.get_by_role("button", name="last hour").click()
    at.page.get_by_role("heading", name="The replay is being made").wait_for()
    now = timezone.now()
    assert make_replay(by=system("test"), at=now, clock=timezone.now)
    at.page.get_by_role("heading", name="At this minute").wait_for()
    at.map_is_drawn()
    slider = at.page.locator("#film-at")
    slider.evaluate("(s) => { s.value = 0; s.dispatchEvent(new Event('input')); }")
    early = int(at.page.locator("#film-count").inner_text())
    slider.focus()
    slider.press("End")
    late = int(at.page.locator("#film-count").inner_text())
    assert late > early
    assert at.page.locator("#film-rows tr").count() == late
    told = at.page.locator("#film-time").inner_text()
    slider.press("ArrowLeft")
    assert at.page.locator("#film-time").inner_text() != told
    at.page.locator("#film-speed").select_option("600")
    slider.press("Home")
    at.page.get_by_role("button", name="Play", exact=True).last.click()
    at.page.locator("#film-play[aria-pressed=true]").wait_for()
    at.page.locator(f"#film-count:text-is('{late}')").wait_for()


def test_what_was_typed_stays_while_the_page_is_drawn_anew(evening, desk, relay_now):
    at = desk()
    at.sign_in(evening.person("operator"))
    at.go("/network/CB-2")
    at.is_live()
    effect = at.page.locator("section", has=at.page.get_by_role("heading", name="Open it"))
    lost = effect.locator("dd").first
    before = int(lost.inner_text())
    at.page.get_by_label("Why").fill("Smoke at the cable head")
    evening.report("scada", "breaker_trip", 0, device_id="R-F2")
    relay_now()
    expect(lost).not_to_have_text(str(before))
    expect(at.page.get_by_label("Why")).to_have_value("Smoke at the cable head")
    at.page.get_by_role("button", name="Open CB-2").click()
    at.page.get_by_text("The device is switched.").wait_for()
    assert network.preview(code="CB-2").closes
