"""What the overview costs a browser: frames while its map is moved, and each live update.

Run with `python -m benchmarks --browser`. In the system's Chromium without a graphics card, on
the same two cores as the whole portal: a network of at least 10,000 lines and 2,000 open outages
on the map, moved by the mouse; then outages that appear and are sent to the page as they do.
"""

import json
import shutil
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks import seeding
from benchmarks.load import LoadFault
from benchmarks.portal import Portal, portal
from benchmarks.report import Line, say, write
from tests.fixtures.pages import CHROMIUM, QUIET

METERS, OUTAGES, UPDATES = 30_000, 2_000, 25
MOVES, PAUSE_MS = 300, 16
FEWEST_LINES, FEWEST_FRAMES, LONGEST_UPDATE = 10_000, 30.0, 16.0
ON_THE_NETWORK = """
WITH places AS (
    SELECT latitude, longitude, row_number() OVER (ORDER BY id) - 1 AS place,
        count(*) OVER () AS n FROM network_node
)
UPDATE outages_outage SET latitude = places.latitude, longitude = places.longitude
FROM places WHERE number * 7919 %% places.n = places.place
"""
COUNT_FRAMES = """() => {
    window.frames_at = [];
    const note = (at) => { window.frames_at.push(at); requestAnimationFrame(note); };
    requestAnimationFrame(note);
}"""
TIME_UPDATES = """() => {
    window.updates = [];
    let begun = 0, told = "";
    document.addEventListener("htmx:wsBeforeMessage", (event) => {
        told = event.detail.message; begun = performance.now();
    });
    document.addEventListener("oms:fresh", () => {
        if (told.length < 1000) return;
        const took = performance.now() - begun, again = performance.now();
        new DOMParser().parseFromString(told, "text/html");
        window.updates.push([took, performance.now() - again, told.length]);
    });
}"""
NOTES = (
    "Chromium draws by SwiftShader, on the processors that the portal uses, too.",
    "Frames are those that the page was given while the mouse moved the map for about five "
    "seconds; the peer is a page with one line of text, moved over in the same way in the same "
    "run.",
    "An update is the time from its arrival until every part of the page has taken it over; the "
    "peer is the time the same browser takes to read the same text into a document and no more.",
    "The map hands what it draws to a thread of its own; that is not in the time of an update, "
    "but in the frames.",
)


def measure_browser() -> int:
    """Measure, print and keep the table; return 1 where the aim is missed."""
    with portal() as running, sync_playwright() as playwright:
        say("A network is generated; outages are added.")
        _prepare(running)
        program = next(filter(None, map(shutil.which, CHROMIUM)), None)
        if program is None:
            raise LoadFault("Chromium is missing: apt-get install chromium")
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        blank = browser.new_page(viewport={"width": 1440, "height": 900})
        blank.set_content("<p>One line of text</p>")
        floor = _frames(blank, 700, 400)
        blank.close()
        drawn = _open(running, page)
        say(f"{drawn[0]:,} lines and {drawn[1]:,} outages are on the map.")
        moved = _frames(page, 300, 400)
        updates = _updates(running, page)
        browser.close()
    lines = [_moving(drawn, moved, floor), _updating(updates)]
    say("\n" + write("browser", "What the overview costs a browser", lines, NOTES))
    return 1 if any(line.reached is False for line in lines) else 0


def _prepare(running: Portal) -> None:
    running.manage("generate_network", "--meters", str(METERS), "--name", "measured")
    seeding.add_outages(running, OUTAGES)
    with running.database() as connection:
        connection.execute(ON_THE_NETWORK, [])


def _open(running: Portal, page: Page) -> tuple[int, int]:
    """Open the overview as an admin; return how many lines and outages its map draws."""
    admin = json.loads((running.var / "demo.json").read_text())["accounts"]["admin"]
    address = f"http://{running.address[0]}:{running.address[1]}"
    page.goto(f"{address}/sign-in")
    page.get_by_label("E-mail").fill(admin["email"])
    page.get_by_label("Password").fill(admin["password"])
    page.get_by_role("button", name="Sign in").click()
    page.locator("#map[data-ready]").wait_for(timeout=120_000)
    lines = page.evaluate(
        """async () => {
            const answer = await fetch(document.getElementById("map").dataset.network);
            const { features } = await answer.json();
            return features.filter(({ geometry }) => geometry.type === "LineString").length;
        }"""
    )
    if lines < FEWEST_LINES:
        raise LoadFault(f"Only {lines} lines are on the map.")
    told = json.loads(page.locator("#map-data").text_content() or "{}")
    return int(lines), len(told["outages"]["rows"])


def _frames(page: Page, x: int, y: int) -> tuple[float, float]:
    """Return frames a second and the 95th percentile of a frame, while the mouse moves."""
    page.wait_for_timeout(1_000)
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(COUNT_FRAMES)
    for step in range(MOVES):
        page.mouse.move(x + 120 * (step % 40) / 40, y + 60 * (step % 25) / 25)
        page.wait_for_timeout(PAUSE_MS)
    found = page.evaluate("() => window.frames_at")
    page.mouse.up()
    gaps = sorted(b - a for a, b in pairwise(found))
    return 1000 * len(gaps) / sum(gaps), gaps[int(0.95 * (len(gaps) - 1))]


def _updates(running: Portal, page: Page) -> list[list[float]]:
    """Let outages appear; return what each update took, its peer, and its letters."""
    page.evaluate(TIME_UPDATES)
    until = time.monotonic() + 120
    for number in range(10 * UPDATES):
        now = datetime.now(tz=UTC).isoformat()  # noqa: TID251 - a measurement has no caller
        event: dict[str, Any] = {
            "event_type": "outage",
            "source_type": "scada",
            "source_event_id": f"browser-{number}",
            "timestamp": now,
            "latitude": 10.0 + number / 10,
            "longitude": 20.0,
        }
        running.report(event)
        page.wait_for_timeout(400)
        found: list[list[float]] = page.evaluate("() => window.updates")
        if len(found) >= UPDATES or time.monotonic() > until:
            return found
    raise LoadFault("No update came.")


def _moving(
    drawn: tuple[int, int], moved: tuple[float, float], floor: tuple[float, float]
) -> Line:
    return Line(
        case=f"map moved, {drawn[0]:,} lines, {drawn[1]:,} outages",
        portal=f"{moved[0]:.0f} frames/s, 95 % of them within {moved[1]:.0f} ms",
        peer=f"{floor[0]:.0f} frames/s",
        ratio=f"{moved[0] / floor[0]:.2f} ×",
        target=f"≥ {FEWEST_FRAMES:.0f} frames/s",
        reached=moved[0] >= FEWEST_FRAMES,
    )


def _updating(found: Sequence[Sequence[float]]) -> Line:
    took, read, letters = (statistics.median(column) for column in zip(*found, strict=True))
    worst = sorted(one[0] for one in found)[int(0.95 * (len(found) - 1))]
    return Line(
        case=f"live update of the overview, {len(found)} of {letters / 1000:.0f} kB",
        portal=f"{took:.1f} ms, 95 % within {worst:.1f} ms",
        peer=f"{read:.1f} ms",
        ratio=f"{took / read:.1f} ×",
        target=f"≤ {LONGEST_UPDATE:.0f} ms",
        reached=took <= LONGEST_UPDATE,
    )
