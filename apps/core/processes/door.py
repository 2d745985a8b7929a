"""The socket at which the portal is called: bound once, handed to every web process."""

import os
import socket

from apps.core.processes.refusal import Refusal

BACKLOG = 1024


def bound_socket(host: str, port: int) -> socket.socket:
    """Return a listening socket. Refuses where the port is taken or not allowed."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as fault:
        raise Refusal(
            f"Port {port} on {host} cannot be used: {os.strerror(fault.errno or 0)}. "
            "Stop what listens there, or set PORT to another one."
        ) from None
