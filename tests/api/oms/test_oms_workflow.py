"""Every command of the printed contract, in its order, against the real services."""

from uuid import UUID

import pytest

EVENT = {
    "event_type": "outage",
    "source_type": "scada",
    "source_event_id": "scada_001",
    "timestamp": "2025-09-25T15:30:00Z",
    "latitude": 31.9454,
    "longitude": 35.9284,
    "correlation_params": {"spatial_radius_meters": 500, "temporal_window_minutes": 15},
}
ROW = {
    "id",
    "number",
    "event_id",
    "status",
    "severity",
    "confidence_score",
    "affected_customers_count",
    "first_detected_at",
    "estimated_restoration_time",
    "substation_name",
    "feeder_name",
    "device_id",
    "device_name",
    "latitude",
    "longitude",
    "source_count",
    "source_types",
}
RECEIPT = {
    "event_id",
    "outage_id",
    "outage_event_id",
    "created",
    "duplicate",
    "matched_by",
    "confidence_score",
}
ASSIGNMENT = {
    "assignment_id",
    "crew_name",
    "crew_type",
    "status",
    "assigned_at",
    "message",
}


def test_the_complete_workflow(oms):
    outage_id = detect(oms)
    find(oms, outage_id)
    confirm(oms, outage_id)
    assignment_id = send_crew(oms, outage_id)
    tell(oms, outage_id, "Power outage detected. Crew dispatched. ETA: 1 hour.")
    work(oms, assignment_id)
    restore(oms, outage_id)
    tell(
        oms, outage_id, "Power has been restored to your area. Thank you for your patience."
    )
    history(oms)
    look_back(oms, outage_id)


def detect(oms):
    answer = oms.post("events/correlate", EVENT)
    receipt = answer.json()
    assert answer.status_code == 201
    assert set(receipt) == RECEIPT
    assert UUID(receipt["event_id"])
    assert UUID(receipt["outage_id"])
    assert receipt["outage_event_id"] == receipt["outage_id"]
    assert receipt["created"] is True
    assert receipt["duplicate"] is False
    assert receipt["matched_by"] == "new"
    assert receipt["confidence_score"] == 0.5
    again = oms.post("events/correlate", EVENT)
    assert again.status_code == 200
    assert again.json() == {
        **receipt,
        "created": False,
        "duplicate": True,
        "matched_by": "duplicate",
    }
    return receipt["outage_id"]


def find(oms, outage_id):
    body = oms.get("outages").json()
    assert set(body) == {"outages", "total"}
    assert body["total"] == 1
    (row,) = body["outages"]
    assert set(row) == ROW
    assert row["id"] == outage_id
    assert row["number"].startswith("OUT")
    assert row["status"] == "detected"
    assert row["first_detected_at"] == "2025-09-25T15:30:00Z"
    assert (row["latitude"], row["longitude"]) == (31.9454, 35.9284)
    assert (row["source_count"], row["source_types"]) == (1, ["scada"])
    figures = oms.get("statistics").json()
    assert figures["active_outages"] == 1
    assert figures["by_status"] == {
        "detected": 1,
        "confirmed": 0,
        "in_progress": 0,
        "restored": 0,
        "cancelled": 0,
    }
    assert set(figures["by_severity"]) == {"critical", "high", "medium", "low"}
    assert figures["source_stats"] == [{"type": "scada", "count": 1}]
    assert set(figures) == {
        "active_outages",
        "total_affected_customers",
        "high_confidence_outages",
        "source_stats",
        "by_status",
        "by_severity",
        "crews",
        "backlog",
        "last_updated",
    }


def confirm(oms, outage_id):
    answer = oms.put(
        f"outages/{outage_id}/status",
        {
            "status": "confirmed",
            "notes": "Field crew confirmed transformer failure",
            "updated_by": "operator_john",
        },
    )
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"outage_id", "status", "updated_at", "message"}
    assert (body["outage_id"], body["status"]) == (outage_id, "confirmed")


def send_crew(oms, outage_id):
    answer = oms.post(
        f"outages/{outage_id}/crew",
        {
            "crew_name": "Line Crew Alpha",
            "crew_type": "line_crew",
            "estimated_arrival_time": "2025-09-25T16:30:00Z",
            "notes": "Crew equipped with bucket truck and transformer tools",
        },
    )
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == ASSIGNMENT
    assert (body["crew_name"], body["crew_type"]) == ("Line Crew Alpha", "line_crew")
    assert body["status"] == "assigned"
    crews = oms.get("crews").json()
    assert set(crews) == {"active_crews", "total_active_crews", "available_crews"}
    assert crews["total_active_crews"] == 1
    (active,) = crews["active_crews"]
    assert active["assignment_id"] == body["assignment_id"]
    assert active["outage_id"] == outage_id
    assert active["estimated_arrival_time"] == "2025-09-25T16:30:00Z"
    return body["assignment_id"]


