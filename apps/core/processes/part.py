"""What one supervised process is."""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Part:
    """A process of the portal.

    Parts start stage by stage and stop in the reverse order. `ready` is asked with the process
    id; a part without it is ready once it runs. `patience` is how many times it may end within
    a minute before that counts as a loop.
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
