"""What the quick doors in front of Django share: how they gather calls, and how they answer."""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar
from uuid import uuid4

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

Call = TypeVar("Call")
Answer = TypeVar("Answer")

# Whoever has just been answered and sends at once shares the next turn, too: half as many
# turns, each twice as large.
GATHER_SECONDS = 0.0015

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")


class Turns(Generic[Call, Answer]):
    """Works calls off on a thread of its own, turn by turn.

    A call that comes in during a turn waits for the next and shares it with all others that
    did: what a turn costs is divided among them, and nothing is read before it was asked for.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Sequence[Call]], Sequence[Answer | None]],
        most: int,
    ) -> None:
        """Work off at most so many calls a turn; `work` answers each with something or None."""
        self.work = work
        self.most = most
        self.waiting: list[tuple[Call, asyncio.Future[Answer | None]]] = []
        self.running: asyncio.Task[None] | None = None
        self.thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def take(self, call: Call) -> Answer | None:
        """Return the answer to the call; None where there is none, or the server stops."""
        answered: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self.waiting.append((call, answered))
        if self.running is None:
            self.running = asyncio.create_task(self._run())
        return await answered

    async def _run(self) -> None:
        """Take turns until nobody waits."""
        loop = asyncio.get_running_loop()
        while self.waiting:
            turn, self.waiting = self.waiting[: self.most], self.waiting[self.most :]
            answers: Sequence[Answer | None] = [None] * len(turn)
            # Where it fails, or the server is stopping, whoever is behind us words it.
            with contextlib.suppress(Exception):
                calls = [call for call, _ in turn]
                answers = await loop.run_in_executor(self.thread, self.work, calls)
            for (_, answered), answer in zip(turn, answers, strict=True):
                if not answered.done():
                    answered.set_result(answer)
            if len(turn) > 1:
                await asyncio.sleep(GATHER_SECONDS)
        self.running = None


async def send_json(send: Send, scope: Scope, status: int, body: bytes) -> None:
    """Send one answer under the request's own id where that is usable, else a new one."""
    given = dict(scope["headers"]).get(b"x-request-id", b"")
    named = given if _REQUEST_ID.fullmatch(given) else str(uuid4()).encode()
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                (b"x-request-id", named),
                (b"x-content-type-options", b"nosniff"),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
