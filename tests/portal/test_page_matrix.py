"""Every role opens every page of the portal."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.core.actor import system
from apps.outages.services import WorkPlan, ask_replay, plan_work
from apps.portal.urls import urlpatterns
from tests.permissions import DENY, OPEN_PAGES, PAGES, ROLES, STEPS


@pytest.fixture
def outage(city):
    city.report("scada", "breaker_trip", 5, device_id="CB-3")
    return city.open()[0]


def pages():
    """Return the names of what is read: neither a deed nor the live half of a page."""
    return {
        pattern.name
        for pattern in urlpatterns
        if not pattern.name.endswith("-live") and is_read(pattern.callback)
    }


def is_read(view):
    """Return whether the view, or what it wraps, answers a GET."""
    while view is not None:
        cells = getattr(view, "__closure__", None) or ()
        for cell in cells:
            if isinstance(cell.cell_contents, list | tuple) and "GET" in cell.cell_contents:
                return True
        view = getattr(view, "__wrapped__", None)
    return False


def arguments(name, outage):
    if name == "planned-work":
        return {"work_id": planned().pk}
    if name == "replay-run":
        return {"run_id": asked().id}
    return {
        "outage": {"outage_id": outage.id},
        "why": {"outage_id": outage.id},
        "regroup": {"outage_id": outage.id},
        "device": {"code": "CB-2"},
        "feeder": {"code": "F2"},
    }.get(name, {})


def planned():
    """Plan work, as somebody who sits at the machine itself."""
    now = timezone.now()
    plan = WorkPlan("New cable", "FU-F3-2", now, now + timedelta(hours=2))
    return plan_work(plan=plan, by=system("test"), at=now)


def asked():
    """Ask for a replay, which nobody makes."""
    now = timezone.now()
    return ask_replay(start=now - timedelta(hours=1), end=now, by=system("test"), at=now)


def test_every_page_has_a_row():
    assert pages() == set(PAGES) | OPEN_PAGES | STEPS, (
        "Add the page's row to tests/permissions.py: role by role who may open it."
    )


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_what_the_table_says(outage, as_role, role):
    client = as_role(role)
    for name, cells in PAGES.items():
        path = reverse(f"portal:{name}", kwargs=arguments(name, outage))
        status = client.get(path).status_code
        if role == "crew" and name == "overview":
            assert status == 302, "a crew starts at its own work"
            continue
        assert (status == 403) == (cells[role] == DENY), (name, status)
        assert status in (200, 403), (name, status)


def test_open_pages_ask_for_nobody(db, client):
    for name in OPEN_PAGES:
        assert client.get(reverse(f"portal:{name}")).status_code == 200
