"""How long the first paint of each page takes the server: `python -m benchmarks.pages`.

With 100,000 outages and 1,000,000 events in the database; each page is asked for again and again
on one connection, signed in as an admin, and compared with the sign-in page of the same run.
"""

import http.client
import json
import statistics
import sys
import time
from collections.abc import Mapping
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from benchmarks.portal import Portal, portal
from benchmarks.report import Line, say, write
from benchmarks.seeding import add_events, add_outages, restore_most

OUTAGES, EVENTS, ROUNDS, PERCENT_OPEN = 100_000, 1_000_000, 15, 1
LONGEST = 100.0
PAGES = {
    "overview": "/",
    "outages": "/outages",
    "outages, page 500": "/outages?status=all&page=500",
    "outages, a word": "/outages?text=seed-device-7",
    "crews": "/crews",
    "notices": "/notices",
    "events": "/events",
    "events, page 5,000": "/events?page=5000",
    "unresolved": "/events?disposition=unresolved",
    "calls": "/calls",
    "network": "/network?text=MV1",
    "planned": "/planned",
    "shift": "/shift",
    "storm": "/bad-night",
    "my work": "/work",
    "approvals": "/approvals",
    "people": "/people",
    "service accounts": "/machines",
    "mail": "/mail",
    "profile": "/profile",
    "audit": "/audit",
}
NOTES = (
    "The whole portal runs: web, relay, worker, beat, simulator, on one machine.",
    "A time is from the request's first byte to the answer's last, over loopback, on one "
    "connection that stays open; the middle and the worst of the rounds after a warm-up.",
    "Peer: the sign-in page of the same run, which reads nothing.",
)


class Visitor:
    """Somebody signed in, on one connection."""

    def __init__(self, running: Portal) -> None:
        self.address = running.address
        self.connection = http.client.HTTPConnection(*running.address, timeout=120)
        self.cookies: dict[str, str] = {}

    def ask(
        self, method: str, path: str, sent: Mapping[str, str] | None = None
    ) -> tuple[int, bytes, float]:
        """Return the status, the body and the seconds that an answer took."""
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        body = urlencode(sent) if sent is not None else None
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Referer"] = f"http://{self.address[0]}:{self.address[1]}{path}"
        begun = time.perf_counter()
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        took = time.perf_counter() - begun
        for line in answer.headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return answer.status, content, took

    def sign_in(self, email: str, password: str) -> None:
        """Sign in through the form."""
        self.ask("GET", "/sign-in")
        token = self.cookies["csrftoken"]
        sent = {"email": email, "password": password, "csrfmiddlewaretoken": token}
        status, _, _ = self.ask("POST", "/sign-in", sent)
        if status != 302:
            raise SystemExit(f"The sign-in was answered with {status}.")

    def times(self, path: str) -> list[float]:
        """Return the milliseconds that each of the rounds took."""
        found = []
        for _ in range(ROUNDS + 2):
            status, _, took = self.ask("GET", path)
            if status != 200:
                raise SystemExit(f"{path} was answered with {status}.")
            found.append(took * 1000)
        return found[2:]


def main() -> int:
    """Measure, print and keep the table; return 1 where a page is too slow."""
    with portal() as running:
        say("Outages and events are added.")
        add_outages(running, OUTAGES)
        restore_most(running, PERCENT_OPEN)
        add_events(running, EVENTS)
        lines = _measured(running)
    say("\n" + write("pages", "First paint of each page", lines, NOTES))
    return 1 if any(line.reached is False for line in lines) else 0


def _measured(running: Portal) -> list[Line]:
    stranger = Visitor(running)
    base = statistics.median(stranger.times("/sign-in"))
    visitor = Visitor(running)
    admin = json.loads((running.var / "demo.json").read_text())["accounts"]["admin"]
    visitor.sign_in(admin["email"], admin["password"])
    newest = running.number(
        "SELECT max(number) FROM outages_outage WHERE status <> 'restored' "
        "AND merged_into_id IS NULL"
    )
    pages = PAGES | {"outage": f"/outages/{_id(running, newest)}"}
    pages["why"] = f"{pages['outage']}/why"
    pages["regroup"] = f"{pages['outage']}/regroup"
    lines = [Line("sign-in", f"{base:.1f} ms")]
    for name, path in pages.items():
        times = visitor.times(path)
        middle, worst = statistics.median(times), max(times)
        line = Line(
            case=name,
            portal=f"{middle:.1f} ms, worst {worst:.1f} ms",
            peer=f"{base:.1f} ms",
            ratio=f"{middle / base:.1f} ×",
            target=f"≤ {LONGEST:.0f} ms",
            reached=middle <= LONGEST,
        )
        say(f"  {line.case}: {line.portal}")
        lines.append(line)
    return lines


def _id(running: Portal, number: int) -> str:
    with running.database() as connection:
        row = connection.execute(
            "SELECT id FROM outages_outage WHERE number = %s", [number]
        ).fetchone()
    return str(row[0]) if row else ""


if __name__ == "__main__":
    sys.exit(main())
