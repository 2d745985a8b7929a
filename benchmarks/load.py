"""A small closed-loop HTTP client: so many connections, each sends when it has its answer.

One thread, one poll loop, requests that are bytes already: it takes little of the cores that it
shares with what it measures. It opens a connection again where the server closes it.
"""

import contextlib
import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 60.0
READ_BYTES = 262_144


class LoadFault(Exception):
    """The measurement could not go on; the text is one sentence for a person."""


@dataclass
class Outcome:
    """What one run of requests came to. Latencies are in seconds, in the order of answers."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """Return how many requests were answered."""
        return len(self.latencies)

    @property
    def rate(self) -> float:
        """Return answers a second."""
        return self.requests / self.seconds if self.seconds else 0.0

    @property
    def errors(self) -> int:
        """Return how many answers were not of the 200s."""
        return sum(n for status, n in self.statuses.items() if not 200 <= status < 300)

    def percentile(self, share: float) -> float:
        """Return the latency, in milliseconds, that `share` of the answers did not exceed."""
        ordered = sorted(self.latencies)
        if not ordered:
            return 0.0
        place = min(len(ordered) - 1, int(share * len(ordered)))
        return ordered[place] * 1000


class _Connection:
    """One connection: at most one request is on its way."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.socket = self._open()
        self.received = bytearray()
        self.request = b""
        self.sent_at = 0.0
        self.must_reopen = False
        self.is_repeated = False

    def _open(self) -> socket.socket:
        try:
            opened = socket.create_connection(self.address, timeout=CONNECT_SECONDS)
        except OSError as fault:
            raise LoadFault(f"Nobody answers at {self.address}: {fault}.") from None
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()

    def send(self, request: bytes, poll: selectors.BaseSelector) -> None:
        """Send a request; the time to open the connection again counts as its own."""
        self.sent_at = time.perf_counter()
        self.request = request
        self.is_repeated = False
        if self.must_reopen:
            self.reopen(poll)
        self.socket.sendall(request)

    def reopen(self, poll: selectors.BaseSelector) -> None:
        """Replace the connection by a new one."""
        poll.unregister(self.socket)
        self.socket.close()
        self.socket = self._open()
        self.received.clear()
        self.must_reopen = False
        poll.register(self.socket, selectors.EVENT_READ, self)

    def read(self, poll: selectors.BaseSelector) -> tuple[int, bytes] | None:
        """Return the answer once it is whole."""
        try:
            piece = self.socket.recv(READ_BYTES)
        except ConnectionResetError:
            piece = b""
        if not piece:
            # The server dropped an idle connection as the request left: send it once more.
            if self.is_repeated:
                raise LoadFault("A request was twice left without an answer.")
            self.is_repeated = True
            self.reopen(poll)
            self.socket.sendall(self.request)
            return None
        self.received += piece
        return self._answer()

    def _answer(self) -> tuple[int, bytes] | None:
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self.received[:end]).lower()
        length = _length(head)
        if len(self.received) < end + 4 + length:
            return None
        body = bytes(self.received[end + 4 : end + 4 + length])
        self.received.clear()
        self.must_reopen = b"\r\nconnection: close" in head
        return int(head[9:12]), body


def _length(head: bytes) -> int:
    _, found, rest = head.partition(b"\r\ncontent-length:")
    if not found:
        raise LoadFault("An answer came without its length.")
    return int(rest.partition(b"\r\n")[0])


class _Run:
    """One measurement in progress."""

    def __init__(
        self, requests: Iterator[bytes], until: float, *, keep_bodies: bool
    ) -> None:
        self.requests = requests
        self.until = until
        self.keep_bodies = keep_bodies
        self.waiting = 0
        self.outcome = Outcome()

    def exchange(
        self, poll: selectors.BaseSelector, connections: list[_Connection]
    ) -> None:
        """Send and receive until nothing is left to wait for."""
        self.waiting = len(connections)
        for connection in connections:
            self._next(connection, poll, time.perf_counter())
        while self.waiting:
            ready = poll.select(SILENCE_SECONDS)
            if not ready or time.perf_counter() > self.until + SILENCE_SECONDS:
                raise LoadFault(f"No answer within {SILENCE_SECONDS:.0f} s.")
            for key, _ in ready:
                answer = key.data.read(poll)
                if answer is not None:
                    self._note(key.data, *answer, poll)

    def _note(
        self, sender: _Connection, status: int, body: bytes, poll: selectors.BaseSelector
    ) -> None:
        now = time.perf_counter()
        self.outcome.latencies.append(now - sender.sent_at)
        self.outcome.statuses[status] += 1
        if self.keep_bodies:
            self.outcome.bodies.append(body)
        self._next(sender, poll, now)

    def _next(self, sender: _Connection, poll: selectors.BaseSelector, now: float) -> None:
        request = next(self.requests, None) if now < self.until else None
        if request is None:
            poll.unregister(sender.socket)
            self.waiting -= 1
        else:
            sender.send(request, poll)


def run(
    address: tuple[str, int],
    requests: Iterator[bytes],
    *,
    connections: int,
    seconds: float,
    keep_bodies: bool = False,
) -> Outcome:
    """Send requests over so many connections until the time or the requests are over.

    Every request that was sent is waited for, so that each counts. Loopback only.
    """
    if address[0] != "127.0.0.1":
        raise LoadFault("Only the own machine is measured.")
    with contextlib.ExitStack() as stack:
        poll = stack.enter_context(selectors.DefaultSelector())
        ours = [_Connection(address) for _ in range(connections)]
        for connection in ours:
            stack.callback(connection.close)
            poll.register(connection.socket, selectors.EVENT_READ, connection)
        began = time.perf_counter()
        going = _Run(requests, began + seconds, keep_bodies=keep_bodies)
        going.exchange(poll, ours)
        going.outcome.seconds = time.perf_counter() - began
    return going.outcome


def http_request(
    method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> bytes:
    """Return the bytes of one HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: keep-alive"]
    lines += [f"{name}: {text}" for name, text in (headers or {}).items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body
