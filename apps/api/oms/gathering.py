"""Single calls of all web processes gathered in one: what arrives together is answered together.

Two processes that each take in a few events of the same feeders make each other wait, and pay
the cost of a turn twice. So one of them leads: it holds the lock beside the socket, and the
others pass it what they are asked. Where it dies, whoever asks first leads next; a call that it
had not answered is taken in here, and known events are answered as what they became. The socket
lies in a folder of the portal's own user. Each message is a head, its sizes first, and a body.
"""

import asyncio
import contextlib
import fcntl
import itertools
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import IO, cast

import orjson

from apps.api.oms.doors import Headers
from apps.core.joining import Joining

Answer = tuple[int, bytes, Headers]
Take = Callable[[str, str, bytes], Awaitable[Answer | None]]

LONGEST_SECONDS = 20.0
_SIZES = struct.Struct("!QII")


class Line(asyncio.Protocol):
    """One end of the way between two processes: messages, each read as soon as it is whole.

    Those that are written in one moment go out at once, which wakes the reader once.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.transport: Joining | None = None
        self.read = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self.transport = Joining(cast("asyncio.Transport", transport), self.loop)

    @property
    def is_open(self) -> bool:
        """Return whether the other end is still there."""
        return self.transport is not None

    def connection_lost(self, exc: Exception | None) -> None:
        """Write nothing any more."""
        self.transport = None

    def data_received(self, data: bytes) -> None:
        """Take what came in, message by message."""
        read = self.read
        read += data
        begun, size = 0, len(read)
        while size - begun >= _SIZES.size:
            number, head, body = _SIZES.unpack_from(read, begun)
            first = begun + _SIZES.size
            if size - first < head + body:
                break
            begun = first + head + body
            self.take_in(
                number, bytes(read[first : first + head]), bytes(read[first + head : begun])
            )
        if begun:
            del read[:begun]

    def take_in(self, number: int, head: bytes, body: bytes) -> None:
        """Take one message."""
        raise NotImplementedError

    def write(self, number: int, head: bytes, body: bytes) -> None:
        """Have one message sent."""
        if self.transport is not None:
            sizes = _SIZES.pack(number, len(head), len(body))
            self.transport.writelines([sizes, head, body])


class Link(Line):
    """The way to the process that leads."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = itertools.count()
        self.asked: dict[int, asyncio.Future[Answer | None]] = {}

    async def take(self, path: str, token: str, body: bytes) -> Answer | None:
        """Return the answer of the process that leads.

        Raises ConnectionError where it died or is silent for LONGEST_SECONDS.
        """
        if not self.is_open:
            raise ConnectionResetError("The process that leads is gone.")
        number = next(self.numbers)
        answered: asyncio.Future[Answer | None] = self.loop.create_future()
        self.asked[number] = answered
        self.write(number, orjson.dumps([path, token]), body)
        limit = self.loop.call_later(LONGEST_SECONDS, _give_up, answered)
        try:
            return await answered
        finally:
            limit.cancel()
            del self.asked[number]

    def take_in(self, number: int, head: bytes, body: bytes) -> None:
        """Hand an answer to whoever asked, and still waits."""
        waiting = self.asked.get(number)
        if waiting is not None and not waiting.done():
            waiting.set_result(_answer(head, body))

    def connection_lost(self, exc: Exception | None) -> None:
        """Let everybody who waits know."""
        super().connection_lost(exc)
        for waiting in self.asked.values():
            if not waiting.done():
                waiting.set_exception(ConnectionResetError("The answer is missing."))


class Caller(Line):
    """The way to another process, which asks."""

    def __init__(self, take: Take) -> None:
        super().__init__()
        self.take = take
        self.tasks: set[asyncio.Task[None]] = set()

    def take_in(self, number: int, head: bytes, body: bytes) -> None:
        """Have a call answered."""
        task = self.loop.create_task(self._reply(number, head, body))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _reply(self, number: int, head: bytes, body: bytes) -> None:
        path, token = orjson.loads(head)
        answer: Answer | None = None
        with contextlib.suppress(Exception):  # whoever asked words what went wrong
            answer = await self.take(path, token, body)
        if answer is None:
            self.write(number, b"", b"")
            return
        status, told, headers = answer
        named = [[name.decode("latin-1"), text.decode("latin-1")] for name, text in headers]
        self.write(number, orjson.dumps([status, named]), told)


class Gathering:
    """Has calls answered by the process that leads, which may be this one.

    `take` answers them here: path, token and body to status, body and headers, or None where
    somebody else has to answer. Without a socket's path every call is answered here.
    """

    def __init__(self, take: Take, socket: Path | None) -> None:
        self.take_here, self.socket = take, socket
        self.link: Link | None = None
        self.leads: IO[str] | None = None
        self.server: asyncio.Server | None = None
        self.finding = asyncio.Lock()

    async def take(self, path: str, token: str, body: bytes) -> Answer | None:
        """Return the answer to the call, or None."""
        if self.socket is not None and self.leads is None:
            link = await self._link(self.socket)
            if link is not None:
                with contextlib.suppress(ConnectionError):
                    return await link.take(path, token, body)
        return await self.take_here(path, token, body)

    async def _link(self, socket: Path) -> Link | None:
        """Return the way to who leads; None where it is this process or nobody listens yet."""
        if self.link is not None and self.link.is_open:
            return self.link
        async with self.finding:
            if self.leads is not None:
                return None
            if self.link is None or not self.link.is_open:
                self.link = None if await self._lead(socket) else await _linked(socket)
            return self.link

    async def _lead(self, socket: Path) -> bool:
        """Lead, unless another process does; the lock goes with the process that holds it."""
        lock = socket.with_suffix(".lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        socket.unlink(missing_ok=True)
        self.leads = lock
        loop = asyncio.get_running_loop()
        self.server = await loop.create_unix_server(self._called, str(socket))
        return True

    def _called(self) -> Caller:
        """Return what answers another process for as long as it asks."""
        return Caller(self.take_here)


def _give_up(answered: "asyncio.Future[Answer | None]") -> None:
    if not answered.done():
        answered.set_exception(ConnectionAbortedError("The process that leads is silent."))


def _answer(head: bytes, body: bytes) -> Answer | None:
    if not head:
        return None
    status, named = orjson.loads(head)
    headers = [(name.encode("latin-1"), text.encode("latin-1")) for name, text in named]
    return status, body, headers


async def _linked(socket: Path) -> Link | None:
    try:
        _, link = await asyncio.get_running_loop().create_unix_connection(Link, str(socket))
    except OSError:  # who leads does not listen yet, or just died
        return None
    return link
