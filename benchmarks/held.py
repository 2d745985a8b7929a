"""What can be held: events at a steady rate, and how soon one of them is on a screen meanwhile.

Run with `python -m benchmarks.held [--minutes 10]`. A portal of its own takes in hard storms, one
after the other, at 1,000 events a second; then as many as it can for a minute. Beside that a
person's page of one outage stays open, and calls about it come in one by one.
"""

import argparse
import http.client
import itertools
import json
import re
import statistics
import threading
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import orjson
from websockets.sync.client import connect

from benchmarks import load, servers
from benchmarks.portal import EVENTS_PATH, Portal, portal
from benchmarks.report import Line, say, write
from benchmarks.storm import METERS, RULE, WAITING, by_rule, storm_on

BATCH, FLOOD_BATCH = 250, 5_000
CONNECTIONS = 4
STEADY, FLOOD = 1_000, 20_000
FLOOD_SECONDS, LONGEST_BACKLOG = 60.0, 60.0
LONGEST_ON_SCREEN = 1_000.0
APART = timedelta(hours=5)
CALLED = re.compile(r"Call cent(?:re|er) (\d+)")
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
NOTES = (
    "Hard storms on 30,000 meters, one after the other: batches of 250 at the steady rate, of "
    "5,000 in the flood, over 4 connections.",
    "The peer of the flood is the rule as one call of a database for each event, as for the storm.",
    "The backlog is gone when no part of the network waits to be judged and no event waits in "
    "the outbox.",
    "On the screen: from before the call that reports an event to the frame of the outage's live "
    "page that counts it, about one a second; the peer is the answer to the same call.",
)


@dataclass
class Screen:
    """An open page of one outage; seconds that calls about it took to be answered and seen."""

    running: Portal
    rate: int
    seen: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    count: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Report calls, one after the other, and wait for each to be seen, until told to stop."""
        outage_id = self._report()["outage_id"]
        host, port = self.running.address
        with connect(
            f"ws://{host}:{port}/live/outages/{outage_id}",
            additional_headers={"Cookie": _signed_in(self.running)},
            origin=f"http://{host}:{port}",  # type: ignore[arg-type]
            max_size=None,
        ) as socket:
            self._until_seen(socket)
            while not self.over.wait(1.0):
                began = time.perf_counter()
                self._report()
                self.answered.append(time.perf_counter() - began)
                self._until_seen(socket)
                self.seen.append(time.perf_counter() - began)

    def _until_seen(self, socket: Any) -> None:
        for message in socket:
            found = CALLED.search(message if isinstance(message, str) else "")
            if found and int(found[1]) >= self.count:
                return

    def _report(self) -> dict[str, Any]:
        self.count += 1
        now = datetime.now(tz=UTC).isoformat()  # noqa: TID251 - a measurement has no caller
        event = {
            "event_type": "no_power",
            "source_type": "call_center",
            "source_event_id": f"held-{self.rate}-{self.count}",
            "timestamp": now,
            "latitude": 10.0 + self.rate / 1_000,
            "longitude": 20.0,
        }
        return self.running.report(event)


@dataclass(frozen=True)
class Held:
    """How a rate was held: events and seconds of sending, and of the backlog afterwards."""

    events: int
    sent: float
    backlog: float
    latest: float
    screen: Screen


def main() -> None:
    """Measure both, print and keep the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.held", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    options = parser.parse_args()
    out = servers.HOME / "held.ndjson"
    with portal() as running:
        storm_on(running, out, meters=METERS, kind="hard", seed=7)
        storms = _storms([orjson.loads(line) for line in out.read_bytes().splitlines()])
        steady = _hold(running, storms, STEADY, BATCH, 60 * options.minutes)
        lines = [*_steady(steady, options.minutes)]
        peer = by_rule(running, out)
        flood = _hold(running, storms, FLOOD, FLOOD_BATCH, FLOOD_SECONDS)
        lines += _flood(flood, (peer + by_rule(running, out)) / 2)
    say("\n" + write("held", "What can be held", lines, NOTES))


