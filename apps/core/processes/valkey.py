"""The embedded Valkey: broker, cache and channel layer on a private socket."""

import socket
from pathlib import Path

from apps.core.processes.binaries import valkey_program
from apps.core.processes.folder import Folder
from apps.core.processes.part import Part

STAGE = 1


def part(folder: Folder, sockets: Path) -> Part:
    """Return the part; it writes each change to a log on disk and never evicts a key."""
    data = folder.var / "valkey"
    data.mkdir(mode=0o700, exist_ok=True)
    place = sockets / "valkey.sock"
    options = {
        "port": "0",
        "unixsocket": str(place),
        "unixsocketperm": "700",
        "dir": str(data),
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "maxclients": "2000",
        "loglevel": "notice",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return Part(
        name="broker",
        stage=STAGE,
        command=(str(valkey_program()), *words),
        ready=lambda _: _answers(place),
        patience=8,
    )


def address(sockets: Path) -> dict[str, str]:
    """Return what the run file says of this server."""
    return {"socket": str(sockets / "valkey.sock")}


def _answers(place: Path) -> bool:
    """Tell whether the server has read its log and takes commands."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(1)
            line.connect(str(place))
            line.sendall(b"PING\r\n")
            return line.recv(16).startswith(b"+PONG")
    except OSError:
        return False
