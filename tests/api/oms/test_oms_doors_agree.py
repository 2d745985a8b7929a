"""Both ways to an endpoint agree: through its quick door, and through Django alone."""

import asyncio
import json

import pytest
from asgiref.sync import async_to_sync
from django.core.asgi import get_asgi_application

from apps.api.oms import doors
from apps.api.oms.intake import Intake
from apps.api.oms.lists import QuickList
from oms.asgi import application, django_application

pytestmark = pytest.mark.django_db(transaction=True)

LIST, SINGLE, BATCH = (
    f"/api/oms/{path}" for path in ("outages", "events/correlate", "events/correlate/batch")
)
EVENT = {
    "event_type": "outage",
    "source_type": "scada",
    "source_event_id": "agree-1",
    "timestamp": "2026-11-21T11:30:00Z",
    "device_id": "CB-1",
}
SAFE = {
    "content-type",
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "x-frame-options",
    "strict-transport-security",
}


def ask(app, path, body=b"", headers=(), *, method="", query=b"", scheme="http", pieces=1):
    """Call an ASGI application; return status, headers and body."""
    size = -(-len(body) // pieces) or 1
    parts = [body[n : n + size] for n in range(0, len(body), size)] or [b""]
    waiting = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    waiting[-1]["more_body"] = False
    said = []

    async def receive():
        return waiting.pop(0) if waiting else await asyncio.Future()

    async def send(message):
        said.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method or ("GET" if path == LIST else "POST"),
        "scheme": scheme,
        "path": path,
        "query_string": query,
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    async_to_sync(app)(scope, receive, send)
    given = {name.decode().lower(): value.decode() for name, value in said[0]["headers"]}
    return said[0]["status"], given, b"".join(part.get("body", b"") for part in said[1:])


async def inner(scope, receive, send):
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"passed on"})


@pytest.fixture(autouse=True)
def heads():
    """Forget the headers that were made for the settings of another test."""
    doors._safe_headers.cache_clear()
    yield
    doors._safe_headers.cache_clear()


@pytest.fixture
def call(city, token):
    """Call as a machine that may; the first argument is the application."""
    secret = token("events:write", "outages:read")

    def calling(app, path, body=b"", *, more=(), drop=(), **named):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = [("host", "testserver"), ("authorization", f"Bearer {secret}")]
        if path != LIST:
            headers += [("content-type", "application/json")]
            headers += [("content-length", str(len(raw)))]
        kept = [pair for pair in headers if pair[0] not in {*drop, *dict(more)}]
        return ask(app, path, raw, [*kept, *more], **named)

    return calling


def quick_status(call, path, body=b"", **named):
    """Return the status where nothing is behind the quick doors: 299 is passed on."""
    found = Intake(QuickList(inner))
    status = call(found, path, body, **named)[0]
    lists = found.inner
    lists.turns.pool.submit(lists.pages.close).result()
    return status


BODIES = {LIST: b"", SINGLE: EVENT, BATCH: {"events": [EVENT]}}


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("https", [False, True])
def test_the_answers_bear_the_same_headers(call, path, https, settings):
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = https, 3600 * https
    scheme = "https" if https else "http"
    more = (("x-request-id", "my-own.id:7"),)
    behind = get_asgi_application()
    answers = [
        call(app, path, BODIES[path], more=more, scheme=scheme)
        for app in (Intake(QuickList(behind)), behind)
    ]
    assert {status for status, _, _ in answers} <= {200, 201}
    quick, plain = (
        {k: v for k, v in given.items() if k in SAFE} for _, given, _ in answers
    )
    assert quick == plain
    assert len(quick) == len(SAFE) - (not https)
    assert {given["x-request-id"] for _, given, _ in answers} == {"my-own.id:7"}
    assert "vary" not in answers[0][1], "the quick door was to answer"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "ü"])
def test_an_unusable_request_id_is_replaced_by_both(call, given):
    for app in (application, django_application):
        _, headers, _ = call(app, LIST, more=(("x-request-id", given),))
        assert headers["x-request-id"] != given
        assert len(headers["x-request-id"]) == 36


PLAIN = {
    "nothing": {},
    "another name of ours": {"more": (("host", "localhost:9100"),)},
    "an address of ours": {"more": (("host", "[::1]:9100"),)},
    "any answer": {"more": (("accept", "*/*"),)},
    "JSON among others": {"more": (("accept", "text/html, application/json;q=0.1"),)},
}
NOT_PLAIN = {
    "a foreign host": {"more": (("host", "evil.example"),)},
    "a host that is none": {"more": (("host", "local host"),)},
    "no host": {"drop": ("host",)},
    "no token": {"drop": ("authorization",)},
    "another kind of token": {"more": (("authorization", "Basic Zm9v"),)},
    "an empty token": {"more": (("authorization", "Bearer "),)},
    "two tokens": {"more": (("authorization", "Bearer a"), ("authorization", "Bearer b"))},
    "two hosts": {"more": (("host", "testserver"), ("host", "testserver"))},
    "no JSON wanted": {"more": (("accept", "text/html"),)},
    "something like JSON wanted": {"more": (("accept", "application/jsonx"),)},
    "another format": {"query": b"format=xml"},
    "a NUL": {"query": b"a=%00"},
}


