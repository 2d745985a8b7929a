"""Pieces of the supervisor by themselves."""

import json
import os
import signal
import subprocess
import sys

import pytest

from apps.core.processes import binaries, linux, plan
from apps.core.processes.folder import Folder, open_folder, socket_folder
from apps.core.processes.refusal import Refusal
from apps.core.processes.supervisor import _pause_before

LOOP = """
import sys
from pathlib import Path
from apps.core.processes import supervisor
from apps.core.processes.folder import open_folder
from apps.core.processes.part import Part
from apps.core.processes.refusal import Refusal
words = (sys.executable, "-c", "print('the disk is made of cheese'); raise SystemExit(3)")
part = Part("broken", 0, words, ready=lambda pid: False, patience=1)
with supervisor.Supervisor(open_folder(Path(sys.argv[1])), lambda *said: print(*said)) as parent:
    try:
        parent.start([part])
    except Refusal as reason:
        print("REFUSED", reason)
"""


def test_part_that_keeps_ending_is_reported_with_the_end_of_its_log(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LOOP, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert "broken ended with code 3; starting it again" in done.stdout, done
    assert "broken keeps ending (2 times within a minute" in done.stdout
    assert "REFUSED `broken` does not start: it ended with code 3." in done.stdout
    assert done.stdout.count("the disk is made of cheese") >= 2


def test_pauses_grow_once_patience_is_spent():
    pauses = [_pause_before(ends, patience=3) for ends in range(1, 11)]
    assert pauses == [0.2, 1.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_sockets_of_a_deep_folder_lie_elsewhere_and_are_private(tmp_path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)

    place = socket_folder(deep)

    assert not place.is_relative_to(deep)
    assert len(str(place / ".s.PGSQL.5432")) <= 100
    assert place.stat().st_mode & 0o777 == 0o700
    assert socket_folder(deep) == place
    place.rmdir()


def test_run_file_is_private_and_whole(tmp_path):
    folder = Folder(tmp_path)
    folder.write_run_file({"web": {"port": 1}})
    assert (tmp_path / "run.json").stat().st_mode & 0o777 == 0o600
    assert folder.read_run_file() == {"web": {"port": 1}}
    assert json.loads((tmp_path / "run.json").read_text()) == {"web": {"port": 1}}
    folder.remove_run_file()
    assert folder.read_run_file() == {}


def test_long_log_is_set_aside(tmp_path):
    folder = open_folder(tmp_path)
    folder.log("web-1").write_text("x" * 11)
    folder.log("relay").write_text("x" * 10)
    folder.trim_logs(limit=10)
    assert folder.log("web-1").read_text() == ""
    assert (tmp_path / "log" / "web-1.log.1").read_text() == "x" * 11
    assert folder.log("relay").read_text() == "x" * 10


def test_programs_of_a_missing_database_are_refused(monkeypatch):
    monkeypatch.setattr(binaries, "_wheel_folders", list)
    monkeypatch.setattr(binaries, "_system_folders", list)
    with pytest.raises(Refusal, match="PostgreSQL's programs are missing: install"):
        binaries.postgres_programs()


def test_server_that_a_setting_names_is_not_started(tmp_path):
    folder = open_folder(tmp_path)
    named = {
        "BROKER_URL": "redis://x/0",
        "CHANNEL_URL": "redis://x/1",
        "CACHE_URL": "redis://x/2",
    }
    everything = {**named, "DATABASE_URL": "postgres://x/y"}
    assert plan.servers(wish(tmp_path, everything), folder, tmp_path) == {}
    one_missing = {**everything, "CACHE_URL": ""}
    assert list(plan.servers(wish(tmp_path, one_missing), folder, tmp_path)) == ["valkey"]


def test_process_is_known_by_pid_and_birth():
    me = os.getpid()
    assert linux.runs(me, linux.birth(me))
    assert not linux.runs(me, linux.birth(me) - 1)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert child.pid in set(linux.children())
    born = linux.birth(child.pid)
    linux.send(child.pid, signal.SIGKILL)
    child.wait(10)
    assert not linux.runs(child.pid, born)
    linux.send(child.pid, signal.SIGKILL)


def wish(var, environment):
    return plan.Wish(
        var=var,
        host="127.0.0.1",
        port=9100,
        web_workers=1,
        task_workers=1,
        demo=False,
        commands=frozenset(),
        environment=environment,
    )
