"""What one supervised process is."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from apps.core.processes import linux


@dataclass(frozen=True)
class Part:
    """A process of the portal.

    Parts start stage by stage and stop in the reverse order. `ready` is asked with the
    process id; a part without it is ready once it runs. `patience` is how many times it may
    end within a minute before that counts as a loop; a part that runs `once` is not brought
    back.
    """

    name: str
    stage: int
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[int], bool] | None = None
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 15.0
    patience: int = 3
    descriptors: tuple[int, ...] = ()
    once: bool = False


def launch(part: Part, log: Path) -> "subprocess.Popen[bytes]":
    """Start the part's process in a session of its own; it dies when its starter does."""
    with log.open("ab") as out:
        return subprocess.Popen(  # noqa: S603
            part.command,
            env={**os.environ, **part.environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            pass_fds=part.descriptors,
            start_new_session=True,
            preexec_fn=linux.child_setup(part.stop_signal),
        )
