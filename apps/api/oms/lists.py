"""The quick door of the list of outages: callers who ask at the same time share one reading.

An ASGI application in front of Django for `GET /api/oms/outages` of those who see all outages.
A call that comes in while the list is read waits for the next reading, so that every answer is
as fresh as one read for it alone, while a control room full of screens costs one query. What
is not a plain call, or is refused for whatever reason, is passed on to the view.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import close_old_connections
from django.utils import timezone

from apps.accounts.selectors import actor_of_bearer
from apps.api.limits import RateClass, count
from apps.api.oms.doors import (
    App,
    Receive,
    Scope,
    Send,
    Turns,
    bearer_of,
    limit_headers,
    plain_headers,
    send_json,
)
from apps.api.oms.pages import OpenPages, Window
from apps.api.oms.serializers.outages import FARTHEST_OFFSET, LARGEST_PAGE

PATH = "/api/oms/outages"
VIEW = "outages.view_outage"
DEFAULT_LIMIT = 50
MOST_CALLS = 1_000

Limits = list[tuple[bytes, bytes]]

_QUERY = re.compile(rb"(?:limit=(\d{1,3}))?(?:(?:^|&)offset=(\d{1,8}))?", re.ASCII)


@dataclass(slots=True)
class Call:
    """One caller who waits for a page."""

    token: str
    window: Window


@dataclass(frozen=True, slots=True)
class Page:
    """A page, encoded, and what is left of the caller's limit."""

    body: bytes
    limits: Limits


class QuickList:
    """Answers the list of outages; passes everything else to the inner application."""

    def __init__(self, inner: App) -> None:
        self.inner = inner
        self.pages = OpenPages()
        self.turns = Turns[Call, Page]("lists", self.answer_calls, MOST_CALLS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        asked = _asked(scope)
        if asked is not None:
            headers, window = asked
            page = await self.turns.take(Call(bearer_of(headers), window))
            if page is not None:
                await send_json(send, headers, 200, page.body, page.limits)
                return
        await self.inner(scope, receive, send)

    def answer_calls(self, calls: Sequence[Call]) -> list[Page | None]:
        """Return the page of each call, each page read once; None where the view has to answer."""
        try:
            seeing = _who_sees(Counter(call.token for call in calls))
            wanted = {call.window for call in calls if call.token in seeing}
            pages = self.pages.read(wanted) if wanted else {}
        except Exception:  # noqa: BLE001 - the view meets the same fault and words it
            return [None for _ in calls]
        finally:
            close_old_connections()
        return [
            Page(pages[call.window], seeing[call.token]) if call.token in seeing else None
            for call in calls
        ]


def _who_sees(calls: Mapping[str, int]) -> dict[str, Limits]:
    """Return the tokens whose holders see every outage, with what is left of their limit.

    Who asks more often than they may is left to the view, which words it.
    """
    at = timezone.now()
    found: dict[str, Limits] = {}
    for token, number in calls.items():
        actor = actor_of_bearer(token, at=at)
        if actor is None or not actor.may(VIEW):
            continue
        told = count(actor, "", RateClass.STANDARD, at=at.timestamp(), calls=number)
        if told is None or told.granted == number:
            found[token] = limit_headers(told)
    return found


def _asked(scope: Scope) -> tuple[dict[bytes, bytes], Window] | None:
    """Return the headers and the window of a plain call for the list, else None."""
    if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != PATH:
        return None
    window = _QUERY.fullmatch(scope["query_string"])
    headers = plain_headers(scope) if window else None
    if window is None or headers is None or not bearer_of(headers):
        return None
    limit, offset = int(window[1] or DEFAULT_LIMIT), int(window[2] or 0)
    fits = 1 <= limit <= LARGEST_PAGE and offset <= FARTHEST_OFFSET
    return (headers, (limit, offset)) if fits else None
