"""Every role tries everything that is done on a page: own, foreign and deleted objects."""

import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse

from apps.accounts.models import SavedView, ServiceToken, Session, User
from apps.audit.models import AuditEntry
from apps.core.actor import system
from apps.crews.models import Assignment
from apps.crews.services import erase_crews
from apps.outages.models import Handover, Outage, ShiftNote, ZoneEstimate
from apps.outages.services import erase_outages
from apps.portal.urls import urlpatterns
from tests.permissions import ALLOW, DEEDS, DENY, OPEN_PAGES, OWN, PAGES, ROLES, STEPS
from tests.portal.test_page_matrix import asked, planned

BODIES = {
    "storm": {"faults": "1"},
    "storm-mode": {"on": "yes"},
    "outage-change": {"status": "confirmed"},
    "outages-view": {"name": "x"},
    "outage-note": {"text": "x"},
    "regroup-merge": {"into": str(uuid.uuid4())},
    "regroup-split": {"device_code": "CB-3"},
    "regroup-place": {"device_code": "CB-3"},
    "outage-etr": {"etr-minutes": "60"},
    "outage-assign": {"assign-crew_name": "Alpha", "assign-crew_type": "line_crew"},
    "outage-notify": {"notice-channel": "sms", "notice-message": "x"},
    "crew-step": {"status": "on_site"},
    "call-take": {"call": str(uuid.uuid4()), "meter": "M-1", "words": "dark"},
    "device-switch": {"reason": "x", "version": "1"},
    "shift-write": {"note-text": "x"},
    "shift-give": {"give-text": "x"},
    "work-step": {"status": "on_site"},
    "work-note": {"note-text": "x"},
    "plan": {
        "plan-title": "x",
        "plan-device_code": "CB-2",
        "plan-starts_at": "2099-01-01T10:00",
        "plan-ends_at": "2099-01-01T12:00",
    },
    "replay-ask": {"hours": "1"},
    "work-reject": {"reason-reason": "x"},
    "work-cancel": {"reason-reason": "x"},
    "work-extend": {"extend-ends_at": "2099-01-01T12:00"},
    "work-announce": {"announce-channel": "sms", "announce-message": "x"},
    "person-role": {"role": "crew"},
    "person-entry": {"active": "yes"},
    "machine-issue": {"name": "x", "scopes": ["events:write"]},
    "profile-change": {"full_name": "X"},
    "theme": {"theme": "dark"},
}
REFUSED = (403, 404)
NEVER_DELETED = {"proposal_id", "code"}
"""What the database does not let go, or a network's import alone takes out."""


def deeds():
    """Return the names of what is neither read nor the live half of a page."""
    names = {p.name for p in urlpatterns if not p.name.endswith("-live")}
    return names - set(PAGES) - OPEN_PAGES - STEPS


def test_every_deed_has_a_row():
    assert deeds() == set(DEEDS), (
        "Add the deed's row to tests/permissions.py: role by role who may do it."
    )


@pytest.fixture
def outage(city):
    city.report("scada", "breaker_trip", 5, device_id="CB-3")
    return city.open()[0]


def arguments(name, outage, person):
    known = {
        "outage_id": outage.id,
        "assignment_id": uuid.uuid4(),
        "note_id": uuid.uuid4(),
        "handover_id": uuid.uuid4(),
        "proposal_id": uuid.uuid4(),
        "session_id": uuid.uuid4(),
        "user_id": person.id,
        "zone_id": 1,
        "view_id": 1,
        "token_id": 1,
        "code": "CB-2",
        "work_id": planned().pk,
    }
    pattern = next(p.pattern for p in urlpatterns if p.name == name)
    return {key: known[key] for key in pattern.converters}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_does_what_the_table_says(city, outage, as_role, role):
    client, wrong = as_role(role), []
    person = city.person("engineer") if role != "engineer" else city.person("crew")
    for name, cells in DEEDS.items():
        path = reverse(f"portal:{name}", kwargs=arguments(name, outage, person))
        before = AuditEntry.objects.exclude(action="access_denied").count()
        with transaction.atomic():
            status = client.post(path, BODIES.get(name, {})).status_code
            after = AuditEntry.objects.exclude(action="access_denied").count()
            transaction.set_rollback(True)
        assert status < 500, (name, status)
        fits = {
            ALLOW: status != 403,
            OWN: status == 404,
            DENY: status in REFUSED and after == before,
        }[cells[role]]
        if not fits:
            wrong.append((name, cells[role], status))
    assert wrong == []


@pytest.fixture
def gone(city, outage):
    """Return the arguments of paths: those of things that there were, and no longer are."""
    city.crews()
    city.send("Line Crew Alpha", outage)
    at, person = city.at, User.objects.create(email="gone@example.com", role="user")
    later = {"until": at + timedelta(hours=2), "estimate_at": at + timedelta(hours=1)}
    rows = {
        "note_id": ShiftNote.objects.create(at=at, text="x", actor_label="x"),
        "handover_id": Handover.objects.create(
            given_at=at, given_by="x", summary="x", open_outages=0, customers_out=0
        ),
        "zone_id": ZoneEstimate.objects.create(
            zone_kind="region", zone_code="north", set_at=at, set_by="x", **later
        ),
        "view_id": SavedView.objects.create(
            user=person, page="outages", name="x", created_at=at
        ),
        "token_id": ServiceToken.objects.create(
            name="x", hashed="x", prefix="oms_x", scopes=[], user=person, created_at=at
        ),
        "session_id": Session.objects.create(user=person, created_at=at),
        "user_id": person,
    }
    kept = {name: row.pk for name, row in rows.items()}
    kept |= {"outage_id": outage.id, "work_id": planned().pk, "run_id": asked().id}
    kept["assignment_id"] = Assignment.objects.get(outage_id=outage.id).pk
    for row in rows.values():
        row.delete()
    erase_crews(codes=[], by=system("test"), at=at)
    erase_outages(by=system("test"), at=at)
    assert not Outage.objects.exists()
    return kept


@pytest.mark.parametrize("role", ROLES)
def test_what_was_deleted_reads_as_missing(city, gone, as_role, role):
    client, wrong = as_role(role), []
    for name, cells in {**PAGES, **DEEDS}.items():
        pattern = next(p.pattern for p in urlpatterns if p.name == name)
        if not pattern.converters or NEVER_DELETED & pattern.converters.keys():
            continue
        path = reverse(
            f"portal:{name}", kwargs={key: gone[key] for key in pattern.converters}
        )
        before = AuditEntry.objects.exclude(action="access_denied").count()
        send = client.get if name in PAGES else client.post
        status = send(path, BODIES.get(name, {})).status_code
        after = AuditEntry.objects.exclude(action="access_denied").count()
        expected = REFUSED if cells[role] == DENY else (404,)
        if status not in expected or after != before:
            wrong.append((name, cells[role], status))
    assert wrong == []
