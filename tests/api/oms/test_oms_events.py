"""Events in, one and many, and the list of what came in."""

import pytest

ITEM = {"index", "event_id", "outage_id", "created", "duplicate", "matched_by"}


def event(number, **fields):
    return {
        "event_type": "outage",
        "source_type": "scada",
        "source_event_id": f"e-{number}",
        "timestamp": f"2026-11-21T11:{number % 60:02d}:00Z",
        "device_id": "CB-1",
    } | fields


def test_a_batch_answers_each_event_in_its_order(oms):
    answer = oms.post(
        "events/correlate/batch",
        {
            "events": [
                event(1),
                event(2, timestamp="yesterday"),
                event(1),
                "no event",
                event(3, source_type="smart_meter", event_type="last_gasp")
                | {"device_id": None, "meter_id": "meter-123"},
                event(4, source_type="gossip"),
                event(5, device_id="CB-2"),
            ]
        },
    )
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"results", "accepted", "duplicates", "rejected"}
    assert (body["accepted"], body["duplicates"], body["rejected"]) == (3, 1, 3)
    results = body["results"]
    assert [item["index"] for item in results] == list(range(7))
    assert [set(item) - ITEM for item in results] == [
        set(),
        {"error"},
        set(),
        {"error"},
        set(),
        {"error"},
        set(),
    ]
    assert "timestamp" in results[1]["error"]
    assert "source_type" in results[5]["error"]
    assert results[0]["created"] is True
    assert results[2] == {
        **results[0],
        "index": 2,
        "created": False,
        "duplicate": True,
        "matched_by": "duplicate",
    }
    assert results[4]["outage_id"] == results[0]["outage_id"]
    assert results[4]["matched_by"] == "topology"
    assert results[6]["outage_id"] != results[0]["outage_id"]
    assert oms.get("outages").json()["total"] == 2
    assert oms.get("events").json()["total"] == 3


def test_the_same_batch_again_changes_nothing(oms):
    batch = {"events": [event(n) for n in range(1, 20)]}
    first = oms.post("events/correlate/batch", batch).json()
    before = oms.get("outages").json()
    again = oms.post("events/correlate/batch", batch).json()
    assert (again["accepted"], again["duplicates"]) == (0, 19)
    assert [i["event_id"] for i in again["results"]] == [
        i["event_id"] for i in first["results"]
    ]
    assert oms.get("outages").json() == before


def test_a_batch_of_only_bad_events_is_answered(oms):
    body = oms.post("events/correlate/batch", {"events": [{}, [], None]}).json()
    assert (body["accepted"], body["duplicates"], body["rejected"]) == (0, 0, 3)
    assert oms.get("events").json()["total"] == 0


def test_an_empty_batch_is_answered(oms):
    body = oms.post("events/correlate/batch", {"events": []}).json()
    assert body == {"results": [], "accepted": 0, "duplicates": 0, "rejected": 0}


def test_a_batch_is_bounded(oms):
    answer = oms.post("events/correlate/batch", {"events": [{}] * 5_001})
    assert answer.status_code == 400
    assert "events" in answer.json()["error"]["details"]
    assert oms.post("events/correlate/batch", {"events": [{}] * 5_000}).status_code == 200


@pytest.mark.parametrize("body", [{}, [], {"events": {}}, {"events": None}, "x", 1, None])
def test_a_batch_that_is_none_is_refused(oms, body):
    answer = oms.post("events/correlate/batch", body)
    assert answer.status_code == 400
    assert "events" in answer.json()["error"]["details"]


def test_what_says_nothing_about_power_opens_nothing(oms):
    answer = oms.post("events/correlate", event(1, event_type="comm_fail"))
    assert answer.status_code == 200
    receipt = answer.json()
    assert receipt["outage_id"] is None
    assert receipt["outage_event_id"] is None
    assert receipt["created"] is False
    assert oms.get("outages").json()["total"] == 0
    (listed,) = oms.get("events").json()["events"]
    assert (listed["disposition"], listed["outage_id"]) == ("ignored", None)


def test_what_nobody_knows_is_kept_unresolved(oms):
    answer = oms.post("events/correlate", event(1, device_id="atlantis"))
    assert answer.status_code == 200
    assert answer.json()["outage_id"] is None
    body = oms.get("events", disposition="unresolved").json()
    assert body["total"] == 1
    (listed,) = body["events"]
    assert listed == {
        "event_id": answer.json()["event_id"],
        "source_type": "scada",
        "source_event_id": "e-1",
        "event_type": "outage",
        "timestamp": "2026-11-21T11:01:00Z",
        "received_at": listed["received_at"],
        "meter_id": None,
        "device_id": listed["device_id"],
        "outage_id": None,
        "disposition": "unresolved",
    }


def test_kaifa_is_a_smart_meter(oms):
    told = event(1, source_type="kaifa", event_type="last_gasp", device_id=None)
    assert oms.post("events/correlate", told | {"meter_id": "meter-123"}).status_code == 201
    (listed,) = oms.get("events").json()["events"]
    assert (listed["source_type"], listed["meter_id"]) == ("smart_meter", "meter-123")


def test_the_list_of_events_is_narrowed_and_paged(oms):
    oms.post(
        "events/correlate/batch",
        {"events": [event(n, source_type="crew" if n % 2 else "scada") for n in range(10)]},
    )
    body = oms.get("events", limit=3, offset=2).json()
    assert set(body) == {"events", "total", "limit", "offset"}
    assert (body["total"], body["limit"], body["offset"]) == (10, 3, 2)
    assert [e["source_event_id"] for e in body["events"]] == ["e-2", "e-3", "e-4"]
    period = {"since": "2026-11-21T11:04:00Z", "until": "2026-11-21T11:06:00Z"}
    within = oms.get("events", **period).json()
    assert [e["source_event_id"] for e in within["events"]] == ["e-4", "e-5"]
    zoned = oms.get("events", since="2026-11-21T14:08:00+03:00").json()
    assert [e["source_event_id"] for e in zoned["events"]] == ["e-8", "e-9"]
    crews = oms.get("events", source_type="crew").json()
    assert crews["total"] == 5
    both = oms.get("events", source_type=["crew", "scada"], disposition="outage").json()
    assert both["total"] == 10
    both = oms.get("events", source_type=["kaifa", "smart_meter"]).json()
    assert both["total"] == 0
    oms.post("events/correlate", event(11, source_type="kaifa", event_type="last_gasp"))
    for word in ("kaifa", "smart_meter"):
        found = oms.get("events", source_type=word).json()["events"]
        assert [e["source_event_id"] for e in found] == ["e-11"]
    assert oms.get("events", limit=5000).status_code == 200
    assert oms.get("events", limit=5001).status_code == 400


def test_every_accepted_event_is_listed_once_with_its_outage(oms, opened):
    first = opened(1, timestamp="2026-11-21T11:00:00Z")
    other = opened(2, timestamp="2026-11-21T11:00:30Z", device_id="CB-2")
    oms.post("events/correlate", event(3, event_type="comm_fail"))
    listed = {e["source_event_id"]: e for e in oms.get("events").json()["events"]}
    assert set(listed) == {"scada_001", "scada_002", "e-3"}
    assert listed["scada_001"]["outage_id"] == first
    assert listed["scada_002"]["outage_id"] == other
    assert listed["scada_001"]["device_id"] == "CB-1"
    assert listed["e-3"]["outage_id"] is None
