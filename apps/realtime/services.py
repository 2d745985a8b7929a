"""Tell open sockets that something changed. A hint says where to look, never what is there.

Hints may be lost: every live page looks again by itself now and then.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Iterable

from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

GROUP = "portal"
GATHER_SECONDS = 0.05


class _Sender:
    """Gathers topics for a moment and sends them as one message, beside its callers.

    A storm of changes costs the relay a set insertion each and the channel layer at most
    twenty messages a second.
    """

    def __init__(self) -> None:
        self.topics: set[str] = set()
        self.lock = threading.Lock()
        self.waiting = threading.Event()
        self.thread: threading.Thread | None = None

    def add(self, topics: Iterable[str]) -> None:
        """Take topics to be sent within a moment."""
        with self.lock:
            self.topics.update(topics)
            if self.thread is None or not self.thread.is_alive():
                self.thread = threading.Thread(target=self._run, name="hints", daemon=True)
                self.thread.start()
        self.waiting.set()

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            while True:
                self.waiting.wait()
                time.sleep(GATHER_SECONDS)
                self.waiting.clear()
                with self.lock:
                    told, self.topics = sorted(self.topics), set()
                if told:
                    runner.run(_send(told))


async def _send(topics: list[str]) -> None:
    try:
        await get_channel_layer().group_send(GROUP, {"type": "hint", "topics": topics})
    except Exception:
        logger.exception("A hint could not be sent; pages look again by themselves")


_sender = _Sender()


def hint(*, topics: Iterable[str]) -> None:
    """Let the live pages that these topics concern look again."""
    _sender.add(topics)
