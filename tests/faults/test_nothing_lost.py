"""Every part is killed while events come in; each accepted event is accounted for."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time

import psycopg
import pytest

from tests.fixtures.network import town_document
from tests.fixtures.portal import wait_until
from tests.supervisor.conftest import NOT_OURS, ROOT, start  # noqa: F401 - a fixture

EVENTS = 5_000
SENDERS = 4
BATCH = 20
VICTIMS = ["web-1", "relay", "worker-1", "broker", "database", "web-1"]
BASE = 1_795_000_000


def event(number):
    """Return an event: of a meter mostly, sometimes unknown, placeless or about no power."""
    place = {"meter_id": f"m{number % 15 + 1}"}
    word = "last_gasp"
    if number % 10 == 3:
        place = {"meter_id": f"unheard-of-{number}"}
    elif number % 10 == 5:
        place = {"latitude": 10 + number % 7, "longitude": 20.0}
    elif number % 10 == 7:
        word = "battery_low"
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(BASE + number // 10))
    return {
        "event_type": word,
        "source_type": "smart_meter",
        "source_event_id": f"k9-{number}",
        "timestamp": moment,
        **place,
    }


class Sender(threading.Thread):
    """Sends its share in small batches, each again until it is answered."""

    def __init__(self, portal, token, numbers):
        super().__init__(daemon=True)
        self.portal, self.token, self.numbers = portal, token, numbers
        self.accepted, self.refused = [], []

    def run(self):
        for first in range(0, len(self.numbers), BATCH):
            numbers = self.numbers[first : first + BATCH]
            answer = None
            while answer is None:
                answer = self.post({"events": [event(number) for number in numbers]})
            for number, item in zip(numbers, answer["results"], strict=True):
                (self.refused if "error" in item else self.accepted).append(number)

    def post(self, body):
        try:
            connection = http.client.HTTPConnection(
                "127.0.0.1", self.portal.port, timeout=20
            )
            connection.request(
                "POST",
                "/api/oms/events/correlate/batch",
                json.dumps(body),
                {
                    "Authorization": f"Bearer {self.token}",
                    "Content-Type": "application/json",
                },
            )
            answer = connection.getresponse()
            said = answer.read()
            if answer.status == 200:
                return json.loads(said)
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.1)
        return None


def manage(portal, *words):
    """Run a command beside the portal, as a person would."""
    kept = {name: text for name, text in os.environ.items() if not NOT_OURS.match(name)}
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={**kept, "OMS_VAR": str(portal.var)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.fixture(scope="module")
def portal(start, tmp_path_factory):  # noqa: F811
    portal = start().started()
    file = tmp_path_factory.mktemp("network") / "town.json"
    file.write_text(json.dumps(town_document()))
    manage(portal, "import_network", str(file))
    yield portal
    portal.stop()


def settled(portal):
    """Return whether nothing waits: no judgement, no event to deliver."""
    try:
        with portal.database() as connection:
            waiting = connection.execute(
                "SELECT (SELECT coalesce(sum(waiting), 0) FROM outages_correlationwork) + "
                "(SELECT count(*) FROM core_outboxrow WHERE delivered_at IS NULL)"
            ).fetchone()[0]
        return waiting == 0
    except psycopg.OperationalError:
        return False


def test_kills_in_the_middle_lose_nothing(portal):
    token = manage(
        portal, "create_service_token", "k9", "--scopes", "events:write"
    ).split()[-1]
    senders = [
        Sender(portal, token, list(range(n, EVENTS, SENDERS))) for n in range(SENDERS)
    ]
    for sender in senders:
        sender.start()
    for n, victim in enumerate(VICTIMS, 1):
        share = EVENTS * n // (len(VICTIMS) + 1)
        wait_until(
            lambda share=share: sum(len(s.accepted) for s in senders) >= share,
            "events",
            120,
        )
        pid = portal.pid(victim)
        os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda v=victim, p=pid: portal.pid(v) not in (0, p), f"{victim} is back", 60
        )
    for sender in senders:
        sender.join(180)
    assert not any(sender.is_alive() for sender in senders)
    assert [sender.refused for sender in senders] == [[]] * SENDERS
    wait_until(lambda: settled(portal), "all is judged and delivered", 90)
    with portal.database() as connection:
        check_accounts(connection)


def check_accounts(connection):
    """Check that each event is stored once and is where its disposition says."""

    def ask(query):
        return connection.execute(query).fetchall()

    assert ask("SELECT count(*) FROM outages_sourceevent") == [(EVENTS,)]
    by = dict(ask("SELECT disposition, count(*) FROM outages_sourceevent GROUP BY 1"))
    assert by.pop("unresolved") == EVENTS // 10
    assert by.pop("ignored") == EVENTS // 10
    assert set(by) <= {"outage", "momentary", "restoration", "duplicate", "planned"}
    assert sum(by.values()) == EVENTS - 2 * (EVENTS // 10)
    assert ask(
        "SELECT count(*) FROM outages_sourceevent e LEFT JOIN outages_outage o "
        "ON o.id = e.outage_id WHERE e.disposition = 'outage' "
        "AND (o.id IS NULL OR o.merged_into_id IS NOT NULL)"
    ) == [(0,)]
    assert (
        ask(
            "SELECT o.id FROM outages_outage o WHERE o.merged_into_id IS NULL AND "
            "(SELECT sum(value::int) FROM jsonb_each_text(o.sources)) <> "
            "(SELECT count(*) FROM outages_sourceevent e WHERE e.outage_id = o.id "
            "AND e.kind = 'outage')"
        )
        == []
    )
    assert ask("SELECT count(*) FROM core_outboxrow WHERE quarantined_at IS NOT NULL") == [
        (0,)
    ]
