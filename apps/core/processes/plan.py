"""Which processes a portal consists of, and what each needs."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apps.core.processes import postgres, valkey
from apps.core.processes.folder import Folder, socket_folder
from apps.core.processes.part import Part
from apps.core.processes.refusal import Refusal

SERVING, WORKING, DRIVING = 2, 3, 4
WEB_WORKERS = 2
TASK_THREADS = 4
TASK_WORKERS = 2
OPTIONAL = frozenset({"relay", "simulate"})
WEB_STATEMENT_TIMEOUT = "20s"
EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - an address that is replaced
BROKER_VARIABLES = ("BROKER_URL", "CHANNEL_URL", "CACHE_URL")


@dataclass(frozen=True)
class Wish:
    """What the person who starts the portal asked for.

    `commands` are those of the OPTIONAL management commands that exist here: a part whose
    command does not is left out.
    """

    var: Path
    host: str
    port: int
    web_workers: int
    task_workers: int
    demo: bool
    commands: frozenset[str]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    @property
    def address(self) -> str:
        """Return where a browser on this machine finds the portal."""
        host = "127.0.0.1" if self.host in EVERYWHERE else self.host
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}"


def number(environment: Mapping[str, str], name: str, default: int, highest: int) -> int:
    """Return a whole number from 1 to `highest` out of the environment, or refuse."""
    text = environment.get(name, "") or str(default)
    if text.isascii() and text.isdigit() and 1 <= int(text) <= highest:
        return int(text)
    raise Refusal(f"{name} must be a whole number from 1 to {highest}, not {text!r}.")


def servers(
    wish: Wish, folder: Folder, sockets: Path
) -> dict[str, tuple[Part, dict[str, Any]]]:
    """Return the embedded servers that no setting replaces, each with its address."""
    found: dict[str, tuple[Part, dict[str, Any]]] = {}
    if not wish.environment.get("DATABASE_URL"):
        found["postgres"] = (postgres.part(folder, sockets), postgres.address(sockets))
    if not all(wish.environment.get(name) for name in BROKER_VARIABLES):
        found["valkey"] = (valkey.part(folder, sockets), valkey.address(sockets))
    return found


def preparation(wish: Wish) -> Part:
    """Return the step that brings the database up to date and loads the demo."""
    words = ["--demo"] if wish.demo else []
    return Part("prepare", SERVING, _manage("prepare", *words), once=True)


def web(wish: Wish, folder: Folder, descriptor: int) -> list[Part]:
    """Return what serves people and machines; alone at first, so that they wait less."""
    shared, many = {}, wish.web_workers
    if many > 1:
        shared["CALLS_SOCKET"] = str(socket_folder(folder.var) / "calls")
    marks = folder.var / "ready"
    marks.mkdir(mode=0o700, exist_ok=True)
    found = []
    for place in range(many):
        mark = marks / f"web-{place + 1}"
        words = ["--fd", str(descriptor), "--ready-file", str(mark), "--of", str(many)]
        words += ["--counts", str(marks / "connections"), "--place", str(place)]
        found.append(_web(mark, descriptor, words, shared))
    return found


def workers(wish: Wish) -> list[Part]:
    """Return what works behind the pages."""
    found = []
    if "relay" in wish.commands:
        found.append(Part("relay", WORKING, _manage("relay")))
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    pool = ("-P", "threads", "-c", str(TASK_THREADS), "-l", "INFO")
    for n in range(1, wish.task_workers + 1):
        words = (*pool, *quiet, "-n", f"{n}@%h")
        command = _celery("worker", *words)
        found.append(Part(f"worker-{n}", WORKING, command, environment=_pooled()))
    return found


def drivers(wish: Wish) -> list[Part]:
    """Return what makes things happen by itself."""
    found = [Part("beat", DRIVING, (sys.executable, "-m", "oms.clock"))]
    if wish.demo and "simulate" in wish.commands:
        found.append(Part("simulator", DRIVING, _manage("simulate")))
    return found


def _web(
    mark: Path, descriptor: int, words: Sequence[str], shared: Mapping[str, str]
) -> Part:
    return Part(
        name=mark.name,
        stage=SERVING,
        command=_manage("serve", *words),
        environment={
            **_pooled(),
            **shared,
            "STATEMENT_TIMEOUT": os.environ.get("STATEMENT_TIMEOUT", WEB_STATEMENT_TIMEOUT),
        },
        ready=lambda pid: _says(mark, pid),
        descriptors=(descriptor,),
    )


def _pooled() -> dict[str, str]:
    """Return the setting that keeps connections: a new one for each call or task costs more."""
    return {"DATABASE_POOL": os.environ.get("DATABASE_POOL", "1")}


def _says(mark: Path, pid: int) -> bool:
    try:
        return mark.read_text() == str(pid)
    except OSError:
        return False


def _manage(*words: str) -> tuple[str, ...]:
    return (sys.executable, "manage.py", *words)


def _celery(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "celery", "-A", "oms", *words)