def tell(oms, outage_id, message):
    answer = oms.post(
        f"outages/{outage_id}/notify",
        {
            "notification_type": "sms",
            "message": message,
            "customer_ids": ["customer_123", "customer_456", "customer_000"],
            "estimated_restoration_time": "2025-09-25T18:00:00Z",
        },
    )
    assert answer.status_code == 202
    body = answer.json()
    assert set(body) == {
        "notification_id",
        "notification_type",
        "customers_notified",
        "status",
        "message",
        "unknown",
    }
    assert body["customers_notified"] == 2
    assert body["unknown"] == ["customer_000"]


def work(oms, assignment_id):
    arrived = oms.put(
        f"crews/{assignment_id}/status",
        {
            "status": "on_site",
            "notes": "Arrived at site, beginning assessment",
            "updated_by": "crew_leader_mike",
        },
    )
    assert arrived.status_code == 200
    assert set(arrived.json()) == ASSIGNMENT
    assert arrived.json()["status"] == "on_site"
    done = oms.put(
        f"crews/{assignment_id}/status",
        {"status": "work_completed", "updated_by": "crew_leader"},
    )
    assert done.json()["status"] == "work_completed"
    assert oms.get("crews").json()["total_active_crews"] == 0


def restore(oms, outage_id):
    answer = oms.put(
        f"outages/{outage_id}/status", {"status": "restored", "updated_by": "operator"}
    )
    assert answer.status_code == 200
    assert oms.get("outages").json() == {"outages": [], "total": 0}
    listed = oms.get("outages", status="restored").json()
    assert [row["id"] for row in listed["outages"]] == [outage_id]


def history(oms):
    body = oms.get("notifications", limit=1, offset=0).json()
    assert set(body) == {"notifications", "total", "limit", "offset"}
    assert (body["total"], body["limit"], body["offset"]) == (2, 1, 0)
    (last,) = body["notifications"]
    assert last["message"].startswith("Power has been restored")
    assert last["customers_notified"] == 2
    assert last["unknown"] == ["customer_000"]


def look_back(oms, outage_id):
    body = oms.get(f"outages/{outage_id}").json()
    assert set(body) == {"outage", "sources", "crews", "timeline", "topology"}
    assert set(body["outage"]) >= ROW
    assert [event["source_event_id"] for event in body["sources"]] == ["scada_001"]
    assert [crew["status"] for crew in body["crews"]] == ["work_completed"]
    assert set(body["topology"]) == {"substation", "feeder", "device", "downstream", "path"}
    entries = body["timeline"]
    assert [entry["timestamp"] for entry in entries] == sorted(
        entry["timestamp"] for entry in entries
    )
    confirmed = next(entry for entry in entries if entry["kind"] == "confirmed")
    assert "Field crew confirmed transformer failure" in confirmed["text"]
    assert confirmed["by"] == "test machine"
    assert confirmed["on_behalf_of"] == "operator_john"
    kinds = [entry["kind"] for entry in entries]
    assert {"confirmed", "in_progress", "restored", "notice"} <= set(kinds)


def test_an_outage_on_the_network_says_where_it_is(oms, opened):
    outage_id = opened()
    body = oms.get(f"outages/{outage_id}").json()
    assert body["outage"]["device_id"] == "CB-1"
    assert body["outage"]["feeder_name"] == "Feeder One"
    assert body["outage"]["substation_name"] == "Alpha"
    assert body["outage"]["region"] == "north"
    assert body["outage"]["affected_customers_count"] == 2
    assert body["topology"] == {
        "substation": "Alpha",
        "feeder": "Feeder One",
        "device": "CB-1",
        "downstream": {"transformers": 2, "customers": 2},
        "path": ["CB-1"],
    }
    (row,) = oms.get("outages").json()["outages"]
    assert (row["device_id"], row["device_name"]) == ("CB-1", "CB-1")


def test_an_outage_is_named_by_its_number_too(oms, opened):
    outage_id = opened()
    number = oms.get(f"outages/{outage_id}").json()["outage"]["number"]
    assert oms.get(f"outages/{number}").json()["outage"]["id"] == outage_id
    moved = oms.put(f"outages/{number}/status", {"status": "confirmed"})
    assert moved.json()["outage_id"] == outage_id
    sent = oms.post(
        f"outages/{number}/crew", {"crew_name": "Alpha", "crew_type": "tree_crew"}
    )
    assert sent.status_code == 201
    told = oms.post(
        f"outages/{number}/notify", {"notification_type": "email", "message": "Soon."}
    )
    assert told.status_code == 202
    assert told.json()["customers_notified"] == 2
    assert told.json()["unknown"] == []


