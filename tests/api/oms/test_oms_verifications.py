"""Verifications over the wire: asked for, taken by a head-end, answered, shown."""

import pytest


@pytest.fixture
def asked(oms, opened):
    """Return a verification of the outage on CB-1, with meters meter-123 and meter-456."""
    answer = oms.post(f"outages/{opened()}/verify", {"updated_by": "olga"})
    assert answer.status_code == 201, answer.content
    return answer.json()


def answer(caller, row, **results):
    said = [
        {"meter_id": meter.replace("_", "-"), "result": result}
        for meter, result in results.items()
    ]
    return caller.post(f"verifications/{row['verification_id']}/answer", {"answers": said})


def test_a_head_end_takes_what_waits_and_answers_it(oms, asked, machine):
    head_end = machine("events:write")
    (row,) = head_end.get("verifications", state="pending").json()["verifications"]
    assert row == asked
    assert (row["asked"], row["reason"], row["device_id"]) == (2, "hand", "CB-1")
    assert [m["meter_id"] for m in row["meters"]] == ["meter-123", "meter-456"]
    taken = answer(head_end, row, meter_123="sent", meter_456="sent").json()
    assert taken["state"] == "sent"
    assert head_end.get("verifications", state="pending").json()["total"] == 0
    done = answer(head_end, row, meter_123="powered", meter_456="dark").json()
    assert (done["state"], done["powered"], done["dark"], done["silent"]) == (
        "complete",
        1,
        1,
        0,
    )
    assert done["completed_at"] is not None
    told = oms.get(f"outages/{row['outage_id']}").json()
    (shown,) = told["outage"]["verifications"]
    assert shown["powered"] == 1
    texts = [entry["text"] for entry in told["timeline"] if entry["kind"] == "verification"]
    assert texts[-1] == "Verification: 2 asked, 1 powered, 1 dark, 0 silent"
    assert {"ping_powered", "ping_dark"} <= {s["event_type"] for s in told["sources"]}


def test_it_is_asked_for_once_at_a_time(oms, asked):
    again = oms.post(f"outages/{asked['outage_id']}/verify", {})
    assert again.status_code == 409


def test_who_answers_too_late_is_told(oms, asked):
    answer(oms, asked, meter_123="powered", meter_456="powered")
    late = answer(oms, asked, meter_123="dark")
    assert late.status_code == 409


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"answers": []},
        {"answers": "x"},
        {"answers": [{"meter_id": "meter-123"}]},
        {"answers": [{"meter_id": "meter-123", "result": "perhaps"}]},
        {"answers": [{"meter_id": "meter-789", "result": "dark"}]},
        {"answers": [{"meter_id": "meter-123", "result": "dark", "timestamp": "now"}]},
        {"answers": [{"meter_id": "meter-123", "result": "dark"}] * 201},
    ],
    ids=str,
)
def test_what_is_no_answer_is_refused(oms, asked, wrong):
    refused = oms.post(f"verifications/{asked['verification_id']}/answer", wrong)
    assert refused.status_code == 400
    (row,) = oms.get("verifications").json()["verifications"]
    assert row == asked


@pytest.mark.parametrize("name", ["x", "631a3157-7841-49b8-b020-ae3b8cd8e206"])
def test_what_nobody_asked_is_not_found(oms, asked, name):
    said = {"answers": [{"meter_id": "meter-123", "result": "dark"}]}
    assert oms.post(f"verifications/{name}/answer", said).status_code == 404


def test_a_page_says_how_many_there_are(oms, asked):
    body = oms.get("verifications", limit=1, offset=1).json()
    assert body == {"verifications": [], "total": 1, "limit": 1, "offset": 1}
    assert oms.get("verifications", state="perhaps").status_code == 400


def test_only_who_may_ask_and_answer_does(asked, machine):
    reader, writer = machine("outages:read"), machine("events:read")
    assert reader.get("verifications").json()["total"] == 1
    assert answer(reader, asked, meter_123="dark").status_code == 403
    assert reader.post(f"outages/{asked['outage_id']}/verify", {}).status_code == 403
    assert writer.get("verifications").status_code == 403
