"""The sockets of live pages: who is let in, what wakes them, and when they close."""

import asyncio
from time import monotonic

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from apps.accounts.services import set_role
from apps.core.actor import system
from apps.portal import live, overview, sockets
from apps.portal.sockets import HEARTBEAT, RIGHTS_CHANGED, LiveConsumer
from apps.realtime.services import hint

WAIT = 20


@pytest.fixture
def socket(live_portal, city):
    """Open sockets as somebody of a role: `socket("operator", "overview")`."""
    opened = []

    def open_socket(role, page, origin=live_portal):
        headers = {"Cookie": f"sessionid={session_of(city, role)}"} if role else {}
        url = f"{live_portal.replace('http', 'ws')}/live/{page}"
        made = connect(url, origin=origin, additional_headers=headers, open_timeout=WAIT)
        opened.append(made)
        return made

    yield open_socket
    for one in opened:
        one.close()


def session_of(city, role):
    client = Client()
    client.force_login(
        city.person(role), backend="django.contrib.auth.backends.ModelBackend"
    )
    return client.cookies["sessionid"].value


def closed_with(opened):
    with pytest.raises(ConnectionClosed) as closing:
        drain(opened)
    return closing.value.rcvd.code


def drain(opened):
    while True:
        opened.recv(timeout=WAIT)


def heard(opened, text):
    """Read until a frame holds the text; heartbeats alone do not keep anybody waiting."""
    until = monotonic() + WAIT
    while text not in (frame := opened.recv(timeout=max(0.0, until - monotonic()))):
        continue
    return frame


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "http://elsewhere.example",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "http://127.0.0.1.elsewhere.example",
        "ftp://127.0.0.1",
    ],
)
def test_a_foreign_page_is_refused(socket, origin):
    with pytest.raises(InvalidStatus):
        socket("operator", "overview", origin=origin)


def test_who_is_not_signed_in_or_may_not_look_is_sent_away(socket):
    assert closed_with(socket(None, "overview")) == 4401
    assert closed_with(socket("user", "overview")) == 4403
    unknown = "outages/00000000-0000-4000-8000-000000000000"
    assert closed_with(socket("operator", unknown)) == 4404


def test_an_event_reaches_everybody_who_looks(socket, city, relay_now):
    watching = [socket("operator", "overview"), socket("ops_manager", "overview")]
    for one in watching:
        heard(one, "Nothing is out.")
    city.report("scada", "breaker_trip", 0, device_id="CB-4")
    relay_now(city.at)
    for one in watching:
        frame = heard(one, "CB-4")
        assert 'id="live-outages"' in frame
        assert 'hx-swap-oob="morph"' in frame


def test_people_with_the_same_rights_share_one_drawing(socket, monkeypatch):
    drawn = []
    draw = live.draw_view
    monkeypatch.setattr(
        live, "draw_view", lambda view, actor: drawn.append(view) or draw(view, actor)
    )
    crowd = [socket("operator", "outages") for _ in range(8)]
    for one in crowd:
        heard(one, "live-list")
    before = len(drawn)
    for _ in range(20):
        hint(topics=["outages"])
    with pytest.raises(TimeoutError):
        crowd[0].recv(timeout=1.5)
    assert 1 <= len(drawn) - before <= 3


def test_a_page_that_cannot_be_drawn_falls_silent_until_it_can(socket, monkeypatch):
    monkeypatch.setattr(sockets, "BEAT", 0.2)
    monkeypatch.setattr(sockets, "RECHECK", 0.1)
    early = socket("operator", "outages")
    heard(early, "live-list")
    heard(early, HEARTBEAT)

    def fail(view, actor):
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(live, "draw_view", fail)
        hint(topics=["outages"])
        late = socket("engineer", "outages")
        for one in (early, late):
            falls_silent(one)
    hint(topics=["outages"])
    for one in (early, late):
        heard(one, HEARTBEAT)


def falls_silent(opened):
    with pytest.raises(TimeoutError):
        listen(opened)


def listen(opened):
    for _ in range(WAIT * 5):
        opened.recv(timeout=2)


def test_who_gets_another_role_is_sent_away_within_seconds(socket, city):
    opened = socket("operator", "crews")
    heard(opened, "live-active")
    begun = monotonic()
    set_role(
        user_id=city.person("operator").id, role="user", by=system(), at=timezone.now()
    )
    assert closed_with(opened) == RIGHTS_CHANGED
    assert monotonic() - begun < 5


def test_an_ended_session_ends_its_sockets(socket):
    opened = socket("operator", "crews")
    heard(opened, "live-active")
    Session.objects.all().delete()
    assert closed_with(opened) == 4401


def test_who_talks_is_closed(socket):
    opened = socket("operator", "crews")
    opened.send("x" * 2000)
    assert closed_with(opened) == 1008


def test_who_leaves_while_something_is_sent_ends_the_sending_in_peace():
    class ClientGoneError(OSError):
        pass

    async def gone(message):
        raise ClientGoneError

    async def serve():
        consumer = LiveConsumer(overview.PAGE)
        consumer.base_send = gone
        seat = live.Seat(actor=None)
        seat.give({"part": "<p>news</p>"})
        await asyncio.wait_for(consumer._serve(seat), WAIT)
        return seat.close_code

    assert asyncio.run(serve()) == 1001
