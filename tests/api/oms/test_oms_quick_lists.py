"""The quick encoders say exactly what the typed serializers say."""

import json
from datetime import UTC, datetime

from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.api.oms import quick, receipts
from apps.api.oms.serializers import BatchOut, EventOut, OutageRowOut, ReceiptOut
from apps.core.actor import system
from apps.outages import selectors

viewer = system("test")


def test_the_list_of_outages_is_the_serializers(oms, opened):
    opened(1)
    opened(2, device_id="CB-2", timestamp="2026-11-21T11:30:00.123456Z")
    opened(3, device_id=None, latitude=10.5, longitude=-20.25, source_type="kaifa")
    rows = selectors.open_outages(viewer=viewer)
    quickly = json.loads(quick.page_bytes(rows, limit=50, offset=0, total=3))
    typed = json.loads(json.dumps(OutageRowOut(rows, many=True).data, default=str))
    assert quickly == {"outages": typed, "total": 3}


def test_the_list_of_events_is_the_serializers(oms, opened):
    opened(1)
    opened(2, device_id=None, latitude=10.5, longitude=-20.25, source_type="kaifa")
    rows = selectors.events(viewer=viewer)
    quickly = json.loads(quick.events_bytes(rows, limit=50, offset=0, total=2))
    typed = json.loads(json.dumps(EventOut(rows, many=True).data, default=str))
    assert quickly["events"] == typed
    assert len(typed) == 2


def test_a_page_costs_two_statements(oms, opened):
    for number in range(1, 4):
        opened(number, device_id=None, latitude=10.0 + number, longitude=5)
    oms.get("outages")
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert len(oms.get("outages").json()["outages"]) == 3
    assert len([q for q in asked if "outages_outage" in q["sql"]]) == 2


class Receipt:
    event_id = "0193c0de-0000-7000-8000-000000000001"
    outage_id = None
    created = False
    duplicate = False
    matched_by = None
    confidence_score = None


def test_receipts_are_what_the_serializers_describe():
    body = receipts.receipt_body(Receipt())
    assert dict(ReceiptOut(body).data) == body
    items = [
        receipts.item_body(0, Receipt()),
        receipts.refused_item_body(1, "No.", {"timestamp": "When?", "phone": "Whose?"}),
        receipts.refused_item_body(2, "An event is an object.", {"": "x"}),
    ]
    batch = receipts.batch_body(items)
    assert batch["results"][1]["error"] == "timestamp: When?; phone: Whose?"
    assert batch["results"][2]["error"] == "An event is an object."
    assert (batch["accepted"], batch["duplicates"], batch["rejected"]) == (1, 0, 2)
    assert json.loads(json.dumps(BatchOut(batch).data)) == batch


def test_times_are_written_alike():
    for moment in (
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        datetime(2026, 1, 2, 3, 4, 5, 60, tzinfo=UTC),
    ):
        (row,) = quick.row_bodies([_columns(moment)])
        written = json.loads(quick.orjson.dumps(row, option=quick._OPTIONS))
        assert written["first_detected_at"] == quick_time(moment)


def quick_time(moment):
    return moment.isoformat().replace("+00:00", "Z")


def _columns(moment):
    return (
        "0193c0de-0000-7000-8000-000000000001",
        7,
        None,
        "detected",
        "low",
        0.5,
        3,
        moment,
        None,
        "",
        "",
        "",
        None,
        None,
        {"scada": 1},
    )
