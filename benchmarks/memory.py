"""How much memory the parts of the portal hold."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

SERVERS = ("database", "broker", "postgres", "valkey")


@dataclass(frozen=True)
class Held:
    """Resident memory of one part, in megabytes; shared pages count whole in `rss`."""

    name: str
    rss: float
    pss: float


def held_by(processes: dict[str, int]) -> list[Held]:
    """Return what each part of the portal holds with its children, the servers left out."""
    found = []
    for name, pid in sorted(processes.items()):
        if name not in SERVERS:
            family = [_rollup(one) for one in (pid, *_descendants(pid))]
            found.append(Held(name, sum(r for r, _ in family), sum(p for _, p in family)))
    return found


def _rollup(pid: int) -> tuple[float, float]:
    figures = {"Rss": 0.0, "Pss": 0.0}
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in figures:
                figures[name] = int(rest.split()[0]) / 1024
    return figures["Rss"], figures["Pss"]


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    if not _is_supervisor(pid):
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                for child in (task / "children").read_text().split():
                    found += [int(child), *_descendants(int(child))]
    return found


def _is_supervisor(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return b"apps.core.processes" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False
