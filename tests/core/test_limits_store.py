"""The limiter: exactly the limit passes, on the store's own clock."""

import os
import subprocess
import sys

import pytest

from apps.core import limits

BURST = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "oms.settings"
import django
django.setup()
print("ready", flush=True)
from concurrent.futures import ThreadPoolExecutor
from apps.core.limits import take
sys.stdin.readline()
with ThreadPoolExecutor(10) as pool:
    found = list(pool.map(lambda _: take(key="burst", limit=100, seconds=60), range(250)))
print(sum(one.passes for one in found))
"""


def test_of_a_thousand_at_once_over_processes_exactly_the_limit_passes():
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", BURST],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    passed = [int(process.communicate()[0].split()[-1]) for process in processes]
    assert sum(passed) == 100


def test_what_is_left_is_told():
    first = limits.take(key="a", limit=3, seconds=60)
    assert (first.passes, first.limit, first.remaining) == (True, 3, 2)
    both = limits.take(key="a", limit=3, seconds=60, calls=4)
    assert (both.granted, both.remaining) == (2, 0)
    over = limits.take(key="a", limit=3, seconds=60)
    assert (over.passes, over.remaining) == (False, 0)
    assert 1 <= over.retry_after <= 60
    assert limits.take(key="b", limit=3, seconds=60).passes
    limits.forget(key="a")
    assert limits.take(key="a", limit=3, seconds=60).passes


def test_a_window_ends():
    limits.take(key="short", limit=1, seconds=60)
    limits._store().pexpire(f"{limits.PREFIX}short", 1)
    while limits._store().exists(f"{limits.PREFIX}short"):
        pass
    assert limits.take(key="short", limit=1, seconds=60).passes


def test_a_store_that_is_away_is_said(monkeypatch):
    away = limits.store_at("redis://127.0.0.1:1")
    monkeypatch.setattr(limits, "_store", lambda: away)
    with pytest.raises(limits.StoreAway):
        limits.take(key="a", limit=3, seconds=60)


def test_this_process_alone_counts_the_same():
    clock = [100.0]
    local = limits.LocalLimits(lambda: clock[0])
    found = [local.take(key="a", limit=2, seconds=10).passes for _ in range(4)]
    assert found == [True, True, False, False]
    clock[0] += 10
    assert local.take(key="a", limit=2, seconds=10).passes
