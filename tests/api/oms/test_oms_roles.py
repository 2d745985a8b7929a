"""Who may call what."""

from uuid import uuid4

import pytest

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