def test_a_word_of_who_it_is_for_counts_only_from_a_trusted_machine(
    oms, opened, machine, person
):
    trusted, plain = opened(1), opened(2, device_id="CB-2")
    step = {"status": "confirmed", "notes": "Seen", "updated_by": "operator_john"}
    assert oms.put(f"outages/{trusted}/status", step).status_code == 200
    untrusted = machine("outages:read", "outages:write")
    assert untrusted.put(f"outages/{plain}/status", step).status_code == 200
    operator = person("operator")
    started = operator.put(
        f"outages/{plain}/status", {"status": "in_progress", "updated_by": "the_mayor"}
    )
    assert started.status_code == 200

    def entry(outage_id, kind):
        timeline = oms.get(f"outages/{outage_id}").json()["timeline"]
        return next(found for found in timeline if found["kind"] == kind)

    assert entry(trusted, "confirmed")["on_behalf_of"] == "operator_john"
    assert "operator_john" not in entry(trusted, "confirmed")["text"]
    assert entry(plain, "confirmed")["on_behalf_of"] is None
    assert "(updated_by operator_john)" in entry(plain, "confirmed")["text"]
    assert entry(plain, "in_progress")["by"] == "operator"
    assert entry(plain, "in_progress")["on_behalf_of"] is None
    assert "(updated_by the_mayor)" in entry(plain, "in_progress")["text"]


def test_steps_go_forward_only(oms, opened):
    outage_id = opened()
    place = f"outages/{outage_id}/status"
    assert oms.put(place, {"status": "in_progress"}).status_code == 200
    back = oms.put(place, {"status": "confirmed"})
    assert back.status_code == 409
    assert back.json()["error_code"] == "CONFLICT"
    unheard = oms.put(place, {"status": "exploded"})
    assert unheard.status_code == 422
    assert "exploded" in unheard.json()["detail"]
    assert oms.put(place, {"status": "cancelled"}).status_code == 200
    assert oms.put(place, {"status": "restored"}).status_code == 409
    body = oms.get(f"outages/{outage_id}").json()
    assert body["outage"]["status"] == "cancelled"
    assert [e["kind"] for e in body["timeline"]].count("confirmed") == 0


def test_a_crew_goes_forward_only(oms, opened):
    sent = oms.post(
        f"outages/{opened()}/crew", {"crew_name": "Alpha", "crew_type": "line_crew"}
    )
    place = f"crews/{sent.json()['assignment_id']}/status"
    assert oms.put(place, {"status": "on_site"}).status_code == 200
    assert oms.put(place, {"status": "en_route"}).status_code == 409
    assert oms.put(place, {"status": "asleep"}).status_code == 422
    assert oms.put(place, {"status": "cancelled"}).status_code == 422
    assert oms.get("crews").json()["active_crews"][0]["status"] == "on_site"


def test_the_same_key_is_one_effect(oms, opened):
    place = f"outages/{opened()}/crew"
    body = {"crew_name": "Alpha", "crew_type": "line_crew"}
    first = oms.post(place, body, Idempotency_Key="k-1")
    again = oms.post(place, body, Idempotency_Key="k-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert oms.get("crews").json()["total_active_crews"] == 1
    other = oms.post(place, {**body, "crew_name": "Beta"}, Idempotency_Key="k-1")
    assert other.status_code == 422


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [2, 1]),
        ({"limit": 1}, [2]),
        ({"limit": 1, "offset": 1}, [1]),
        ({"status": "confirmed"}, [1]),
        ({"status": ["confirmed", "detected"]}, [2, 1]),
        ({"region": "north"}, [2, 1]),
        ({"region": "south"}, []),
        ({"status": "restored"}, []),
    ],
)
def test_the_list_is_narrowed(oms, opened, query, numbers):
    ids = {
        1: opened(1, timestamp="2026-11-21T11:00:00Z"),
        2: opened(2, timestamp="2026-11-21T11:40:00Z", device_id="CB-2"),
    }
    oms.put(f"outages/{ids[1]}/status", {"status": "confirmed"})
    body = oms.get("outages", **query).json()
    assert [row["id"] for row in body["outages"]] == [ids[n] for n in numbers]
    whole = {
        name: value for name, value in query.items() if name not in ("limit", "offset")
    }
    assert body["total"] == len(oms.get("outages", **whole).json()["outages"])
