"""A person at the portal: a real browser, signed in, that complains about what it sees."""

from dataclasses import dataclass, field

import pytest

from tests.fixtures.city import PASSWORD

HARMLESS = ("GPU stall", "GL Driver Message")


@dataclass
class Desk:
    """One browser window on the portal, with everything it complained about."""

    page: object
    address: str
    complaints: list = field(default_factory=list)

    def go(self, path):
        """Open a page of the portal."""
        self.page.goto(self.address + path, wait_until="load")

    def sign_in(self, person):
        """Sign in through the form."""
        self.go("/sign-in")
        self.page.get_by_label("E-mail").fill(person.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(self.address + "/**")

    def is_live(self):
        """Wait until the live connection stands."""
        if self.page.locator("#live").count():
            self.page.locator("#live[data-state=live]").wait_for(timeout=20_000)

    def map_is_drawn(self):
        """Wait until the map has drawn everything."""
        self.page.locator("#map[data-ready]").wait_for(timeout=60_000)


@pytest.fixture
def desk(live_portal, browser):
    """Open windows on the portal: `desk()`; at the end none may have complained."""
    desks = []

    def open_desk(**options):
        page = browser(**options)
        page.set_default_timeout(30_000)
        made = Desk(page, live_portal)
        page.on("console", lambda line: _listen(made, line))
        page.on("pageerror", lambda fault: made.complaints.append(f"script: {fault}"))
        page.on("request", lambda sent: _watch(made, sent))
        page.on("websocket", lambda sent: _watch(made, sent))
        desks.append(made)
        return made

    yield open_desk
    assert [one for made in desks for one in made.complaints] == []


def _listen(desk, line):
    if line.type in ("error", "warning") and not any(w in line.text for w in HARMLESS):
        desk.complaints.append(f"{line.type}: {line.text}")


def _watch(desk, sent):
    host = desk.address.partition("://")[2]
    at_home = sent.url.partition("://")[2].startswith(host)
    if not at_home and not sent.url.startswith(("data:", "blob:")):
        desk.complaints.append(f"left the host: {sent.url}")


@pytest.fixture
def evening(city):
    """Let a bad evening happen, with a crew on its way."""
    city.crews()
    city.evening()
    first = city.open()[0]
    city.send("Line Crew Alpha", first)
    return city