@pytest.fixture
def hosts(settings):
    settings.ALLOWED_HOSTS = ["testserver", "localhost", "[::1]"]


@pytest.mark.parametrize("path", BODIES)
def test_what_is_not_plain_is_passed_on(call, hosts, settings, path):
    body = BODIES[path]
    told = {name: quick_status(call, path, body, **how) for name, how in PLAIN.items()}
    assert set(told.values()) <= {200, 201}, told
    told = {name: quick_status(call, path, body, **how) for name, how in NOT_PLAIN.items()}
    assert set(told.values()) == {299}, told
    settings.SECURE_SSL_REDIRECT = True
    assert quick_status(call, path, body) == 299
    assert quick_status(call, path, body, scheme="https") == 200


@pytest.mark.parametrize("path", BODIES)
def test_a_foreign_host_is_refused_by_both(call, hosts, path):
    for app in (application, django_application):
        status, _, body = call(app, path, BODIES[path], more=(("host", "evil.example"),))
        assert (status, json.loads(body)["error_code"]) == (400, "VALIDATION_ERROR")


TWICE = json.dumps(EVENT)[:-1]
DOUBTFUL = {
    "a key twice": f'{TWICE}, "device_id": "CB-2"}}',
    "a key twice, deep": f'{TWICE}, "metadata": {{"a": [{{"b": 1, "b": 1}}]}}}}',
    "a key twice, escaped": f'{TWICE}, "device\\u005fid": "CB-2"}}',
    "a long number": f'{TWICE}, "metadata": {{"a": {"1" * 31}}}}}',
    "too deep": f'{TWICE}, "metadata": {{"a": {"[" * 40}{"]" * 40}}}}}',
    "endless": f'{TWICE}, "metadata": {{"a": 1e999}}}}',
}


@pytest.mark.parametrize("why", DOUBTFUL)
def test_json_that_the_view_refuses_is_refused_by_both(call, why):
    event = DOUBTFUL[why].encode()
    for path, body in ((SINGLE, event), (BATCH, b'{"events": [%s]}' % event)):
        for app in (application, django_application):
            assert call(app, path, body)[0] == 400, (path, app)
        assert quick_status(call, path, body) == 299


def test_a_number_that_cannot_be_kept_is_refused_by_both(call):
    event = EVENT | {"metadata": {"a": 2**80}}
    assert quick_status(call, SINGLE, event) == 299
    answers = [
        call(a, BATCH, {"events": [event]}) for a in (application, django_application)
    ]
    assert [status for status, _, _ in answers] == [200, 200]
    assert len({body for _, _, body in answers}) == 1
    assert json.loads(answers[0][2])["rejected"] == 1


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"{}", b'{"events": 1}', b"\xff"])
def test_who_is_asked_before_what_was_sent_is_looked_at(call, person, token, raw):
    tokens = {
        person("user").headers["Authorization"]: 403,
        f"Bearer {token('outages:read')}": 403,
        "Bearer oms_nobody": 401,
    }
    for bearer, status in tokens.items():
        for app in (application, django_application):
            for path in (SINGLE, BATCH):
                assert call(app, path, raw, more=(("authorization", bearer),))[0] == status


ODD = {
    "escapes": {"description": 'Ω "quoted" \\ \n'},
    "a large fraction": {"metadata": {"a": 1e300}},
    "colons and quotes": {"description": '": "'},
}


@pytest.mark.parametrize("why", ODD)
def test_odd_events_are_the_same_event_by_both(call, why):
    event = EVENT | ODD[why]
    assert quick_status(call, SINGLE, event) == 201
    status, _, body = call(django_application, SINGLE, event)
    assert (status, json.loads(body)["duplicate"]) == (200, True)


def test_a_body_in_pieces_is_read_by_both(call):
    pieces = {"more": (("transfer-encoding", "chunked"),), "drop": ("content-length",)}
    for number, app in enumerate((application, django_application)):
        event = EVENT | {"source_event_id": f"piece-{number}"}
        status, _, body = call(app, SINGLE, event, pieces=3, **pieces)
        assert status in (200, 201), body
    huge = b'{"events": ["%s"]}' % (b"x" * 11_000_000)
    assert call(application, BATCH, huge, pieces=9, **pieces)[0] == 413
