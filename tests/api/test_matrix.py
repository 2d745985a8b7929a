"""Every role tries every operation of the document: own, foreign, deleted, missing objects."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from apps.accounts.models import User
from apps.accounts.rules import Scope
from apps.core.actor import system
from apps.crews import services as crews
from apps.crews.models import Assignment
from apps.crews.rules import CrewType, Profile
from apps.outages.models import Outage, SourceEvent, Verification
from apps.outages.rules import read_report
from apps.outages.rules.verification import VerificationReason
from apps.outages.services import take_reports
from tests.permissions import (
    ALLOW,
    DENY,
    EVERYBODY,
    NEVER_DELETED,
    OPERATIONS,
    OWN,
    ROLES,
    SCOPES,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("many_calls")]
BY = system("matrix")
METHODS = {"get", "post", "put", "patch", "delete"}
REFUSED = (401, 403)
SOUND = {
    ("post", "/api/v1/admin/users/{user_id}/role"): {"role": "operator"},
    ("put", "/api/oms/outages/{outage_id}/status"): {"status": "confirmed"},
    ("post", "/api/oms/outages/{outage_id}/crew"): {
        "crew_name": "Alpha",
        "crew_type": "line_crew",
    },
    ("post", "/api/oms/outages/{outage_id}/notify"): {
        "notification_type": "sms",
        "message": "Power is out.",
    },
    ("put", "/api/oms/crews/{assignment_id}/status"): {"status": "on_site"},
    ("post", "/api/oms/verifications/{verification_id}/answer"): {
        "answers": [{"meter_id": "M-1", "result": "powered"}]
    },
}
"""A body without fault for each operation that acts on one object."""


def operations():
    """Return what the OpenAPI document names."""
    document = SchemaGenerator().get_schema(public=True)
    return {
        (method, path)
        for path, answers in document["paths"].items()
        for method in answers
        if method in METHODS
    }


def opened(number):
    at = timezone.now()
    event = {
        "event_type": "outage",
        "source_type": "scada",
        "source_event_id": f"matrix-{number}",
        "timestamp": at.isoformat(),
        "latitude": 31.9 + number,
        "longitude": 35.9,
    }
    (receipt,) = take_reports(reports=[(BY, read_report(event, at=at))], at=at)
    return receipt.outage_id


def sent(crew, outage_id):
    return crews.assign(
        outage_id=outage_id,
        crew_name=crew,
        crew_type="line_crew",
        estimated_arrival_at=None,
        by=BY,
        at=timezone.now(),
    )


@pytest.fixture
def places(person):
    """Return the arguments of paths: those of one's own objects, and of somebody else's."""
    at = timezone.now()
    profile = Profile(name="Alpha", crew_type=CrewType.LINE_CREW)
    alpha = crews.create_crew(profile=profile, by=BY, at=at)
    crews.join_crew(crew_id=alpha.id, user_id=person("crew").id, by=BY, at=at)
    own, foreign = opened(1), opened(2)
    return {
        "own": {"outage_id": own, "assignment_id": sent("Alpha", own).id},
        "foreign": {"outage_id": foreign, "assignment_id": sent("Beta", foreign).id},
    }


@pytest.fixture
def gone(person):
    """Return the arguments of paths: those of objects that there were, and no longer are."""
    at, outage_id = timezone.now(), opened(3)
    user = User.objects.create(email="gone@example.com", role="user")
    asked = Verification.objects.create(
        outage_id=outage_id,
        reason=VerificationReason.HAND,
        requested_at=at,
        expires_at=at + timedelta(hours=1),
    )
    rows = {
        "assignment_id": Assignment.objects.get(id=sent("Gamma", outage_id).id),
        "verification_id": asked,
        "user_id": user,
        "outage_id": Outage.objects.get(id=outage_id),
    }
    kept = {name: row.pk for name, row in rows.items()}
    SourceEvent.objects.filter(outage_id=outage_id).delete()
    for row in rows.values():
        row.delete()
    return kept


def call(client, operation, arguments, bodies=None):
    method, path = operation
    known = {n: uuid4() for n in ("user_id", "verification_id", "approval_id")}
    filled = path.format_map({**known, **arguments})
    body = {"status": "on_site"} if "assignment_id" in path else {}
    body = (bodies or {}).get(operation, body)
    return getattr(client, method)(filled, body, content_type="application/json")


def refusal(client, operation, arguments, bodies=None):
    """Return the refusal as far as it may not differ: without its moment and the id asked for."""
    answer = call(client, operation, arguments, bodies)
    body = answer.json()
    body["error"].pop("timestamp")
    told = str(body)
    for value in arguments.values():
        told = told.replace(str(value), "…")
    return answer.status_code, told


def test_every_operation_has_a_row():
    assert operations() == set(OPERATIONS), (
        "Add the operation's row to tests/permissions.py: role by role who may call it."
    )


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_what_the_table_says(places, as_role, role):
    client = as_role(role)
    wrong = []
    for operation, cells in OPERATIONS.items():
        if operation[1].startswith("/api/v1/auth/logout"):
            continue
        answer = call(client, operation, places["own"])
        denied = answer.status_code == 403
        assert answer.status_code < 500, (operation, answer.content)
        if denied != (cells[role] == DENY) and not _hidden(operation, cells[role], answer):
            wrong.append((operation, cells[role], answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("scope", sorted(SCOPES))
def test_a_service_token_may_what_its_scope_says(places, machine, scope):
    client, wrong = machine(scope), []
    for operation, cells in OPERATIONS.items():
        if cells == EVERYBODY:
            continue
        answer = call(client, operation, places["own"])
        allowed = operation in SCOPES[scope]
        assert answer.status_code < 500, (operation, answer.content)
        if (answer.status_code == 403) == allowed and not (
            answer.status_code == 404 and not allowed and "{" in operation[1]
        ):
            wrong.append((operation, allowed, answer.status_code))
    assert wrong == []


def test_every_scope_has_a_row():
    assert set(SCOPES) == set(Scope.values)


def _hidden(operation, cell, answer):
    """Return whether a denied object reads as missing, which says even less."""
    return cell == DENY and "{" in operation[1] and answer.status_code == 404


@pytest.mark.parametrize("role", ROLES)
def test_what_is_foreign_reads_as_missing(places, as_role, role):
    client, missing = as_role(role), {"outage_id": uuid4(), "assignment_id": uuid4()}
    for operation, cells in OPERATIONS.items():
        if cells[role] != OWN or "{" not in operation[1]:
            continue
        foreign = refusal(client, operation, places["foreign"])
        assert foreign[0] == 404, operation
        assert foreign == refusal(client, operation, missing)


@pytest.mark.parametrize("role", ROLES)
def test_what_was_deleted_reads_as_missing(gone, as_role, role):
    client, wrong = as_role(role), []
    missing = {name: uuid4() for name in gone}
    for operation, cells in OPERATIONS.items():
        if "{" not in operation[1] or operation in NEVER_DELETED:
            continue
        deleted = refusal(client, operation, gone, SOUND)
        expected = {ALLOW: (404,), OWN: (404,), DENY: (403, 404)}[cells[role]]
        if deleted[0] not in expected:
            wrong.append((operation, cells[role], deleted))
        assert deleted == refusal(client, operation, missing, SOUND), operation
    assert wrong == []


def test_a_long_list_of_own_objects_costs_as_many_queries_as_a_short_one(
    places, as_role, long_second
):
    client = as_role("crew")

    def queries():
        with CaptureQueriesContext(connection) as asked:
            found = client.get("/api/oms/outages?limit=50").json()
        return len(found["outages"]), len(asked)

    assert queries()[0] == 1
    few = queries()[1]
    for number in range(3, 52):
        sent("Alpha", opened(number))
    assert queries() == (50, few)


def test_nobody_passes_without_a_token(places, client_of):
    open_to_all = {p for _, p in OPERATIONS if p.startswith("/api/v1/auth/")}
    open_to_all -= {"/api/v1/auth/logout"}
    for stranger in (client_of(), client_of("oms_nobody"), client_of("a.b.c")):
        for operation in OPERATIONS:
            if operation[1] in open_to_all | {"/health"}:
                continue
            answer = call(stranger, operation, places["own"])
            assert answer.status_code == 401, operation


@pytest.mark.parametrize(
    "trick",
    [
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-User-Id": "admin"},
        {"X-Forwarded-User": "admin"},
        {"Cookie": "sessionid=admin"},
    ],
    ids=lambda trick: next(iter(trick)),
)
def test_no_header_makes_somebody_more(places, as_role, trick):
    client = as_role("user")
    for operation, cells in OPERATIONS.items():
        if cells["user"] == DENY:
            client.defaults.update(
                {f"HTTP_{k.upper().replace('-', '_')}": v for k, v in trick.items()}
            )
            assert call(client, operation, places["own"]).status_code in (403, 404)
