"""New connections of one socket, shared among several web processes.

All of them listen at the same socket, and the kernel wakes whichever it likes: four connections
that stay open may all land in one process while the other has nothing to do. Here a process that
has more connections than another one leaves a new one to it, for a moment.
"""

import asyncio
import errno
import logging
import mmap
import os
import socket
from collections.abc import Callable, Collection
from pathlib import Path

LEFT_SECONDS, LONGEST_LEFT = 0.005, 0.02
"""So long, for each that it has fewer, a connection is left to another process."""

FULL_SECONDS = 1.0
_FULL = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_BYTES = 8

logger = logging.getLogger(__name__)


class Counts:
    """How many connections each web process has, in memory that they share."""

    def __init__(self, file: Path, place: int, of: int) -> None:
        """Share the file; `place` of `of`, from zero, is the own one, and starts at nothing."""
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, of * _BYTES)
            self._counts = memoryview(mmap.mmap(descriptor, of * _BYTES)).cast("q")
        finally:
            os.close(descriptor)
        self._place = place
        self.tell(0)

    def tell(self, count: int) -> None:
        """Let the others see how many there are here."""
        self._counts[self._place] = count

    def more(self) -> int:
        """Return how many more there are here than where there are fewest."""
        return self._counts[self._place] - min(self._counts)


class SharedDoor:
    """Takes connections in, as a server of asyncio does, but its share of them alone."""

    def __init__(
        self,
        listening: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        connections: Collection[object],
        counts: Counts,
    ) -> None:
        """Begin; `connections` are all that the process has, which the protocol keeps."""
        self._listening, self._protocol = listening, protocol
        self._connections, self._counts = connections, counts
        self._loop = asyncio.get_running_loop()
        self._later: asyncio.TimerHandle | None = None
        self._taking: set[asyncio.Task[object]] = set()
        listening.settimeout(0.0)
        self._open()

    def close(self) -> None:
        """Take no more in."""
        self._shut()
        if self._later is not None:
            self._later.cancel()

    async def wait_closed(self) -> None:
        """Wait for the connections that are being taken in."""
        if self._taking:
            await asyncio.wait(self._taking)

    def tell(self) -> None:
        """Let the other processes see how many connections there are here."""
        self._counts.tell(len(self._connections) + len(self._taking))

    def _open(self) -> None:
        self._later = None
        self._loop.add_reader(self._listening, self._called)

    def _shut(self) -> None:
        self._loop.remove_reader(self._listening)

    def _called(self) -> None:
        more = self._counts.more()
        if more > 0:
            self._shut()
            seconds = min(more * LEFT_SECONDS, LONGEST_LEFT)
            self._later = self._loop.call_later(seconds, self._take_what_is_left)
        else:
            self._take()

    def _take_what_is_left(self) -> None:
        self._open()
        self._take()

    def _take(self) -> None:
        try:
            connection, _ = self._listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            # Another process was faster, or the caller is gone.
            return
        except OSError as fault:
            if fault.errno not in _FULL:
                raise
            logger.exception("No more connections can be taken in for now")
            self._shut()
            self._later = self._loop.call_later(FULL_SECONDS, self._open)
            return
        connection.settimeout(0.0)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = self._loop.create_task(self._receive(connection))
        self._taking.add(task)
        task.add_done_callback(self._taking.discard)
        self.tell()

    async def _receive(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._protocol, connection)
        except OSError as fault:
            logger.info("A caller was gone at once: %s", fault)
            connection.close()
