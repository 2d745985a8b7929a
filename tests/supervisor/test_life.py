"""One portal from its start to its end, in this order.

Every part is killed and comes back with nothing accepted lost; then the supervisor is killed and
takes all down; the next start finds the data, and SIGTERM leaves no process.
"""

import os
import signal
import threading
import time

import psycopg
import pytest
import redis

from tests.supervisor.conftest import gone_within, refusal

PARTS = ["database", "broker", "web-1", "relay", "worker-1", "beat"]


class Writer(threading.Thread):
    """Writes rows without a pause and remembers which the database has accepted."""

    def __init__(self, portal):
        super().__init__(daemon=True)
        self.portal, self.accepted, self.next = portal, set(), 0
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            try:
                with self.portal.database() as connection:
                    self.write(connection)
            except (psycopg.OperationalError, KeyError):
                time.sleep(0.05)

    def write(self, connection):
        while not self.stopping.is_set():
            self.next += 1
            connection.execute("INSERT INTO kept VALUES (%s)", [self.next])
            self.accepted.add(self.next)
            time.sleep(0.002)

    def lost(self):
        accepted = set(self.accepted)
        with self.portal.database() as connection:
            rows = connection.execute("SELECT number FROM kept").fetchall()
        return accepted - {number for (number,) in rows}


@pytest.fixture(scope="module")
def portal(start):
    return start().started()


@pytest.fixture(scope="module")
def writer(portal):
    with portal.database() as connection:
        connection.execute("CREATE TABLE kept (number integer PRIMARY KEY)")
    thread = Writer(portal)
    thread.start()
    yield thread
    thread.stopping.set()
    thread.join(5)


def test_started_portal_answers_and_runs_every_part(portal):
    assert portal.answers()
    assert set(PARTS) <= set(portal.run_file()["pids"])
    assert (portal.var / "run.json").stat().st_mode & 0o777 == 0o600
    assert (portal.var / "sockets").stat().st_mode & 0o777 == 0o700


def test_second_portal_on_the_same_folder_is_refused(portal, start):
    assert refusal(start(portal.var)) == (
        f"The portal does not start. The portal already runs on {portal.var} (process "
        f"{portal.process.pid}); stop that one first, or set OMS_VAR to another folder."
    )
    assert portal.answers()


@pytest.mark.parametrize("part", PARTS)
def test_killed_part_returns_and_nothing_is_lost(portal, writer, eventually, part):
    broker = redis.Redis(unix_socket_path=portal.run_file()["valkey"]["socket"], db=9)
    held = broker.rpush("kept", part)
    before = portal.pid(part)

    os.kill(before, signal.SIGKILL)

    eventually(lambda: portal.pid(part) not in (0, before), f"{part} is started again")
    eventually(portal.answers, "the portal answers")
    eventually(lambda: length(broker) == held, "the broker answers with what it held")
    reached = writer.next
    eventually(lambda: writer.next > reached + 20, "rows are written again")
    assert writer.lost() == set()
    assert f"{part:<10} was ended by signal 9 (SIGKILL); starting it again" in portal.said()


def test_all_parts_killed_at_once_return(portal, writer, eventually):
    before = {part: portal.pid(part) for part in PARTS}

    for pid in before.values():
        os.kill(pid, signal.SIGKILL)

    eventually(
        lambda: all(portal.pid(p) not in (0, before[p]) for p in PARTS), "all return"
    )
    eventually(portal.answers, "the portal answers")
    reached = writer.next
    eventually(lambda: writer.next > reached + 20, "rows are written again")
    assert writer.lost() == set()


def test_death_of_the_supervisor_takes_all_down_and_the_next_start_has_the_data(
    portal, writer, start
):
    writer.stopping.set()
    writer.join(5)
    assert len(portal.family()) >= len(PARTS)

    assert portal.stop(signal.SIGKILL) == -signal.SIGKILL

    assert gone_within(portal, 30) == []
    writer.portal = start(portal.var).started()
    assert writer.lost() == set()
    family = writer.portal.family()
    assert writer.portal.stop(signal.SIGTERM, group=True) == 0, writer.portal.said()
    assert gone_within(writer.portal, 0) == []
    assert len(family) >= len(PARTS)
    assert not (portal.var / "run.json").exists()
    assert (portal.var / "pg" / "PG_VERSION").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP], ids=str)
def test_signal_in_the_middle_of_the_start_stops_what_has_started(
    start, eventually, number
):
    portal = start()
    eventually(lambda: "database   ready" in portal.said(), "the database is ready")
    family = portal.family()

    assert portal.stop(number) == 0, portal.said()

    assert family
    assert gone_within(portal, 0) == []
    assert "OMS is ready" not in portal.said()
    assert "portal     stopped; the data stays in" in portal.said()


def length(broker):
    try:
        return broker.llen("kept")
    except redis.ConnectionError:
        return None
