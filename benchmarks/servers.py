"""Start servers for a measurement and stop exactly those again."""

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

from apps.core.processes import postgres
from apps.core.processes.folder import open_folder, socket_folder
from apps.core.processes.part import Part, launch
from benchmarks.load import LoadFault, run

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "build" / "bench"
START_SECONDS = 120.0
SHORTEST_PAUSE = 0.05


@contextlib.contextmanager
def running(part: Part, log: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a part until the block ends."""
    process = launch(part, log)
    try:
        limit = time.monotonic() + START_SECONDS
        while part.ready is not None and not part.ready(process.pid):
            if process.poll() is not None or time.monotonic() > limit:
                raise LoadFault(f"`{part.name}` does not start; see {log}.")
            time.sleep(SHORTEST_PAUSE)
        yield process
    finally:
        stop(process, part.stop_signal, part.stop_seconds)


def stop(process: "subprocess.Popen[bytes]", number: int, seconds: float) -> None:
    """Ask a process of ours to stop; end it where it does not."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def started() -> set[int]:
    """Return the ids of the processes that this one has started."""
    return {process.pid for process in psutil.Process().children()}


@contextlib.contextmanager
def halted(pids: Iterable[int]) -> Iterator[None]:
    """Let processes, and all that they started, stand still until the block ends."""
    family = [
        one
        for process in map(psutil.Process, pids)
        for one in (process, *process.children(recursive=True))
    ]
    try:
        _signal(family, signal.SIGSTOP)
        yield
    finally:
        _signal(family, signal.SIGCONT)


def _signal(family: Iterable[psutil.Process], number: int) -> None:
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


@contextlib.contextmanager
def database(home: Path) -> Iterator[dict[str, str | int]]:
    """Run an embedded PostgreSQL of its own in `home`; yield its address."""
    folder = open_folder(home)
    sockets = socket_folder(home)
    with running(postgres.part(folder, sockets), folder.log("database")):
        yield postgres.address(sockets)


def fresh_folder(name: str) -> Path:
    """Return an empty folder under build/bench/."""
    place = HOME / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    return place


def answers(port: int, request: bytes) -> bool:
    """Tell whether the server at the port answers the request well."""
    with contextlib.suppress(OSError, LoadFault):
        found = run(("127.0.0.1", port), iter([request]), connections=1, seconds=1)
        return found.errors == 0
    return False


def free_port(lowest: int) -> int:
    """Return the first port from `lowest` on at which nobody listens."""
    for port in range(lowest, lowest + 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise LoadFault(f"No port is free from {lowest} to {lowest + 99}.")
