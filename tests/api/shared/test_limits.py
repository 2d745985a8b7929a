"""A body that is too large is refused before it is kept anywhere."""

import http.client
import json
import socket
import threading
from contextlib import contextmanager

import pytest
from asgiref.sync import async_to_sync

from apps.core.processes.web import server
from oms.limits import BodyLimit, refuse_socket


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


@contextmanager
def served(application):
    """Serve the application on a free port, as the portal is served."""
    serving = server(application)
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        thread = threading.Thread(target=serving.run, kwargs={"sockets": [door]})
        thread.start()
        try:
            yield port
        finally:
            serving.should_exit = True
            thread.join(10)


def in_pieces(size):
    """Yield that many bytes, a part at a time, which are sent as chunks."""
    for _ in range(size // 100_000):
        yield b"x" * 100_000


@pytest.mark.parametrize("chunked", [False, True])
def test_who_still_sends_reads_the_refusal_and_may_go_on(limit, chunked):
    size = 20_000_000
    with served(BodyLimit(Inside())) as port:
        calling = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        body = in_pieces(size) if chunked else b"x" * size
        calling.request("POST", "/api/v1/notes", body, encode_chunked=chunked, headers=(
            {"Transfer-Encoding": "chunked"} if chunked else {}
        ))  # fmt: skip
        answer = calling.getresponse()
        assert (answer.status, json.loads(answer.read())["success"]) == (413, False)
        calling.request("POST", "/api/v1/notes", b"small")
        assert calling.getresponse().status == 200
        calling.close()


def test_a_socket_that_nobody_serves_is_refused_at_the_handshake():
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    async_to_sync(refuse_socket)({"type": "websocket", "path": "/nope"}, receive, send)
    assert sent == [{"type": "websocket.close"}]
