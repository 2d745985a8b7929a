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

LARGEST_FRAME = 65_536
DRAIN_SECONDS = 10


class _Protocol(HttpToolsProtocol):
    """HTTP of which each answer goes out at once: uvicorn writes its head and its body apart."""

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(cast("asyncio.Transport", Joining(transport, self.loop)))


class _Server(uvicorn.Server):
    """A server that says when it answers."""

    ready_file: Path | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then write the process id for the supervisor."""
        await super().startup(sockets)
        if self.ready_file is not None:
            self.ready_file.write_text(str(os.getpid()))


def server(application: Any, ready_file: Path | None = None) -> uvicorn.Server:
    """Return the server; its access log is off, since that would print query strings.

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
    serving.ready_file = ready_file
    return serving
