"""The quick door of the list says what the view says, and leaves to it what is not plain."""

import asyncio
import contextlib
import json
from datetime import UTC, datetime

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, transaction

from apps.api.oms import lists, pages
from apps.api.oms.pages import MOST_KEPT
from apps.outages.models import Outage

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


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
            "scheme": "http",
            "path": path,
            "query_string": query,
            "headers": headers,
        }
        await door(scope, None, send)
        return said[0]["status"], said[1]["body"]

    async def everyone():
        door = lists.QuickList(inner)
        try:
            return await asyncio.gather(*(one(door, *call) for call in calls))
        finally:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(door.turns.pool, door.pages.close)
            door.turns.pool.shutdown()

    return async_to_sync(everyone)()


def plain(token, query=b"", method="GET", path=lists.PATH, **more):
    headers = [(b"host", b"testserver"), (b"authorization", f"Bearer {token}".encode())]
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
        (b"", [(b"host", b"testserver")], "GET", lists.PATH),
    ]
    assert [status for status, _ in ask(*left)] == [299] * len(left)


@pytest.fixture
def door():
    found = lists.QuickList(inner)
    yield found
    found.turns.pool.submit(found.pages.close).result()
    found.turns.pool.shutdown()


@pytest.fixture
def reads(door, monkeypatch):
    """Return the windows of which a page was read."""
    found = []
    page = door.pages._page

    def counted(cursor, limit, offset):
        found.append((limit, offset))
        return page(cursor, limit, offset)

    monkeypatch.setattr(door.pages, "_page", counted)
    return found


def answers(door, calls):
    """Return the answers of one turn, on the thread of the door."""
    pages = door.turns.pool.submit(door.answer_calls, calls).result()
    return [page and page.body for page in pages]


def total(door, token, window=(50, 0)):
    (body,) = answers(door, [lists.Call(token, window)])
    return json.loads(body)["total"]


def test_who_asks_at_the_same_time_shares_one_reading(three, secret, token, door, reads):
    other, nobody = token("outages:read"), token("events:write")
    calls = [lists.Call(t, (50, 0)) for t in (secret, other) * 10]
    pages = answers(door, [*calls, lists.Call(nobody, (50, 0))])
    assert pages.pop() is None
    assert len(set(pages)) == 1
    assert len(json.loads(pages[0])["outages"]) == 3
    assert reads == [(50, 0)]


def test_a_page_is_said_again_until_something_is_committed(
    secret, oms, opened, door, reads
):
    opened(1, device_id=None, latitude=10.0, longitude=5)
    assert [total(door, secret) for _ in range(9)] == [1] * 9
    assert len(reads) == 1
    opened(2, device_id=None, latitude=20.0, longitude=5)
    assert [total(door, secret) for _ in range(9)] == [2] * 9
    assert total(door, secret, (1, 1)) == 2
    assert reads == [(50, 0), (50, 0), (1, 1)]


def test_what_is_not_committed_is_not_said(three, secret, door):
    seen = []
    with contextlib.suppress(RuntimeError), transaction.atomic():
        Outage.objects.filter(id=three[0]).update(status="cancelled", cancelled_at=NOW)
        seen.append(total(door, secret))
        raise RuntimeError
    seen.append(total(door, secret))
    with transaction.atomic():
        Outage.objects.filter(id=three[0]).update(status="cancelled", cancelled_at=NOW)
        seen.append(total(door, secret))
    seen.append(total(door, secret))
    assert seen == [3, 3, 3, 2]


def test_whatever_an_outage_holds_it_says_what_the_view_says(three, secret, oms, door):
    names = {
        "substation_name": 'Ω "Süd"\n\\',
        "feeder_name": "تجريبي",
        "device_code": "%s {0}",
    }
    Outage.objects.filter(id=three[0]).update(first_event_id=None, sources={}, **names)
    Outage.objects.filter(id=three[1]).update(
        confidence=0.1 + 0.2,
        latitude=None,
        longitude=-1e-7,
        sources={"scada": 2, "call_center": 3, "onu": 1},
        first_detected_at=datetime(2026, 1, 2, 3, 4, 5, 60, tzinfo=UTC),
        estimated_restoration_at=None,
        number=12_345_678_901,
    )
    Outage.objects.filter(id=three[2]).update(first_detected_at=NOW, customers_count=0)
    windows = [
        (limit, offset) for limit in (1, 2, 3, 500) for offset in (0, 1, 2, 3, 9_999)
    ]
    for limit, offset in windows:
        (body,) = answers(door, [lists.Call(secret, (limit, offset))])
        view = oms.get("outages", limit=limit, offset=offset).json()
        assert json.loads(body) == view, (limit, offset)


def test_only_a_few_pages_are_kept(three, secret, door):
    calls = [lists.Call(secret, (1, offset)) for offset in range(100)]
    assert None not in answers(door, calls)
    assert len(door.pages.kept) == MOST_KEPT


def test_a_lost_connection_is_made_again_once(three, secret, opened, door):
    assert total(door, secret) == 3
    cut(door)
    assert total(door, secret) == 3
    cut(door)
    opened(4, device_id=None, latitude=40.0, longitude=5)
    assert total(door, secret) == 4


def test_a_connection_that_is_lost_again_is_left_to_the_view(
    three, secret, door, monkeypatch
):
    assert total(door, secret) == 3
    page = door.pages._page

    def cutting(cursor, limit, offset):
        cut(door)
        return page(cursor, limit, offset)

    monkeypatch.setattr(door.pages, "_page", cutting)
    assert answers(door, [lists.Call(secret, (7, 0))]) == [None]
    monkeypatch.undo()
    assert total(door, secret) == 3


def cut(door):
    """End the connection of the door as a server that stops does."""
    pid = door.pages.cursor.connection.info.backend_pid
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def test_a_fault_is_left_to_the_view(three, secret, monkeypatch):
    def broken(*args, **named):
        raise RuntimeError("broken")

    monkeypatch.setattr(pages.quick, "page_of", broken)
    assert [status for status, _ in ask(plain(secret), plain(secret))] == [299, 299]
