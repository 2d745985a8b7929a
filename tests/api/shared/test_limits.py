"""A body that is too large is refused before it is kept anywhere."""

import json

import pytest
from asgiref.sync import async_to_sync

from oms.limits import BodyLimit


class Inside:
    """An application that reads the whole body and says how much it was."""

    def __init__(self):
        self.read = 0

    async def __call__(self, scope, receive, send):
        more = True
        while more:
            message = await receive()
            self.read += len(message.get("body", b""))
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def limit(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000


def ask(chunks, *headers, kind="http"):
    """Return the application, the status and the body of the answer."""
    inside, sent = Inside(), []
    waiting = [{"type": "http.request", "body": c, "more_body": True} for c in chunks]
    waiting.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive():
        return waiting.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "path": "/api/v1/notes", "headers": list(headers)}
    async_to_sync(BodyLimit(inside))(scope, receive, send)
    return inside, sent[0]["status"], sent[1]["body"]


def test_a_body_within_the_limit_passes(limit):
    assert ask([b"x" * 500, b"x" * 500])[:2][1] == 200


@pytest.mark.parametrize("declared", [[], [(b"content-length", b"10")]])
def test_a_body_that_grows_beyond_it_is_cut_off(limit, declared):
    inside, status, body = ask([b"x" * 400] * 100, *declared)
    assert status == 413
    assert inside.read == 800
    assert json.loads(body)["error"]["code"] == "PAYLOAD_TOO_LARGE"


def test_a_declared_length_beyond_it_is_not_read_at_all(limit):
    inside, status, body = ask([b"x"], (b"content-length", b"1001"))
    assert (inside.read, status) == (0, 413)
    assert json.loads(body)["success"] is False


@pytest.mark.parametrize("rubbish", [b"x", b"-1", b"", b"9" * 5_000])
def test_a_lying_length_is_no_fault(limit, rubbish):
    _, status, _ = ask([b"x"], (b"content-length", rubbish))
    assert status == (413 if rubbish.startswith(b"9") else 200)


def test_sockets_pass_untouched(limit):
    assert ask([b"x" * 5_000], kind="websocket")[0].read == 5_000
