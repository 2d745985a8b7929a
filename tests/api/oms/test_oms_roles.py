"""Who may call what."""

import re
from uuid import uuid4

import pytest

from apps.api.oms.urls import calls
from apps.audit.models import AuditEntry
from apps.core.actor import system
from apps.crews import services as crews
from apps.crews.rules import CrewType, Profile

EVENT = {
    "event_type": "outage",
    "source_type": "operator",
    "source_event_id": "role-1",
    "timestamp": "2026-11-21T11:00:00Z",
    "device_id": "CB-2",
}
WATCH = {"operator", "engineer", "ops_manager", "admin"}
OPERATE = {"operator", "ops_manager", "admin"}
CALLS = [
    ("GET", "statistics", None, WATCH),
    ("GET", "outages", None, WATCH | {"crew"}),
    ("GET", "outages/{outage}", None, WATCH),
    ("GET", "crews", None, WATCH),
    ("GET", "notifications", None, OPERATE),
    ("GET", "events", None, WATCH),
    ("PUT", "outages/{outage}/status", {"status": "confirmed"}, WATCH),
    (
        "POST",
        "outages/{outage}/crew",
        {"crew_name": "A", "crew_type": "line_crew"},
        OPERATE,
    ),
    (
        "POST",
        "outages/{outage}/notify",
        {"notification_type": "sms", "message": "Soon."},
        OPERATE,
    ),
    ("GET", "verifications", None, WATCH),
    ("POST", "outages/{outage}/verify", {}, WATCH),
    ("POST", "events/correlate", EVENT, OPERATE),
    ("POST", "events/correlate/batch", {"events": [EVENT]}, OPERATE),
    ("POST", "events/correlate/batch", {"events": [{}]}, OPERATE),
]


def call(caller, method, path, body):
    if method == "GET":
        return caller.get(path)
    return caller.post(path, body) if method == "POST" else caller.put(path, body)


def test_each_role_may_what_it_should(opened, person, role):
    outage_id, caller = opened(), person(role)
    for method, path, body, allowed in CALLS:
        answer = call(caller, method, path.format(outage=outage_id), body)
        if role in allowed:
            assert answer.status_code < 300, (path, answer.content)
        else:
            # What a crew was never sent to does not exist for it.
            hidden = role == "crew" and "{outage}" in path
            assert answer.status_code == (404 if hidden else 403), (path, answer.content)


def test_a_stranger_may_nothing(opened, stranger):
    outage_id = opened()
    calls = [*CALLS, ("PUT", f"crews/{uuid4()}/status", {"status": "on_site"}, set())]
    for method, path, body, _ in calls:
        answer = call(stranger, method, path.format(outage=outage_id), body)
        assert answer.status_code == 401, path
        assert answer["WWW-Authenticate"].startswith("Bearer")
        assert answer.json()["error_code"] == "UNAUTHORIZED"


@pytest.mark.parametrize("token", ["oms_nobody", "x", "Bearer", "a.b.c", "é"])
def test_a_token_that_is_none_is_refused(stranger, token):
    stranger.headers = {"Authorization": f"Bearer {token}"}
    assert stranger.get("statistics").status_code == 401


@pytest.mark.parametrize(
    ("scopes", "good", "bad"),
    [
        (["events:write"], ["events/correlate", "verifications"], ["outages", "events"]),
        (["events:read"], ["events"], ["outages", "events/correlate"]),
        (["outages:read"], ["outages", "crews", "notifications"], ["events"]),
        (
            ["readings:write", "act_for_users"],
            [],
            ["outages", "events", "events/correlate"],
        ),
    ],
)
def test_a_machine_may_what_its_scopes_say(city, machine, scopes, good, bad):
    caller = machine(*scopes)

    def status(path):
        posts = path == "events/correlate"
        return (caller.post(path, EVENT) if posts else caller.get(path)).status_code

    assert {status(path) for path in good} <= {200, 201}
    assert {status(path) for path in bad} == {403}


def test_a_machine_that_only_reads_changes_nothing(oms, opened, machine):
    outage_id, reader = opened(), machine("outages:read", "events:read")
    place = f"outages/{outage_id}"
    assert reader.put(f"{place}/status", {"status": "confirmed"}).status_code == 403
    crew = {"crew_name": "A", "crew_type": "line_crew"}
    assert reader.post(f"{place}/crew", crew).status_code == 403
    notice = {"notification_type": "sms", "message": "Soon."}
    assert reader.post(f"{place}/notify", notice).status_code == 403
    assert oms.get(place).json()["outage"]["status"] == "detected"


@pytest.fixture
def mike(person, clock):
    """A person of the crew Alpha."""
    caller = person("crew", "mike")
    made = crews.create_crew(
        profile=Profile(name="Alpha", crew_type=CrewType.LINE_CREW),
        by=system("test"),
        at=clock.at,
    )
    crews.join_crew(crew_id=made.id, user_id=caller.user.id, by=system("test"), at=clock.at)
    return caller


