"""How long the first paint of each page takes the server, and how many queries it costs.

Run with `python -m benchmarks --pages`. With 100,000 outages and 1,000,000 events in the
database, once with all outages open and once with one in a hundred; every page and every live
fragment is asked for in turns on one connection, signed in as an admin, and compared with the
sign-in page of the same run.
"""

import http.client
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from benchmarks import archive, events, load
from benchmarks.portal import Portal, portal
from benchmarks.report import Line, say, write
from benchmarks.storm import WAITING

ROUNDS, WARM_UP, PERCENT_OPEN, STORM = 20, 2, 1, 2_000
LONGEST, MOST_QUERIES, SETTLE_SECONDS = 100.0, 25, 300
NOTES = (
    "The whole portal runs: web, relay, worker, beat, simulator, on one machine.",
    "A time is from the request's first byte to the answer's last, over loopback, on one "
    "connection that stays open and takes compressed answers; of files (`-csv`) to the first "
    "line. The middle and the 95th percentile of 20 rounds, the pages by turns, after a warm-up.",
    "The middle has to reach the target, in both settings.",
    "Half of the events came in during the last day, 30,000 of them in the last hour.",
    "`outage`, `why` and `regroup` show the largest outage of a storm of 2,000 events that the "
    "portal itself took in and judged.",
    "Queries are counted by a process of the same portal, on the same database.",
    "Peer: the sign-in page of the same run, which reads nothing. The ratio is that of the "
    "first setting.",
)


@dataclass(frozen=True)
class View:
    """A page or a fragment, where it is and what it costs."""

    name: str
    path: str
    fragment: bool
    queries: int


@dataclass(frozen=True)
class Times:
    """Milliseconds of one view."""

    middle: float
    p95: float

    def __str__(self) -> str:
        return f"{self.middle:.1f} / {self.p95:.1f} ms"


class Visitor:
    """Somebody signed in, on one connection."""

    def __init__(self, running: Portal) -> None:
        self.address = running.address
        self.connection = http.client.HTTPConnection(*running.address, timeout=120)
        self.cookies: dict[str, str] = {}

    def ask(
        self,
        method: str,
        path: str,
        sent: Mapping[str, str] | None = None,
        *,
        fragment: bool = False,
    ) -> tuple[int, float]:
        """Return the status and the seconds until the answer was there, or a file began."""
        headers = {
            "Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()),
            "Accept-Encoding": "gzip",
        }
        if fragment:
            headers["HX-Request"] = "true"
        body = urlencode(sent) if sent is not None else None
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Referer"] = f"http://{self.address[0]}:{self.address[1]}{path}"
        begun, answer = self._answer(method, path, body, headers)
        answer.read(1)
        began = time.perf_counter()
        answer.read()
        ended = time.perf_counter()
        for line in answer.headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        is_file = "attachment" in answer.headers.get("Content-Disposition", "")
        return answer.status, (began if is_file else ended) - begun

    def _answer(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> tuple[float, http.client.HTTPResponse]:
        """Return when the request left and its answer; a connection left idle is made anew."""
        for is_last in (False, True):
            begun = time.perf_counter()
            try:
                self.connection.request(method, path, body, headers)
                return begun, self.connection.getresponse()
            except ConnectionError:
                self.connection.close()
                if is_last:
                    raise
        raise load.LoadFault("Nobody answers.")

    def sign_in(self, email: str, password: str) -> None:
        """Sign in through the form."""
        self.ask("GET", "/sign-in")
        token = self.cookies["csrftoken"]
        sent = {"email": email, "password": password, "csrfmiddlewaretoken": token}
        status, _ = self.ask("POST", "/sign-in", sent)
        if status != 302:
            raise load.LoadFault(f"The sign-in was answered with {status}.")


def measure_pages() -> int:
    """Measure, print and keep the table; return 1 where a page is dearer than it may be."""
    with portal() as running:
        say("A storm is taken in; outages and events are added.")
        outage = _storm(running)
        archive.fill(running)
        views = _views(running, outage)
        say(f"{len(views)} pages and fragments, all outages open.")
        crowded = _measured(running, views)
        left = archive.restore_most(running, PERCENT_OPEN)
        if left > 3 * PERCENT_OPEN * archive.OUTAGES / 100:
            raise load.LoadFault(f"{left} outages are still open.")
        say(f"The same with {left:,} outages open.")
        usual = _measured(running, views)
    lines = [_line(view, usual, crowded) for view in views]
    say("\n" + write("pages", "First paint of each page", lines, NOTES))
    return 1 if any(line.reached is False for line in lines) else 0


def _storm(running: Portal) -> str:
    """Let the portal judge a storm; return the outage of it that concerns most customers."""
    night = events.Storm(events.places_of(running), "pages")
    calls = night.batches(running, 1, STORM)
    found = load.run(running.address, calls, connections=1, seconds=SETTLE_SECONDS)
    if found.errors:
        raise load.LoadFault(f"The storm was not taken in: {found.statuses}")
    until = time.monotonic() + SETTLE_SECONDS
    while running.number(WAITING):
        if time.monotonic() > until:
            raise load.LoadFault("The storm does not settle.")
        time.sleep(0.2)
    return _word(
        running,
        "SELECT id FROM outages_outage WHERE merged_into_id IS NULL AND edge_number IS NOT NULL "
        "ORDER BY status IN ('detected', 'confirmed') DESC, customers_count DESC LIMIT 1",
    )


def _word(running: Portal, query: str, *values: object) -> str:
    with running.database() as connection:
        row = connection.execute(query, values).fetchone()
    return str(row[0]) if row else ""


def _views(running: Portal, outage: str) -> list[View]:
    found = "SELECT device_code FROM outages_outage WHERE id = %s"
    said = running.python("benchmarks.queries", outage, _word(running, found, outage))
    return [View(**one) for one in json.loads(said)]


def _measured(running: Portal, views: Sequence[View]) -> dict[str, Times]:
    """Return the times by name; those of the sign-in page, seen by a stranger, are `sign-in`."""
    stranger, visitor = Visitor(running), Visitor(running)
    admin = json.loads((running.var / "demo.json").read_text())["accounts"]["admin"]
    visitor.sign_in(admin["email"], admin["password"])
    found: dict[str, list[float]] = defaultdict(list)
    for turn in range(-WARM_UP, ROUNDS):
        status, took = stranger.ask("GET", "/sign-in")
        answers = [("sign-in", status, took)]
        for view in views:
            status, took = visitor.ask("GET", view.path, fragment=view.fragment)
            answers.append((view.name, status, took))
        for name, status, took in answers:
            if status != 200:
                raise load.LoadFault(f"{name} was answered with {status}.")
            if turn >= 0:
                found[name].append(took * 1000)
    return {name: _times(took) for name, took in found.items()}


def _times(found: Sequence[float]) -> Times:
    ordered = sorted(found)
    return Times(statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))])


def _line(view: View, usual: Mapping[str, Times], crowded: Mapping[str, Times]) -> Line:
    here, there, base = usual[view.name], crowded[view.name], usual["sign-in"]
    good = max(here.middle, there.middle) <= LONGEST and view.queries <= MOST_QUERIES
    return Line(
        case=view.name,
        portal=f"{here}, all open {there}, {view.queries} queries",
        peer=str(base),
        ratio=f"{here.middle / base.middle:.1f} ×",
        target=f"≤ {LONGEST:.0f} ms, ≤ {MOST_QUERIES}",
        reached=good,
    )
