"""Pictures of every page, in both themes and three widths, and what axe says of each."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone

from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.accounts.selectors import actor_of_user
from apps.approvals import services as approvals
from apps.notifications.services import announce
from apps.outages.services import WorkPlan, approve_work, ask_replay, plan_work

README_PICTURE = Path(__file__).parents[2] / "docs" / "img" / "overview.png"
PAGES = {
    "overview": "/",
    "outages": "/outages",
    "crews": "/crews",
    "notices": "/notices",
    "events": "/events",
    "unresolved": "/events?disposition=unresolved",
    "calls": "/calls",
    "caller": "/calls?meter=M-F3-2-1-0",
    "network": "/network?text=CB",
    "device": "/network/CB-3",
    "feeder": "/feeders/F3",
    "shift": "/shift",
    "work": "/work",
    "replay": "/replay",
    "planned": "/planned?device=FU-F3-2",
    "approvals": "/approvals",
    "people": "/people",
    "machines": "/machines",
    "profile": "/profile",
    "confirm": "/confirm",
    "audit": "/audit",
    "storm": "/bad-night",
    "design": "/design/",
}
NOT_LIVE = ("design", "confirm")
WIDTHS = {"wall": (1920, 1080), "desk": (1440, 900), "phone": (390, 844)}
CHECKED = {("desk", "dark"), ("desk", "light"), ("phone", "dark")}


def keep_for_readme(taken):
    """Renew the picture of the README where it was deleted."""
    if taken.name == "overview-desk-dark.png" and not README_PICTURE.exists():
        README_PICTURE.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(taken, README_PICTURE)


def check_with_axe(page, name):
    found = Axe().run(
        page,
        options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]},
    )
    told = [
        f"{name}: {v['id']}: {v['help']}: {[n['html'][:160] for n in v['nodes'][:3]]}"
        for v in found.response["violations"]
    ]
    assert told == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_page_looks_right(evening, desk, screenshot, theme):
    at = desk(bypass_csp=True)
    admin = evening.person("admin")
    work = leave_something_to_decide(admin, evening.person("ops_manager"))
    at.sign_in(admin)
    at.page.context.add_cookies([{"name": "theme", "value": theme, "url": at.address}])
    outage = evening.open()[0]
    one = f"/outages/{outage.id}"
    pages = PAGES | {"outage": one, "why": f"{one}/why", "regroup": f"{one}/regroup"}
    pages["planned-work"] = f"/planned/{work}"
    pages["replay-run"] = f"/replay/{evening.replay().id}"
    pages["replay-unmade"] = f"/replay/{asked_for(admin)}"
    for name, path in pages.items():
        at.page.set_viewport_size(size_of("wall"))
        at.go(path)
        if name not in NOT_LIVE:
            at.is_live()
        if name in ("overview", "outage", "replay-run"):
            at.map_is_drawn()
        for width in WIDTHS:
            at.page.set_viewport_size(size_of(width))
            at.page.wait_for_timeout(300)
            look_at(at.page, screenshot, name, width, theme)


def asked_for(person):
    """Ask for a replay that nobody makes; return its id."""
    now = timezone.now()
    by, start = actor_of_user(person), now - timedelta(hours=2)
    return ask_replay(start=start, end=now, by=by, at=now).id


def leave_something_to_decide(admin, other):
    """Leave proposals, a second factor half set up and planned work; return a work's number."""
    now, second = timezone.now(), User.objects.create(email="b@example.com", role="admin")
    made = [
        approvals.propose(
            kind="role_change",
            resource_id=str(other.id),
            payload={"role": role},
            summary=f"{other.email}: {other.role} → {role}",
            by=actor_of_user(maker),
            at=now,
        )
        for role, maker in (("admin", admin), ("engineer", second), ("crew", second))
    ]
    approvals.reject(
        proposal_id=made[2].id, reason="Not in our crews.", by=actor_of_user(admin), at=now
    )
    accounts.begin_factor(by=actor_of_user(admin), at=now)
    works = [
        plan_work(
            plan=WorkPlan(
                title, device, now + timedelta(hours=h), now + timedelta(hours=h + 5)
            ),
            by=actor_of_user(second),
            at=now,
        )
        for title, device, h in (
            ("Replace the fuse holder", "FU-F3-2", 20),
            ("New cable to the school", "FU-F1-4", 44),
            ("Trim the trees along the street", "R-F2", 100),
        )
    ]
    approve_work(work_id=works[1].pk, by=actor_of_user(admin), at=now)
    announce(
        work_id=works[0].pk,
        channel="sms",
        message="Planned work tomorrow: your power will be off for five hours.",
        by=actor_of_user(second),
        at=now,
    )
    return works[0].pk


def size_of(width):
    wide, high = WIDTHS[width]
    return {"width": wide, "height": high}


def look_at(page, screenshot, name, width, theme):
    taken = screenshot(page, f"{name}-{width}-{theme}", full_page=width == "phone")
    keep_for_readme(taken)
    overflow = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0, f"{name} is too wide at {width}"
    if (width, theme) in CHECKED:
        check_with_axe(page, f"{name} {width} {theme}")
