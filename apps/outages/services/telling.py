"""How often screens are told at once of what came in, before it is judged."""

import threading
import time

MOST_A_SECOND = 20
"""So many batches of one process; of more the judge tells what they changed."""


class Telling:
    """Counts what was told of in each second. Threads share it."""

    def __init__(self, most: int = MOST_A_SECOND) -> None:
        self._most = most
        self._since, self._count = float("-inf"), 0
        self._lock = threading.Lock()

    def may(self) -> bool:
        """Return whether one more may be told of now, and count it."""
        now = time.monotonic()
        with self._lock:
            if now >= self._since + 1.0:
                self._since, self._count = now, 0
            self._count += 1
            return self._count <= self._most


telling = Telling()
