"""The quick door of the list says what the view says, and leaves to it what is not plain."""

import asyncio
import json

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.api.oms import lists

pytestmark = pytest.mark.django_db(transaction=True)


async def inner(scope, receive, send):
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"the view"})


def ask(*calls):
    """Ask several at once; return statuses and bodies."""

    async def one(door, query, headers, method, path):
        said = []

        async def send(message):
            said.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query,
            "headers": headers,
        }
        await door(scope, None, send)
        return said[0]["status"], said[1]["body"]

    async def everyone():
        door = lists.QuickList(inner)
        return await asyncio.gather(*(one(door, *call) for call in calls))

    return async_to_sync(everyone)()


def plain(token, query=b"", method="GET", path=lists.PATH, **more):
    headers = [(b"authorization", f"Bearer {token}".encode())]
    named = [(name.encode(), value.encode()) for name, value in more.items()]
    return query, headers + named, method, path


@pytest.fixture
def secret(transactional_db, token):
    return token("outages:read")


@pytest.fixture
def three(secret, oms, opened):
    return [opened(n, device_id=None, latitude=10.0 + n, longitude=5) for n in (1, 2, 3)]


def test_it_says_what_the_view_says(three, secret, oms):
    for query in ("", "limit=2", "limit=1&offset=1", "offset=2"):
        ((status, body),) = ask(plain(secret, query.encode()))
        assert status == 200
        pairs = dict(part.split("=") for part in query.split("&") if part)
        assert json.loads(body) == oms.get("outages", **pairs).json()
        assert json.loads(body)["total"] == 3


def test_what_is_not_plain_is_left_to_the_view(three, secret, token):
    left = [
        plain(secret, b"status=restored"),
        plain(secret, b"limit=0"),
        plain(secret, b"limit=501"),
        plain(secret, b"limit=abc"),
        plain(secret, b"offset=99999999"),
        plain(secret, b"limit=1&limit=2"),
        plain(secret, b"%6cimit=1"),
        plain(secret, method="POST"),
        plain(secret, path="/api/oms/crews"),
        plain(secret, accept="text/html"),
        plain("oms_nobody"),
        plain(token("events:write")),
        (b"", [], "GET", lists.PATH),
    ]
    assert [status for status, _ in ask(*left)] == [299] * len(left)


def test_who_asks_at_the_same_time_shares_one_reading(three, secret):
    calls = [lists.Call(secret, 50, 0) for _ in range(20)]
    with CaptureQueriesContext(connection) as asked:
        pages = lists.answer_calls(calls)
    assert len(set(pages)) == 1
    assert len(json.loads(pages[0])["outages"]) == 3
    rows = [query for query in asked if "device_code" in query["sql"]]
    assert len(rows) == 1


def test_a_fault_is_left_to_the_view(three, secret, monkeypatch):
    def broken(*args, **named):
        raise RuntimeError("broken")

    monkeypatch.setattr(lists.quick, "page_bytes", broken)
    assert [status for status, _ in ask(plain(secret), plain(secret))] == [299, 299]
