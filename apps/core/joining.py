"""What is written in one moment goes out in one write."""

import asyncio
from typing import Any


class Joining:
    """A transport that sends what is written in one moment at once.

    Each write by itself costs a system call and wakes whoever reads. Everything else is the
    transport's own.
    """

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._transport, self._loop = transport, loop
        self._written: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Have it sent with whatever else is written in this moment."""
        if not self._written:
            self._loop.call_soon(self._send)
        self._written.append(data)

    def writelines(self, pieces: list[bytes]) -> None:
        """Have them sent in their order."""
        self.write(b"".join(pieces))

    def write_eof(self) -> None:
        """Send what was written, and no more."""
        self._send()
        self._transport.write_eof()

    def close(self) -> None:
        """Send what was written, then close."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._written:
            self._transport.write(b"".join(self._written))
            self._written.clear()
