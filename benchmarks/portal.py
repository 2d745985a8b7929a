"""The portal under measurement: started by `manage.py up` on data of its own, and stopped."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import psycopg

from apps.core.processes.folder import open_folder
from benchmarks import servers
from benchmarks.load import LoadFault, http_request

LOWEST_PORT = 21_700
EVENTS_PATH = "/api/oms/events/correlate"
METERS = "SELECT count(*) FROM network_meter"
PLAYING = re.compile(r"Playing on (\d+) meters")
START_SECONDS = 300.0
REST_SECONDS = 5.0
STOP_SECONDS = 60.0
SCOPES = ("events:write", "events:read", "outages:read")
OUR_OWN_ENVIRONMENT = (
    "DATABASE_URL",
    "BROKER_URL",
    "CHANNEL_URL",
    "CACHE_URL",
    "PYTHONDONTWRITEBYTECODE",
    "DJANGO_SETTINGS_MODULE",
)


@dataclass(frozen=True)
class Portal:
    """A portal that runs."""

    address: tuple[str, int]
    var: Path
    token: str

    @property
    def processes(self) -> dict[str, int]:
        """Return the process id of each part by its name."""
        pids = open_folder(self.var).read_run_file()["pids"]
        return {name: pid for name, (pid, _) in pids.items()}

    def database(self) -> "psycopg.Connection[Any]":
        """Open a connection to its database."""
        place = open_folder(self.var).read_run_file()["postgres"]
        return psycopg.connect(
            host=place["host"],
            port=place["port"],
            dbname=place["name"],
            user=place["user"],
            autocommit=True,
        )

    def manage(self, *words: str | Path) -> str:
        """Run one of its management commands; return what it said."""
        return _run(_environment(self.var, self.address[1]), *map(str, words))

    def python(self, module: str, *words: str) -> str:
        """Run one of our modules as a process of this portal; return what it said."""
        words = (sys.executable, "-m", module, *words)
        return _said(words, _environment(self.var, self.address[1]))

    def number(self, query: str, *values: Any) -> int:
        """Return the one number that a query answers."""
        with self.database() as connection:
            row = connection.execute(query, values).fetchone()
            return int(row[0]) if row else 0

    def wait_for_simulator(self) -> None:
        """Wait until the demo has taken over all meters that there are by now, and rests.

        It looks each half minute, reads the whole network and the open outages, and would do so
        in the middle of what is measured.
        """
        log, meters = open_folder(self.var).log("simulator"), self.number(METERS)
        limit = time.monotonic() + START_SECONDS
        while not any(int(n) >= meters for n in PLAYING.findall(log.read_text())):
            if time.monotonic() > limit:
                raise LoadFault(f"The demo does not take over the network; see {log}.")
            time.sleep(servers.SHORTEST_PAUSE)
        time.sleep(REST_SECONDS)

    def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Return the bytes of a request of ours."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return http_request(method, path, body, headers)

    def report(self, event: dict[str, Any]) -> dict[str, Any]:
        """Report one event over a connection of its own; return the answer."""
        call = http.client.HTTPConnection(*self.address, timeout=60)
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
        }
        call.request("POST", EVENTS_PATH, json.dumps(event).encode(), headers)
        answer = call.getresponse()
        body: dict[str, Any] = json.loads(answer.read())
        call.close()
        if answer.status not in (HTTPStatus.OK, HTTPStatus.CREATED):
            raise LoadFault(f"The event was answered with {answer.status}.")
        return body


@contextlib.contextmanager
def portal() -> Iterator[Portal]:
    """Run the portal with its demo on an empty database until the block ends."""
    var = servers.fresh_folder("portal")
    port = servers.free_port(LOWEST_PORT)
    environment = _environment(var, port)
    log = var.with_suffix(".log")
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - our own words
            _manage("up", "--demo"),
            cwd=servers.ROOT,
            env=environment,
            stdout=out,
            stderr=out,
        )
    try:
        _wait(process, log, port)
        if not _has_network(environment):
            _run(environment, "import_simbench", "MV1.101")
        _lift_limits(var)
        token = _run(environment, "create_service_token", "benchmark", "--scopes", *SCOPES)
        yield Portal(("127.0.0.1", port), var, token.strip())
    finally:
        servers.stop(process, signal.SIGTERM, STOP_SECONDS)


def _environment(var: Path, port: int) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in OUR_OWN_ENVIRONMENT}
    return kept | {"OMS_VAR": str(var), "PORT": str(port)}


def _wait(process: "subprocess.Popen[bytes]", log: Path, port: int) -> None:
    limit = time.monotonic() + START_SECONDS
    while b"OMS is ready" not in log.read_bytes():
        if process.poll() is not None or time.monotonic() > limit:
            raise LoadFault(f"The portal does not start; see {log}.")
        time.sleep(servers.SHORTEST_PAUSE)
    while not servers.answers(port, http_request("GET", "/health")):
        if time.monotonic() > limit:
            raise LoadFault(f"The portal does not answer; see {log}.")
        time.sleep(servers.SHORTEST_PAUSE)


def _has_network(environment: dict[str, str]) -> bool:
    folder = open_folder(Path(environment["OMS_VAR"]))
    place = folder.read_run_file()["postgres"]
    words = {"host": place["host"], "port": place["port"], "dbname": place["name"]}
    with psycopg.connect(**words, user=place["user"]) as connection:
        row = connection.execute("SELECT EXISTS (SELECT FROM network_meter)").fetchone()
        return bool(row and row[0])


def _lift_limits(var: Path) -> None:
    """Let the one caller of a measurement call as often as it can."""
    place = open_folder(var).read_run_file()["postgres"]
    words = {"host": place["host"], "port": place["port"], "dbname": place["name"]}
    with psycopg.connect(**words, user=place["user"]) as connection:
        connection.execute(
            "INSERT INTO configuration_setting (key, value, updated_by) "
            "VALUES ('limits.service_per_minute', '10000000'::jsonb, 'benchmark') "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        )


def _run(environment: dict[str, str], *words: str) -> str:
    return _said(_manage(*words), environment)


def _said(words: Sequence[str], environment: dict[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - our own words
        words,
        cwd=servers.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LoadFault(f"`{' '.join(words[1:3])}` failed: {done.stderr.strip()[-500:]}")
    return done.stdout


def _manage(*words: str) -> list[str]:
    return [sys.executable, "manage.py", *words]
