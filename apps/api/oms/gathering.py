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
from typing import IO

import orjson

from apps.api.oms.doors import Headers

Answer = tuple[int, bytes, Headers]
Take = Callable[[str, str, bytes], Awaitable[Answer | None]]

LONGEST_SECONDS = 20.0
_SIZES = struct.Struct("!QII")


class Pen:
    """Writes messages; those of one moment go out at once, which wakes the reader once."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.written: list[bytes] = []

    def write(self, number: int, head: bytes, body: bytes) -> None:
        """Have one message sent."""
        if not self.written:
            asyncio.get_running_loop().call_soon(self._send)
        self.written += (_SIZES.pack(number, len(head), len(body)), head, body)

    def _send(self) -> None:
        self.writer.write(b"".join(self.written))
        self.written.clear()


class Link:
    """The way to the process that leads."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer, self.pen = reader, writer, Pen(writer)
        self.numbers = itertools.count()
        self.asked: dict[int, asyncio.Future[Answer | None]] = {}
        self.listening = asyncio.create_task(self._listen())

    @property
    def is_open(self) -> bool:
        """Return whether the other end still listens."""
        return not self.listening.done()

    async def take(self, path: str, token: str, body: bytes) -> Answer | None:
        """Return the answer of the process that leads.

        Raises ConnectionError where it died or is silent for LONGEST_SECONDS.
        """
        number = next(self.numbers)
        answered: asyncio.Future[Answer | None]
        answered = self.asked[number] = asyncio.get_running_loop().create_future()
        self.pen.write(number, orjson.dumps([path, token]), body)
        try:
            if not self.is_open:
                raise ConnectionResetError("The process that leads is gone.")
            async with asyncio.timeout(LONGEST_SECONDS):
                return await answered
        except TimeoutError:
            raise ConnectionAbortedError("The process that leads is silent.") from None
        finally:
            del self.asked[number]

    async def _listen(self) -> None:
        try:
            while True:
                number, head, body = await _next(self.reader)
                waiting = self.asked.get(number)
                if waiting is not None and not waiting.done():
                    waiting.set_result(_answer(head, body))
        except (asyncio.IncompleteReadError, ConnectionError):
            self.writer.close()
        finally:
            for waiting in self.asked.values():
                if not waiting.done():
                    waiting.set_exception(ConnectionResetError("The answer is missing."))


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
        self.tasks: set[asyncio.Task[None]] = set()

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
        self.server = await asyncio.start_unix_server(self._serve, socket)
        return True

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer another process for as long as it asks."""
        pen = Pen(writer)
        try:
            while True:
                number, head, body = await _next(reader)
                task = asyncio.create_task(self._reply(pen, number, head, body))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _reply(self, pen: Pen, number: int, head: bytes, body: bytes) -> None:
        path, token = orjson.loads(head)
        answer: Answer | None = None
        with contextlib.suppress(Exception):  # whoever asked words what went wrong
            answer = await self.take_here(path, token, body)
        if answer is None:
            pen.write(number, b"", b"")
            return
        status, told, headers = answer
        named = [[name.decode("latin-1"), text.decode("latin-1")] for name, text in headers]
        pen.write(number, orjson.dumps([status, named]), told)


def _answer(head: bytes, body: bytes) -> Answer | None:
    if not head:
        return None
    status, named = orjson.loads(head)
    headers = [(name.encode("latin-1"), text.encode("latin-1")) for name, text in named]
    return status, body, headers


async def _linked(socket: Path) -> Link | None:
    try:
        return Link(*await asyncio.open_unix_connection(socket))
    except OSError:  # who leads does not listen yet, or just died
        return None


async def _next(reader: asyncio.StreamReader) -> tuple[int, bytes, bytes]:
    number, head, body = _SIZES.unpack(await reader.readexactly(_SIZES.size))
    return number, await reader.readexactly(head), await reader.readexactly(body)
