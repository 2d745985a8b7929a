"""What the quick doors in front of Django share: whom they let in, how they gather and answer.

What Django's middleware would refuse or redirect, and whatever is not plain to see, is passed
on to Django; what is answered here bears the headers that Django's middleware adds.
"""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from functools import cache, lru_cache
from io import BytesIO
from typing import Any, Generic, TypeVar
from uuid import uuid4

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse
from django.http.request import split_domain_port, validate_host
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware

from apps.api.limits import headers_of
from apps.core.limits import Allowance

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

Call = TypeVar("Call")
Answer = TypeVar("Answer")

# Whoever has just been answered and sends at once shares the next turn with those who wait
# already: fewer turns, each larger. It begins when as many more wait as were answered, or after
# that long. Without those who wait already, two halves would take turns for good.
GATHER_SECONDS = 0.004
AGAIN_SECONDS = 0.003

_JSON_KINDS = frozenset({b"*/*", b"application/*", b"application/json"})
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")


class Again(Enum):
    """Said of a call that cannot be answered yet and takes part in the next turn, too."""

    LATER = "later"


class Turns(Generic[Call, Answer]):
    """Works calls off on threads of its own, turn by turn.

    A call that comes in while every thread has a turn waits for the next and shares it with all
    others that did: what a turn costs is divided among them, and nothing is read before it was
    asked for.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Sequence[Call]], Sequence[Answer | Again | None]],
        most: int,
        threads: int = 1,
    ) -> None:
        """Work off at most so many calls a turn; `work` answers each with something or None."""
        self.work = work
        self.most = most
        self.threads = threads
        self.waiting: list[tuple[Call, asyncio.Future[Answer | None]]] = []
        self.running = 0
        self.wanted = 0
        self.enough: asyncio.Future[None] | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def take(self, call: Call) -> Answer | None:
        """Return the answer to the call; None where there is none, or the server stops."""
        answered: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self.waiting.append((call, answered))
        if len(self.waiting) >= self.wanted:
            self._begin()
        if self.running < self.threads:
            self.running += 1
            task = asyncio.create_task(self._run())
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        return await answered

    async def _run(self) -> None:
        """Take turns until nobody waits."""
        loop = asyncio.get_running_loop()
        while self.waiting:
            turn, self.waiting = self.waiting[: self.most], self.waiting[self.most :]
            answers: Sequence[Answer | Again | None] = [None] * len(turn)
            # Where it fails, or the server is stopping, whoever is behind us words it.
            with contextlib.suppress(Exception):
                calls = [call for call, _ in turn]
                answers = await loop.run_in_executor(self.pool, self.work, calls)
            again = []
            for one, answer in zip(turn, answers, strict=True):
                if answer is Again.LATER:
                    again.append(one)
                elif not one[1].done():
                    one[1].set_result(answer)
            self.waiting = again + self.waiting
            answered = len(turn) - len(again)
            if answered == 0:
                await asyncio.sleep(AGAIN_SECONDS)
            elif len(turn) > 1:
                await self._gather(min(answered + len(self.waiting), self.most))
        self.running -= 1

    async def _gather(self, wanted: int) -> None:
        """Wait until so many calls wait, but not for long."""
        if len(self.waiting) >= wanted:
            return
        loop = asyncio.get_running_loop()
        self._begin()
        self.wanted, self.enough = wanted, loop.create_future()
        limit = loop.call_later(GATHER_SECONDS, self._begin)
        await self.enough
        limit.cancel()

    def _begin(self) -> None:
        """Let the next turn begin that gathers."""
        if self.enough is not None and not self.enough.done():
            self.enough.set_result(None)


def plain_headers(scope: Scope) -> dict[bytes, bytes] | None:
    """Return the headers of a request that Django would let in and answer with JSON, else None.

    None also where one is there twice: how the two are read together is up to Django.
    """
    headers = dict(scope["headers"])
    hosts = tuple(settings.ALLOWED_HOSTS)
    plain = (
        len(headers) == len(scope["headers"])
        and _is_served(headers.get(b"host", b""), hosts)
        and _takes_json(headers.get(b"accept", b"*/*"))
        and (scope["scheme"] == "https" or not settings.SECURE_SSL_REDIRECT)
    )
    return headers if plain else None


def bearer_of(headers: dict[bytes, bytes]) -> str:
    """Return the token that the request bears, or nothing."""
    said = headers.get(b"authorization", b"").decode("latin-1").strip()
    kind, _, token = said.partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


async def send_json(
    send: Send,
    headers: dict[bytes, bytes],
    status: int,
    body: bytes,
    more: Sequence[tuple[bytes, bytes]] = (),
) -> None:
    """Send one answer under the request's own id where that is usable, else a new one.

    `more` are headers beyond those that every answer bears.
    """
    given = headers.get(b"x-request-id", b"")
    named = given if _REQUEST_ID.fullmatch(given) else str(uuid4()).encode()
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                (b"x-request-id", named),
                *_safe_headers(),
                *more,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


def limit_headers(allowance: Allowance | None) -> Headers:
    """Return what an answer says of the caller's limit."""
    told = headers_of(allowance)
    return [(name.lower().encode(), text.encode()) for name, text in told.items()]


@lru_cache(maxsize=1024)
def _is_served(host: bytes, hosts: tuple[str, ...]) -> bool:
    domain, _ = split_domain_port(host.decode("latin-1"))
    return bool(domain) and validate_host(domain, hosts)


@lru_cache(maxsize=1024)
def _takes_json(accepts: bytes) -> bool:
    kinds = {part.partition(b";")[0].strip() for part in accepts.split(b",")}
    return not _JSON_KINDS.isdisjoint(kinds)


@cache
def _safe_headers() -> tuple[tuple[bytes, bytes], ...]:
    """Return what Django's middleware tells browsers with every answer."""
    scheme = "https" if settings.SECURE_SSL_REDIRECT else "http"
    scope = {"method": "GET", "path": "/", "headers": [], "scheme": scheme}
    request, response = ASGIRequest(scope, BytesIO()), HttpResponse()
    del response.headers["Content-Type"]
    for middleware in (SecurityMiddleware, XFrameOptionsMiddleware):
        middleware(lambda _: response).process_response(request, response)
    return tuple((k.lower().encode(), v.encode()) for k, v in response.headers.items())