def test_a_crew_sees_and_works_what_it_is_sent_to(oms, opened, mike):
    own, foreign = opened(1), opened(2, device_id="CB-2")
    mine = oms.post(f"outages/{own}/crew", {"crew_name": "Alpha", "crew_type": "line_crew"})
    theirs = oms.post(
        f"outages/{foreign}/crew", {"crew_name": "Beta", "crew_type": "line_crew"}
    )
    assert [row["id"] for row in mike.get("outages").json()["outages"]] == [own]
    assert mike.get("outages").json()["total"] == 1
    assert mike.get(f"outages/{own}").status_code == 200
    assert mike.get(f"outages/{foreign}").status_code == 404
    step = {"status": "on_site", "notes": "Here"}
    place = f"crews/{mine.json()['assignment_id']}/status"
    assert mike.put(place, step).status_code == 200
    assert (
        mike.put(f"crews/{theirs.json()['assignment_id']}/status", step).status_code == 404
    )
    assert mike.put(f"outages/{own}/status", {"status": "restored"}).status_code == 403
    timeline = oms.get(f"outages/{own}").json()["timeline"]
    assert any(e["by"] == "mike" and "Here" in e["text"] for e in timeline)


def ways(view, *wanted):
    """Return those of the methods that the view answers."""
    return [name for name in wanted if hasattr(view.view_class, name.lower())]


# Every call there is, also those that will be: what is read, and what is written.
READS = [(m, str(c.pattern)) for c in calls for m in ways(c.callback, "GET")]
WRITES = [
    (m, str(c.pattern))
    for c in calls
    for m in ways(c.callback, "POST", "PUT", "PATCH", "DELETE")
]
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
WRONG = {
    "no body": (b"", JSON, {}),
    "no JSON": (b"{", JSON, {}),
    "no UTF-8": (b"\xff", JSON, {}),
    "a list": (b"[]", JSON, {}),
    "nothing in it": (b"{}", JSON, {}),
    "a key twice": (b'{"status": 1, "status": 2}', JSON, {}),
    "too deep": (b"[" * 99 + b"]" * 99, JSON, {}),
    "wrong types": (
        b'{"status": [], "events": 1, "message": {}, "crew_name": 1}',
        JSON,
        {},
    ),
    "a form": (b"a=1", FORM, {}),
    "an impossible key": (b"{}", JSON, {"Idempotency_Key": "x" * 300}),
}
STRANGERS = {"nobody": {}, "a false token": {"Authorization": "Bearer oms_nobody"}}


def test_there_are_calls():
    assert len(READS) >= 7
    assert len(WRITES) >= 8


@pytest.mark.parametrize("why", WRONG)
def test_who_is_asked_before_what_was_sent_is_looked_at(
    many_calls, opened, person, stranger, why
):
    raw, kind, headers = WRONG[why]
    places = {"outage_id": opened()}
    customer = person("user")
    for method, pattern in WRITES:
        path = filled(pattern, places)
        assert customer.send(method, path, raw, kind, **headers).status_code == 403, path
        for stranger.headers in STRANGERS.values():
            assert stranger.send(method, path, raw, kind, **headers).status_code == 401, (
                path
            )


def test_who_is_asked_before_the_query_is_looked_at(many_calls, opened, person, stranger):
    places = {"outage_id": opened()}
    customer = person("user")
    for method, pattern in READS:
        for query in ("limit=x", "status=exploded", "since=soon", "a=%00"):
            path = f"{filled(pattern, places)}?{query}"
            assert customer.call(method, path).status_code == 403, path
            for stranger.headers in STRANGERS.values():
                assert stranger.call(method, path).status_code == 401, path


def test_a_crew_learns_nothing_of_other_outages_by_wrong_bodies(opened, person):
    place, crew = f"outages/{opened()}", person("crew")
    for path in (place, f"outages/{uuid4()}"):
        answers = [crew.send("PUT", f"{path}/status", b"{")]
        answers += [
            crew.send("POST", f"{path}/{what}", b"{")
            for what in ("crew", "notify", "verify")
        ]
        assert [answer.status_code for answer in answers] == [404] * 4


@pytest.mark.usefixtures("empty_trail")
def test_a_denial_is_on_the_trail_once(opened, person):
    opened()
    person("user").send("POST", "events/correlate", b"{")
    denied = AuditEntry.objects.filter(action="access_denied")
    assert [(e.resource_id, e.actor_label) for e in denied] == [
        ("outages.report_event", "user")
    ]


def filled(pattern, places):
    """Return the path with the places in it; what none is named for gets an id of nobody."""
    return re.sub(r"<str:(\w+)>", lambda m: places.get(m[1]) or str(uuid4()), pattern)
