"""A whole portal, started by `manage.py up` as a person would start it."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import psycopg
import pytest

from apps.core.processes import linux
from tests.fixtures.portal import free_port, wait_until

ROOT = Path(__file__).parents[2]
NOT_OURS = re.compile(r"^(DATABASE|BROKER|CHANNEL|CACHE)_URL$|^PORT$|^OMS_|^DJANGO_|^BIND$")


class Portal:
    """One run of `manage.py up` on a folder."""

    def __init__(self, var, **environment):
        self.var, self.port = Path(var), free_port()
        kept = {
            name: value for name, value in os.environ.items() if not NOT_OURS.match(name)
        }
        self.output = Path(tempfile.mkdtemp(prefix="oms-up-")) / "said"
        with self.output.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=ROOT,
                env={
                    **kept,
                    "OMS_VAR": str(var),
                    "PORT": str(self.port),
                    "WEB_WORKERS": "1",
                    "TASK_WORKERS": "1",
                    **environment,
                },
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=linux.child_setup(signal.SIGTERM),
            )
        self.seen = set()

    def started(self, seconds=180):
        wait_until(
            lambda: "OMS is ready" in self.said() or self.ended(), "it starts", seconds
        )
        assert not self.ended(), self.said()
        return self

    def ended(self):
        return self.process.poll() is not None

    def said(self):
        return self.output.read_text()

    def run_file(self):
        return json.loads((self.var / "run.json").read_text())

    def pid(self, part):
        return self.run_file()["pids"].get(part, [0])[0]

    def answers(self):
        try:
            place = f"http://127.0.0.1:{self.port}/health"
            with urllib.request.urlopen(place, timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def database(self):
        place = self.run_file()["postgres"]
        return psycopg.connect(
            host=place["host"], user=place["user"], dbname=place["name"], autocommit=True
        )

    def family(self):
        """Every process that came from this one, by now or before."""
        if not self.ended():
            self.seen |= set(psutil.Process(self.process.pid).children(recursive=True))
        return self.seen

    def alive(self):
        return [process for process in self.family() if is_alive(process)]

    def stop(self, number=signal.SIGTERM, seconds=90, *, group=False):
        self.family()
        if group:
            os.killpg(self.process.pid, number)
        elif not self.ended():
            self.process.send_signal(number)
        return self.process.wait(seconds)


def is_alive(process):
    """Return whether the process runs; it may end while it is asked."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="session")
def start(tmp_path_factory):
    """Start portals; all of them have ended when the tests have."""
    portals = []

    def begin(var=None, **environment):
        var = var or tmp_path_factory.mktemp("portal") / "var"
        portals.append(Portal(var, **environment))
        return portals[-1]

    yield begin
    for portal in portals:
        if not portal.ended():
            portal.stop()


def gone_within(portal, seconds):
    limit = time.monotonic() + seconds
    while (left := portal.alive()) and time.monotonic() < limit:
        time.sleep(0.05)
    return left


def refusal(portal):
    """Return the sentence with which a portal has refused to start."""
    assert portal.process.wait(60) == 1
    said = portal.said()
    assert "Traceback" not in said
    return said.strip()
