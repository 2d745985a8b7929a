"""Live pages: one room for each view that people share, drawn once however many look.

A hint says that something changed; the room draws its page's parts again (at most four times a
second) and hands each seat the parts that differ. A seat keeps only the newest of each part, so
a slow reader costs no memory. One subscription to the channel layer serves the whole process.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC
from uuid import UUID
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.http import QueryDict
from django.utils import timezone, translation

from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.portal.pages import Look, Page, status_of
from apps.realtime.services import GROUP

logger = logging.getLogger(__name__)

SPACING = 0.25
TICK = 0.5
PERSONAL_ROLES = frozenset({"crew"})
CLOSE_OF_STATUS = {403: 4403, 404: 4404}
_painters = ThreadPoolExecutor(max_workers=2, thread_name_prefix="live")


@dataclass(frozen=True, slots=True)
class View:
    """What a room shows, and to whom: people with the same rights share it."""

    page: Page
    arguments: tuple[tuple[str, object], ...]
    query: str
    permissions: frozenset[str]
    role: str
    language: str
    person: UUID | None

    @classmethod
    def of(
        cls,
        page: Page,
        arguments: Mapping[str, object],
        query: str,
        actor: Actor,
        tongue: str,
    ) -> "View":
        """Return the view that this actor has of a page."""
        return cls(
            page=page,
            arguments=tuple(sorted(arguments.items())),
            query=query,
            permissions=actor.permissions,
            role=actor.role,
            language=tongue,
            person=actor.user_id if actor.role in PERSONAL_ROLES else None,
        )


@dataclass(eq=False, slots=True)
class Seat:
    """One open socket: the parts that wait to be sent, the newest of each.

    It is `blind` while its room cannot be drawn; its socket then is silent, so that the page
    shows that what stands on it is old.
    """

    actor: Actor
    waiting: dict[str, str] = field(default_factory=dict)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    close_code: int = 0
    blind: bool = False

    def give(self, parts: Mapping[str, str]) -> None:
        """Put parts where the socket's sender finds them."""
        if parts:
            self.waiting.update(parts)
            self.stirred.set()

    def dismiss(self, code: int) -> None:
        """Ask the socket to close with this code."""
        self.close_code = code
        self.stirred.set()

    def take(self) -> str:
        """Return what waits, as one frame."""
        self.stirred.clear()
        frame = "".join(self.waiting.values())
        self.waiting.clear()
        return frame


class Room:
    """Everybody who looks at the same view."""

    def __init__(self, view: View, actor: Actor) -> None:
        self.view = view
        self.actor = actor
        self.topics = view.page.topics(dict(view.arguments))
        self.seats: set[Seat] = set()
        self.drawn: dict[str, str] = {}
        self.due_at = 0.0
        self.blind = False
        self.stale = asyncio.Event()
        self.painter = asyncio.create_task(self._paint())

    def look_again(self) -> None:
        """Ask for the room to be drawn again soon."""
        self.stale.set()

    def sit(self, seat: Seat) -> None:
        """Take a newcomer in: they get what is on the wall, then a fresh look."""
        self.seats.add(seat)
        seat.blind = self.blind
        if not self.blind:
            seat.give(self.drawn)
        self.look_again()

    async def _paint(self) -> None:
        while True:
            await self.stale.wait()
            self.stale.clear()
            self.due_at = time.monotonic() + self.view.page.every
            try:
                self._hang(await self._draw())
                self._see(is_blind=False)
            except DomainError as refusal:
                self._empty(CLOSE_OF_STATUS.get(status_of(refusal), 1011))
            except Exception:
                logger.exception("Drawing the live page %s failed", self.view.page.name)
                self._see(is_blind=True)
            await asyncio.sleep(SPACING)

    async def _draw(self) -> dict[str, str]:
        draw = database_sync_to_async(draw_view, thread_sensitive=False, executor=_painters)
        drawn: dict[str, str] = await draw(self.view, self.actor)
        return drawn

    def _hang(self, parts: dict[str, str]) -> None:
        changed = {
            name: html for name, html in parts.items() if self.drawn.get(name) != html
        }
        self.drawn = parts
        for seat in self.seats:
            seat.give(changed)

    def _see(self, *, is_blind: bool) -> None:
        self.blind = is_blind
        for seat in self.seats:
            seat.blind = is_blind

    def _empty(self, code: int) -> None:
        for seat in self.seats:
            seat.dismiss(code)


def draw_view(view: View, actor: Actor) -> dict[str, str]:
    """Return the parts of a view as HTML, as they are now."""
    look = Look(dict(view.arguments), QueryDict(view.query), timezone.now().astimezone(UTC))
    with translation.override(view.language):
        return view.page.draw_parts(actor, look)


class Hub:
    """All rooms of one process, and its one subscription to hints."""

    def __init__(self) -> None:
        self.rooms: dict[View, Room] = {}
        self.tasks = [
            asyncio.create_task(self._listen()),
            asyncio.create_task(self._tick()),
        ]

    def enter(self, view: View, seat: Seat) -> None:
        """Seat a newcomer in the room of this view."""
        room = self.rooms.get(view)
        if room is None:
            room = self.rooms[view] = Room(view, seat.actor)
        room.sit(seat)

    def leave(self, view: View, seat: Seat) -> None:
        """Take a seat away, and the room with the last of them."""
        room = self.rooms.get(view)
        if room is None:
            return
        room.seats.discard(seat)
        if not room.seats:
            room.painter.cancel()
            del self.rooms[view]

    def hear(self, topics: Iterable[str]) -> None:
        """Let the rooms that these topics concern look again."""
        told = frozenset(topics)
        for room in self.rooms.values():
            if room.topics & told:
                room.look_again()

    async def _listen(self) -> None:
        while True:
            try:
                await self._subscribe()
            except Exception:
                logger.exception("The channel layer is out of reach; trying again")
                await asyncio.sleep(1)

    async def _subscribe(self) -> None:
        layer = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add(GROUP, channel)
        for room in self.rooms.values():
            room.look_again()
        until = time.monotonic() + 3600
        while time.monotonic() < until:
            message = await layer.receive(channel)
            self.hear(message.get("topics", ()))
        await layer.group_discard(GROUP, channel)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            for room in self.rooms.values():
                if room.due_at <= now:
                    room.look_again()


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """Return the hub of the running event loop."""
    loop = asyncio.get_running_loop()
    found = _hubs.get(loop)
    if found is None:
        found = _hubs[loop] = Hub()
    return found
