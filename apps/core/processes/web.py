"""How the portal is served: one uvicorn server over a socket that somebody else has bound.

The supervisor binds the socket once and hands it to every web process. It stays open while
one of them is replaced, so that callers wait a moment and are not refused.
"""

import asyncio
import os
import socket
from pathlib import Path
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from apps.core.joining import Joining
from apps.core.processes.door import BACKLOG
from apps.core.processes.sharing import Counts, SharedDoor

LARGEST_FRAME = 65_536
DRAIN_SECONDS = 10


class _Protocol(HttpToolsProtocol):
    """HTTP of which each answer goes out at once: uvicorn writes its head and its body apart."""

    door: SharedDoor | None = None

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(cast("asyncio.Transport", Joining(transport, self.loop)))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.door is not None:
            self.door.tell()


class _Server(uvicorn.Server):
    """A server that says when it answers, and takes its share of the connections alone."""

    ready_file: Path | None = None
    counts: Counts | None = None
    door: SharedDoor | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then write the process id for the supervisor."""
        if self.counts is None or not sockets:
            await super().startup(sockets)
        else:
            await super().startup([])
            self.door = SharedDoor(
                sockets[0], self._protocol, self.server_state.connections, self.counts
            )
            self.servers = [cast("asyncio.base_events.Server", self.door)]
        if self.ready_file is not None:
            self.ready_file.write_text(str(os.getpid()))

    async def on_tick(self, counter: int) -> bool:
        """Do what is done ten times a second."""
        if self.door is not None:
            self.door.tell()
        return await super().on_tick(counter)

    def _protocol(self) -> asyncio.Protocol:
        protocol = _Protocol(self.config, self.server_state, self.lifespan.state)
        protocol.door = self.door
        return protocol


def server(
    application: Any, ready_file: Path | None = None, counts: Counts | None = None
) -> uvicorn.Server:
    """Return the server; its access log is off, since that would print query strings.

    With the counts of all web processes it leaves connections to those that have fewer.

    Forwarded addresses are believed only from the proxies that FORWARDED_ALLOW_IPS names.
    """
    proxies = os.environ.get("FORWARDED_ALLOW_IPS", "")
    config = uvicorn.Config(
        application,
        http=_Protocol,
        lifespan="off",
        backlog=BACKLOG,
        ws_max_size=LARGEST_FRAME,
        ws_per_message_deflate=False,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or None,
    )
    serving = _Server(config)
    serving.ready_file, serving.counts = ready_file, counts
    return serving