def _storms(events: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Return the events of the storm, then those of the same one earlier, and so on."""
    for number in itertools.count():
        for event in events:
            moved = {
                name: _earlier(event[name], number * APART)
                for name in ("timestamp", "received_at")
                if name in event
            }
            yield {
                **event,
                **moved,
                "source_event_id": f"{number}-{event['source_event_id']}",
            }


def _earlier(moment: str, by: timedelta) -> str:
    return (datetime.fromisoformat(moment) - by).isoformat()


def _hold(
    running: Portal, storms: Iterator[dict[str, Any]], rate: int, batch: int, seconds: float
) -> Held:
    """Send at the rate for so long; wait until the backlog is gone."""
    path = f"{EVENTS_PATH}/batch"
    calls = (
        running.request(
            "POST", path, orjson.dumps({"events": list(itertools.islice(storms, batch))})
        )
        for _ in itertools.count()
    )
    # Whoever makes calls while others are measured takes their processor.
    ready = list(itertools.islice(calls, int(rate * seconds / batch)))
    screen = Screen(running, rate)
    watching = threading.Thread(target=screen.watch, daemon=True)
    watching.start()
    found = _sent(running, itertools.chain(ready, calls), batch / rate, seconds)
    if found.errors:
        raise load.LoadFault(f"Not all was taken in: {found.statuses}")
    began = time.perf_counter()
    screen.over.set()
    watching.join(60)
    while running.number(WAITING):
        time.sleep(0.1)
    backlog = time.perf_counter() - began
    return Held(
        found.requests * batch, found.seconds, backlog, found.percentile(0.99), screen
    )


def _sent(
    running: Portal, calls: Iterator[bytes], apart: float, seconds: float
) -> load.Outcome:
    """Send over connections with a thread each: where one pauses, others hear their answers."""
    shared, whole = _Shared(calls), load.Outcome()

    def one(number: int) -> load.Outcome:
        paced = _paced(shared, number, apart, seconds)
        return load.run(running.address, paced, connections=1, seconds=seconds)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for found in pool.map(one, range(CONNECTIONS)):
            whole.seconds = max(whole.seconds, found.seconds)
            whole.latencies += found.latencies
            whole.statuses += found.statuses
    return whole


class _Shared:
    """Calls that several threads take."""

    def __init__(self, calls: Iterator[bytes]) -> None:
        self._calls = calls
        self._lock = threading.Lock()

    def take(self) -> bytes:
        """Return the next call."""
        with self._lock:
            return next(self._calls)


def _paced(calls: _Shared, number: int, apart: float, seconds: float) -> Iterator[bytes]:
    """Let the calls of one connection through when they are due, for so long."""
    began = time.perf_counter()
    for turn in itertools.count(number, CONNECTIONS):
        due = began + turn * apart
        if due > began + seconds:
            return
        time.sleep(max(0.0, due - time.perf_counter()))
        yield calls.take()


def _steady(held: Held, minutes: float) -> list[Line]:
    rate = held.events / held.sent
    reached = rate >= 0.99 * STEADY and held.backlog <= LONGEST_BACKLOG
    return [
        Line(
            case=f"{STEADY:,} events a second for {minutes:g} minutes",
            portal=(
                f"{rate:,.0f}/s, answers p99 {held.latest:.0f} ms, "
                f"backlog gone after {held.backlog:.1f} s"
            ),
            target=f"{STEADY:,}/s, backlog gone within {LONGEST_BACKLOG:.0f} s",
            reached=reached,
        ),
        _on_screen(held, f"an event on the screen, {STEADY:,} a second meanwhile"),
    ]


def _flood(held: Held, peer: float) -> list[Line]:
    rate, aim = held.events / held.sent, FLOOD / RULE
    is_fast = rate >= 0.99 * FLOOD or rate / peer >= aim
    return [
        Line(
            case=f"as fast as it can for {FLOOD_SECONDS:.0f} s",
            portal=(
                f"{rate:,.0f}/s, answers p99 {held.latest:.0f} ms, "
                f"backlog gone after {held.backlog:.1f} s"
            ),
            peer=f"{peer:,.0f}/s",
            ratio=f"{rate / peer:.2f} ×",
            target=(
                f"{FLOOD:,}/s, or {aim:.2f} × the rule, "
                f"backlog gone within {LONGEST_BACKLOG:.0f} s"
            ),
            reached=is_fast and held.backlog <= LONGEST_BACKLOG,
        ),
        _on_screen(held, "an event on the screen, in the flood"),
    ]


def _on_screen(held: Held, case: str) -> Line:
    seen = sorted(1000 * one for one in held.screen.seen)
    if not seen:
        raise load.LoadFault("No event was seen on the screen.")
    last = seen[min(len(seen) - 1, int(0.99 * len(seen)))]
    middle = statistics.median(seen)
    answered = 1000 * statistics.median(held.screen.answered)
    return Line(
        case=f"{case}, {len(seen)} of them",
        portal=f"p50 {middle:.0f} ms, p99 {last:.0f} ms",
        peer=f"p50 {answered:.0f} ms",
        ratio=f"{middle / answered:.1f} ×",
        target=f"p99 ≤ {LONGEST_ON_SCREEN:,.0f} ms",
        reached=last <= LONGEST_ON_SCREEN,
    )


def _signed_in(running: Portal) -> str:
    """Return the cookies of an admin who has signed in."""
    told = json.loads((running.var / "demo.json").read_text())["accounts"]["admin"]
    call = http.client.HTTPConnection(*running.address, timeout=60)
    call.request("GET", "/sign-in")
    answer = call.getresponse()
    token = TOKEN.search(answer.read().decode())
    cookies = _cookies(answer)
    if token is None:
        raise load.LoadFault("The sign-in page has no form.")
    form = {
        "csrfmiddlewaretoken": token[1],
        "email": told["email"],
        "username": told["email"],
        "password": told["password"],
    }
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": cookies,
        "Referer": "http://{}:{}/sign-in".format(*running.address),
    }
    call.request("POST", "/sign-in", urllib.parse.urlencode(form), headers)
    answer = call.getresponse()
    answer.read()
    if answer.status != HTTPStatus.FOUND:
        raise load.LoadFault(f"Signing in was answered with {answer.status}.")
    return f"{cookies}; {_cookies(answer)}"


def _cookies(answer: http.client.HTTPResponse) -> str:
    kept = answer.headers.get_all("Set-Cookie") or []
    return "; ".join(one.partition(";")[0] for one in kept)


if __name__ == "__main__":
    main()
