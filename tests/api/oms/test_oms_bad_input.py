"""Input that nobody should send, at every call: refused, named, and nothing half-written."""

import json
from uuid import uuid4

import pytest

EVENT = {
    "event_type": "outage",
    "source_type": "scada",
    "source_event_id": "e-1",
    "timestamp": "2026-11-21T11:00:00Z",
    "device_id": "CB-1",
}
CREW = {"crew_name": "Alpha", "crew_type": "line_crew"}
NOTICE = {"notification_type": "sms", "message": "Soon."}
STEP = {"status": "confirmed"}
CALLS = {
    "correlate": ("POST", "events/correlate", EVENT),
    "batch": ("POST", "events/correlate/batch", {"events": []}),
    "status": ("PUT", "outages/{outage}/status", STEP),
    "crew": ("POST", "outages/{outage}/crew", CREW),
    "notify": ("POST", "outages/{outage}/notify", NOTICE),
    "assignment": ("PUT", "crews/{assignment}/status", {"status": "en_route"}),
}
LISTS = ("outages", "notifications", "events")
RAW = {
    "empty": b"",
    "no json": b"{",
    "an array": b"[]",
    "a number": b"1",
    "null": b"null",
    "a text": b'"x"',
    "not a number": b'{"status": NaN}',
    "infinity": b'{"status": Infinity}',
    "no utf-8": b'{"status": "\xff"}',
    "utf-16": '{"status": "x"}'.encode("utf-16"),
    "a key twice": b'{"status": "confirmed", "status": "restored"}',
    "deep array": b"[" * 100_000 + b"]" * 100_000,
    "deep object": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a NUL": b'{"status": "\\u0000"}',
    "half a character": b'{"status": "\\ud800"}',
    "an endless number": b'{"status": ' + b"9" * 5_000 + b"}",
    "a huge number": b'{"status": 1e999}',
}


@pytest.fixture
def scene(oms, opened):
    """Return the caller and the ids by which the calls are completed."""
    outage_id = opened(99)
    sent = oms.post(
        f"outages/{outage_id}/crew", {"crew_name": "X", "crew_type": "tree_crew"}
    )
    ids = {"outage": outage_id, "assignment": sent.json()["assignment_id"]}
    return oms, ids


def everything(oms, ids):
    """Return all that may not change when a call is refused."""
    shown = oms.get(f"outages/{ids['outage']}").json()
    lists = [oms.get(path).json() for path in (*LISTS, "crews")]
    return json.dumps([shown, *lists], sort_keys=True)


