"""What the quick doors in front of Django share: the shapes of ASGI, and how they answer."""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from uuid import uuid4

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")


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
