"""How the portal is served: one uvicorn server over a socket that somebody else has bound.

The supervisor binds the socket once and hands it to every web process. It stays open while
one of them is replaced, so that callers wait a moment and are not refused.
"""

import os
import socket
from typing import Any

import uvicorn

from apps.core.processes.refusal import Refusal

BACKLOG = 1024
LARGEST_FRAME = 65_536
DRAIN_SECONDS = 10


def server(application: Any) -> uvicorn.Server:
    """Return the server; its access log is off, since that would print query strings.

    Forwarded addresses are believed only from the proxies that FORWARDED_ALLOW_IPS names.
    """
    proxies = os.environ.get("FORWARDED_ALLOW_IPS", "")
    config = uvicorn.Config(
        application,
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
    return uvicorn.Server(config)


def bound_socket(host: str, port: int) -> socket.socket:
    """Return a listening socket. Refuses where the port is taken or not allowed."""
    try:
        return socket.create_server((host, port), backlog=BACKLOG)
    except OSError as fault:
        raise Refusal(
            f"Port {port} on {host} cannot be used: {fault.strerror}. "
            "Stop what listens there, or set PORT to another one."
        ) from None
