"""The door of live pages: session and Origin are checked, then parts are sent as they change."""

import asyncio
import time
from collections import Counter
from contextlib import suppress
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, parse_cookie
from django.urls import path
from django.utils.translation import get_language_from_request

from apps.accounts import selectors as accounts
from apps.core.actor import Actor
from apps.portal import (
    approvals,
    audit,
    calls,
    crews,
    events,
    feeder,
    grid,
    machines,
    mail,
    notices,
    outage,
    outages,
    overview,
    people,
    planned,
    profile,
    regroup,
    replay,
    shift,
    storm,
    why,
    work,
)
from apps.portal.live import Seat, View, hub
from apps.portal.pages import Page

BEAT = 10.0
RECHECK = 4.0
SEND_WITHIN = 8.0
SOCKETS_A_PERSON = 20
FRAMES_TAKEN = 20
HEARTBEAT = "<!-- beat -->"
SIGNED_OUT, TOO_MANY, RIGHTS_CHANGED, TOO_SLOW = 4401, 4429, 1012, 4408
LEFT = 1001

_open: Counter[Any] = Counter()


def headers_of(scope: dict[str, Any]) -> dict[str, str]:
    """Return the headers of a handshake by lower-case name."""
    return {
        name.decode("latin1"): value.decode("latin1") for name, value in scope["headers"]
    }


def is_own_origin(scope: dict[str, Any]) -> bool:
    """Return whether the page that opens the socket is ours: same scheme, host and port."""
    headers = headers_of(scope)
    origin = headers.get("origin", "")
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    parts = urlsplit(origin)
    schemes = {"https"} if settings.HTTPS else {"http", "https"}
    return parts.scheme in schemes and parts.netloc == headers.get("host", "")


def request_of(scope: dict[str, Any]) -> HttpRequest:
    """Return the handshake as a request with its session, for Django's own checks."""
    cookies = parse_cookie(headers_of(scope).get("cookie", ""))
    store = import_module(settings.SESSION_ENGINE).SessionStore
    request = HttpRequest()
    request.COOKIES = cookies
    request.META["HTTP_ACCEPT_LANGUAGE"] = headers_of(scope).get("accept-language", "")
    request.session = store(cookies.get(settings.SESSION_COOKIE_NAME))
    return request


def who(scope: dict[str, Any]) -> tuple[Actor | None, str]:
    """Return who is signed in on this handshake's session, and their language."""
    request = request_of(scope)
    user = auth.get_user(request)
    if not user.is_authenticated:
        return None, ""
    return accounts.actor_of_user(user), get_language_from_request(request)


class LiveConsumer(AsyncWebsocketConsumer):
    """One open socket of a live page. It listens to nobody: people act through the pages."""

    channel_layer_alias = "none"

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page

    seat: Seat | None = None
    view: View
    sender: asyncio.Task[None] | None = None
    counted: Any = None
    frames = 0

    async def connect(self) -> None:
        """Refuse strangers, seat the others."""
        if not is_own_origin(self.scope):
            await self.close()
            return
        actor, language = await database_sync_to_async(who)(self.scope)
        await self.accept()
        if actor is None:
            await self.close(SIGNED_OUT)
            return
        if _open[actor.user_id] >= SOCKETS_A_PERSON:
            await self.close(TOO_MANY)
            return
        self.counted = actor.user_id
        _open[self.counted] += 1
        query = self.scope["query_string"].decode("latin1")
        arguments = self.scope["url_route"]["kwargs"]
        self.view = View.of(self.page, arguments, query, actor, language)
        self.seat = Seat(actor)
        hub().enter(self.view, self.seat)
        self.sender = asyncio.create_task(self._serve(self.seat))

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        """Take nothing from the page; close on whoever goes on talking."""
        self.frames += 1
        if (
            bytes_data is not None
            or self.frames > FRAMES_TAKEN
            or len(text_data or "") > 1024
        ):
            await self.close(1008)

    async def close(self, code: Any = None, reason: str | None = None) -> None:
        """Close; whoever has left already needs no closing."""
        with suppress(OSError):
            await super().close(code, reason)

    async def disconnect(self, code: int) -> None:
        """Give the seat back."""
        if self.seat is not None:
            hub().leave(self.view, self.seat)
            self.seat = None
        if self.sender is not None:
            self.sender.cancel()
        if self.counted is not None:
            _open[self.counted] -= 1
            if not _open[self.counted]:
                del _open[self.counted]
            self.counted = None

    async def _serve(self, seat: Seat) -> None:
        """Send what waits, a heartbeat in silence, and look who is still signed in."""
        beaten_at = checked_at = time.monotonic()
        while not seat.close_code:
            with suppress(TimeoutError):
                await asyncio.wait_for(seat.stirred.wait(), RECHECK)
            now = time.monotonic()
            frame = seat.take()
            if not frame and not seat.blind and now - beaten_at >= BEAT:
                frame = HEARTBEAT
            if frame and not seat.close_code:
                await self._send_in_time(seat, frame)
                beaten_at = now
            if now - checked_at >= RECHECK:
                checked_at = now
                await self._check(seat)
        await self.close(seat.close_code)

    async def _send_in_time(self, seat: Seat, frame: str) -> None:
        """Send the frame; who takes too long, or has left already, loses the seat.

        The server says by an OSError (uvicorn's ClientDisconnected) that nobody is there.
        """
        try:
            async with asyncio.timeout(SEND_WITHIN):
                await self.send(text_data=frame)
        except TimeoutError:
            seat.dismiss(TOO_SLOW)
        except OSError:
            seat.dismiss(LEFT)

    async def _check(self, seat: Seat) -> None:
        actor, _language = await database_sync_to_async(who)(self.scope)
        if actor is None:
            seat.dismiss(SIGNED_OUT)
        elif (actor.permissions, actor.role) != (seat.actor.permissions, seat.actor.role):
            seat.dismiss(RIGHTS_CHANGED)


def _live(route: str, page: Page) -> Any:
    return path(f"live/{route}", LiveConsumer.as_asgi(page=page))


websocket_urlpatterns = [
    _live("overview", overview.PAGE),
    _live("outages", outages.PAGE),
    _live("outages/<str:outage_id>", outage.PAGE),
    _live("outages/<str:outage_id>/why", why.PAGE),
    _live("outages/<uuid:outage_id>/regroup", regroup.PAGE),
    _live("crews", crews.PAGE),
    _live("notices", notices.PAGE),
    _live("events", events.PAGE),
    _live("calls", calls.PAGE),
    _live("network", grid.PAGE),
    _live("network/<path:code>", grid.DEVICE),
    _live("feeders/<path:code>", feeder.PAGE),
    _live("shift", shift.PAGE),
    _live("bad-night", storm.PAGE),
    _live("work", work.PAGE),
    _live("replay", replay.PAGE),
    _live("replay/<uuid:run_id>", replay.ONE),
    _live("planned", planned.PAGE),
    _live("planned/<int:work_id>", planned.ONE),
    _live("approvals", approvals.PAGE),
    _live("people", people.PAGE),
    _live("machines", machines.PAGE),
    _live("mail", mail.PAGE),
    _live("profile", profile.PAGE),
    _live("audit", audit.PAGE),
]
