"""Refuse at the door: a body that is too large, a socket that nobody serves."""

import json

from django.conf import settings
from django.utils import timezone

from apps.api.oms.doors import App, Message, Receive, Scope, Send, send_json
from apps.api.problems import Problem, wording

TOO_LARGE = Problem(413, "The request is too large.")


class _TooLarge(Exception):
    """The body went beyond the limit while it was read."""


class BodyLimit:
    """An ASGI application in front of another one that counts the bytes of each body."""

    def __init__(self, application: App) -> None:
        self.application = application
        self.limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 413."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        if _declared(scope) > self.limit:
            await _refuse(scope, send)
            return
        try:
            await self.application(scope, self._counting(receive), send)
        except _TooLarge:
            await _refuse(scope, send)

    def _counting(self, receive: Receive) -> Receive:
        seen = 0

        async def counting() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.limit:
                raise _TooLarge
            return message

        return counting


def _declared(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0


async def _refuse(scope: Scope, send: Send) -> None:
    """Answer 413 and leave the connection open.

    The server goes on to read the rest of the body and throws it away. To close with data
    unread would reset the connection, and a caller that still sends would never see the answer.
    """
    body = json.dumps(wording(TOO_LARGE, scope["path"], timezone.now())).encode()
    await send_json(send, dict(scope["headers"]), 413, body)


async def refuse_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse the handshake of a socket whose address nobody serves."""
    await receive()
    await send({"type": "websocket.close"})
