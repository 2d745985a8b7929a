"""What the supervisor asks of the kernel."""

import contextlib
import ctypes
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_SET_DEATH_SIGNAL = 1
_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Become the parent of every orphaned descendant, so that none escapes."""
    _LIBC.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def child_setup(death_signal: int) -> Callable[[], None]:
    """Return what a child does before it becomes its command.

    It forgets the signal mask and is sent `death_signal` when the supervisor dies.
    """
    parent = os.getpid()

    def setup() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        _LIBC.prctl(_SET_DEATH_SIGNAL, death_signal, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return setup


def birth(pid: int) -> int:
    """Return when the process started, in clock ticks since boot; 0 where it is gone."""
    return _stat(pid)[1]


def runs(pid: int, born: int) -> bool:
    """Tell whether that very process still runs; a zombie does not."""
    state, started = _stat(pid)
    return started == born and started > 0 and state != "Z"


def children() -> Iterator[int]:
    """Yield the processes whose parent is this one."""
    mine = os.getpid()
    for place in Path("/proc").iterdir():
        if place.name.isdigit() and _parent(int(place.name)) == mine:
            yield int(place.name)


def send(pid: int, number: int, *, group: bool = False) -> None:
    """Send a signal to a process, or to its whole group; one that is gone is no fault."""
    with contextlib.suppress(ProcessLookupError):
        if group:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)


def _fields(pid: int) -> list[str]:
    try:
        line = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return line.rpartition(")")[2].split()


def _stat(pid: int) -> tuple[str, int]:
    fields = _fields(pid)
    return (fields[0], int(fields[19])) if fields else ("", 0)


def _parent(pid: int) -> int:
    fields = _fields(pid)
    return int(fields[1]) if fields else 0