@pytest.fixture
def unchanged(scene):
    """Fail where a test changed anything that can be seen."""
    before = everything(*scene)
    yield
    assert everything(*scene) == before


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("call", CALLS)
def test_a_body_that_is_none_is_refused(scene, call):
    oms, ids = scene
    method, path, body = CALLS[call]
    place = path.format(**ids)
    answers = {name: oms.send(method, place, raw) for name, raw in RAW.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(
        RAW, 400
    )
    assert {a.json()["error_code"] for a in answers.values()} == {"VALIDATION_ERROR"}
    huge = json.dumps({**body, "notes": "x" * 20_000_000})
    assert oms.send(method, place, huge).status_code == 413
    form = "application/x-www-form-urlencoded"
    assert oms.send(method, place, b"a=1", form).status_code == 415


TEXTS = (1, 1.5, True, [], {}, ["x"])
WRONG = [
    *(("correlate", name, None) for name in EVENT if name != "device_id"),
    *(("correlate", name, value) for name in EVENT for value in TEXTS),
    *(
        ("correlate", "timestamp", v)
        for v in ("2026-11-21T11:00:00", "2026-13-01", "soon", "")
    ),
    *(
        ("correlate", "timestamp", v)
        for v in ("1000-01-01T00:00:00Z", "9999-12-31T23:59:59Z")
    ),
    *(("correlate", "latitude", v) for v in ("1", 91, -91, True, [], 1e300)),
    *(("correlate", "longitude", v) for v in ("1", 181, -181, True, {})),
    ("correlate", "event_type", "meteor strike"),
    ("correlate", "source_type", "gossip"),
    ("correlate", "source_event_id", "x" * 201),
    ("correlate", "severity", "apocalyptic"),
    ("correlate", "description", "x" * 4_001),
    ("correlate", "metadata", []),
    ("correlate", "metadata", {"x": "y" * 70_000}),
    ("correlate", "correlation_params", []),
    ("correlate", "spatial_radius_meters", -1),
    ("correlate", "temporal_window_minutes", "5"),
    ("status", "status", None),
    *(("status", "status", value) for value in TEXTS),
    *(("status", "notes", value) for value in (*TEXTS, "x" * 1_701)),
    *(("status", "updated_by", value) for value in (*TEXTS, "x" * 201)),
    *(
        ("crew", name, value)
        for name in CREW
        for value in (None, *TEXTS, "", " ", "x" * 201)
    ),
    ("crew", "crew_type", "pirates"),
    *(
        ("crew", "estimated_arrival_time", value)
        for value in ("2025-09-25T16:30:00", "tomorrow", 1, [], "9999-12-31T23:59:59-23:59")
    ),
    ("crew", "notes", ["x"]),
    ("crew", "notes", "x" * 1_701),
    *(("notify", name, value) for name in NOTICE for value in (None, *TEXTS, "")),
    ("notify", "notification_type", "pigeon"),
    ("notify", "message", "x" * 1_601),
    *(
        ("notify", "customer_ids", value)
        for value in ("customer_123", {}, [], [1], [None], [""])
    ),
    ("notify", "customer_ids", ["x" * 201]),
    ("notify", "customer_ids", ["x"] * 10_001),
    ("notify", "estimated_restoration_time", "2025-09-25T18:00:00"),
    ("assignment", "status", None),
    *(("assignment", "status", value) for value in TEXTS),
    ("assignment", "notes", {}),
    ("assignment", "updated_by", 5),
]


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("call", sorted({call for call, _, _ in WRONG}))
def test_a_wrong_field_is_named_and_nothing_written(scene, call):
    oms, ids = scene
    method, path, body = CALLS[call]
    for _, name, value in (case for case in WRONG if case[0] == call):
        answer = oms.send(method, path.format(**ids), json.dumps({**body, name: value}))
        assert answer.status_code == 400, (name, value, answer.content)
        assert name in json.dumps(answer.json()["error"]["details"]), (name, value)


NEEDED = [
    *(("correlate", name) for name in EVENT if name != "device_id"),
    ("status", "status"),
    *(("crew", name) for name in CREW),
    *(("notify", name) for name in NOTICE),
    ("assignment", "status"),
]


@pytest.mark.usefixtures("unchanged")
def test_a_missing_field_is_named(scene):
    oms, ids = scene
    for call, name in NEEDED:
        method, path, body = CALLS[call]
        short = {key: value for key, value in body.items() if key != name}
        answer = oms.send(method, path.format(**ids), json.dumps(short))
        assert answer.status_code == 400, (call, name)
        assert name in json.dumps(answer.json()["error"]["details"]), (call, name)


def test_an_event_without_a_place_is_refused(oms):
    answer = oms.post("events/correlate", EVENT | {"device_id": None})
    assert answer.status_code == 400
    half = oms.post("events/correlate", EVENT | {"latitude": 31.9})
    assert half.status_code == 400
    assert "longitude" in half.json()["error"]["details"]


WINDOWS = [
    *(("limit", value) for value in ("abc", "", "0", "-1", "1.5", "99999", "9" * 2_000)),
    *(("limit", value) for value in ("\0", "\ud800")),
    *(("offset", value) for value in ("-1", "x", "99999999999999999999", "\0")),
]
FILTERS = [
    ("outages", "status", "exploded"),
    ("outages", "status", "\0"),
    ("outages", "severity", "7"),
    ("outages", "region", "\0"),
    ("outages", "region", "x" * 201),
    ("events", "since", "yesterday"),
    ("events", "since", "2026-11-21T11:00:00"),
    ("events", "until", "9999-12-31T23:59:59-23:59"),
    ("events", "until", "\0"),
    ("events", "disposition", "eaten"),
    ("events", "source_type", "gossip"),
]


def test_a_query_that_is_none_is_refused(oms):
    cases = [*((path, *case) for path in LISTS for case in WINDOWS), *FILTERS]
    for path, name, value in cases:
        answer = oms.call("GET", f"{path}?{name}={_quoted(value)}")
        assert answer.status_code == 400, (path, name, value)
        assert answer.json()["success"] is False


def _quoted(text):
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


NOBODYS = [
    str(uuid4()),
    "OUT999999",
    "OUT0",
    "OUT",
    "OUT" + "9" * 40,
    "out001",
    "x",
    "123e4567",
    "%00",
    "%F0%9F%94%8C",
    "%ff",
    "1' OR '1'='1",
    "x" * 2_000,
    "{}",
]


def test_what_nobody_has_is_not_found(oms):
    for key in NOBODYS:
        answers = (
            oms.get(f"outages/{key}"),
            oms.put(f"outages/{key}/status", STEP),
            oms.post(f"outages/{key}/crew", CREW),
            oms.post(f"outages/{key}/notify", NOTICE),
            oms.put(f"crews/{key}/status", {"status": "en_route"}),
        )
        assert [answer.status_code for answer in answers] == [404] * 5, key


def test_a_closed_outage_gets_no_crew(oms, opened):
    outage_id = opened()
    assert (
        oms.put(f"outages/{outage_id}/status", {"status": "cancelled"}).status_code == 200
    )
    assert oms.post(f"outages/{outage_id}/crew", CREW).status_code == 409
    assert oms.get("crews").json() == {
        "active_crews": [],
        "total_active_crews": 0,
        "available_crews": [],
    }


TEXTS_OF_NO_USE = ["a\0b", "\ud800"]


@pytest.mark.parametrize("key", [{}, {"Idempotency_Key": "one"}])
def test_a_text_that_cannot_be_stored_never_sinks_a_batch(oms, key):
    wrong = [
        *(EVENT | {"source_event_id": text} for text in TEXTS_OF_NO_USE),
        *(EVENT | {"metadata": {text: text}} for text in TEXTS_OF_NO_USE),
        *(EVENT | {"description": text} for text in TEXTS_OF_NO_USE),
        EVENT | {"event_type": "\ud800"},
        {"\ud800": "\0"},
    ]
    body = json.dumps({"events": [*wrong, EVENT]})
    answer = oms.send("POST", "events/correlate/batch", body, **key)
    assert answer.status_code == 200
    said = answer.json()
    assert (said["accepted"], said["rejected"]) == (1, len(wrong))
    assert ["error" in item for item in said["results"]] == [True] * len(wrong) + [False]


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("text", TEXTS_OF_NO_USE)
def test_a_text_that_cannot_be_stored_is_named(scene, text):
    oms, _ = scene
    for name in ("source_event_id", "event_type", "meter_id", "description", "severity"):
        body = json.dumps(EVENT | {name: text})
        answer = oms.send("POST", "events/correlate", body)
        assert answer.status_code == 400
        assert name in answer.json()["error"]["details"]
