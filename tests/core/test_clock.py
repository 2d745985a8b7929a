"""Celery's clock sends what is due without loading the portal."""

import os
import shelve
import signal
import subprocess
import sys
import time
from pathlib import Path

from django.conf import settings

SWEEP = "judge-feeders-left-over"
LONGEST = 30


def _environment(folder):
    return {**os.environ, "OMS_VAR": str(folder), "BROKER_URL": "memory://"}


def _sent(path):
    with shelve.open(str(path), flag="r") as store:
        return store["entries"][SWEEP].total_run_count


def _run(folder):
    """Let the clock run for a moment; it remembers what it has sent for the next time."""
    clock = subprocess.Popen(
        [sys.executable, "-m", "oms.clock"],
        cwd=settings.BASE_DIR,
        env=_environment(folder),
        stderr=subprocess.PIPE,
        text=True,
    )
    since = time.monotonic()
    while not list(folder.glob("beat*")) and time.monotonic() < since + LONGEST:
        time.sleep(0.1)
    time.sleep(2.5)
    clock.send_signal(signal.SIGTERM)
    _, said = clock.communicate(timeout=LONGEST)
    assert clock.returncode == 0, said
    assert "Traceback" not in said


def test_it_sends_what_is_due_and_stops_when_told(tmp_path):
    # A busy machine may give it no second of its own at first.
    for _ in range(5):
        _run(tmp_path)
        if _sent(tmp_path / "beat"):
            break
    assert _sent(tmp_path / "beat") >= 1


def test_it_loads_no_app_of_the_portal(tmp_path):
    told = "import sys, oms.clock; print([n for n in sys.modules if n.startswith('apps')])"
    found = subprocess.run(
        [sys.executable, "-c", told],
        cwd=Path(settings.BASE_DIR),
        env=_environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "[]"
