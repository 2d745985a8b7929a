"""The peer: Alerta on PostgreSQL behind gunicorn, installed and started by the measurement."""

import contextlib
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from apps.core.processes.part import Part
from benchmarks import servers
from benchmarks.load import http_request

REQUIREMENTS = Path(__file__).with_name("requirements-peer.txt")
WORKERS = 4
LOWEST_PORT = 21_800
SETTINGS = """\
SECRET_KEY = 'only-for-this-measurement'
DATABASE_URL = {url!r}
LOG_LEVEL = 'WARNING'
"""
SEED = """
INSERT INTO alerts (
    id, resource, event, environment, severity, correlate, status, service, "group", value,
    text, tags, attributes, origin, type, create_time, timeout, raw_data, customer,
    duplicate_count, repeat, previous_severity, trend_indication, receive_time,
    last_receive_id, last_receive_time, update_time, history)
SELECT
    gen_random_uuid(), 'seed-' || n, (ARRAY['outage', 'last_gasp', 'voltage_low'])[1 + n %% 3],
    a.environment, (ARRAY['critical', 'major', 'minor', 'warning'])[1 + n %% 4], a.correlate,
    (ARRAY['open', 'ack'])[1 + (n %% 10 = 0)::int], a.service, a."group", a.value, a.text,
    a.tags, a.attributes, a.origin, a.type, t.at, a.timeout, a.raw_data, a.customer,
    n %% 4, a.repeat, a.previous_severity, a.trend_indication, t.at, a.last_receive_id, t.at,
    t.at, a.history
FROM (SELECT * FROM alerts LIMIT 1) a, generate_series(1, %s) n,
    LATERAL (SELECT a.create_time - n * interval '20 s' AS at) t
"""


@dataclass(frozen=True)
class Peer:
    """A peer that runs."""

    address: tuple[str, int]
    database: str
    processes: frozenset[int]

    def seed(self, alerts: int) -> None:
        """Add so many alerts, spread over time, kinds, severities and states."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute(SEED, [alerts])
            connection.execute("VACUUM ANALYZE alerts")

    def count(self) -> int:
        """Return how many alerts are stored."""
        with psycopg.connect(self.database) as connection:
            row = connection.execute("SELECT count(*) FROM alerts").fetchone()
            return int(row[0]) if row else 0


@contextlib.contextmanager
def peer() -> Iterator[Peer]:
    """Run the peer on an empty database until the block ends."""
    programs = _installed() / "bin"
    others = servers.started()
    home = servers.fresh_folder("peer")
    port = servers.free_port(LOWEST_PORT)
    with servers.database(home) as place:
        url = f"postgresql://{place['user']}@/{place['name']}?host={place['host']}"
        settings = home / "alertad.conf"
        settings.write_text(SETTINGS.format(url=url))
        environment = {"ALERTA_SVR_CONF_FILE": str(settings)}
        # Its workers would each make the schema as they start; preloaded, it is made once.
        make = (
            str(programs / "python"),
            "-c",
            "from alerta import create_app; create_app()",
        )
        _run(*make, **environment)
        part = Part(
            name="alerta",
            stage=1,
            command=(
                str(programs / "python"),
                str(programs / "gunicorn"),
                *("--workers", str(WORKERS), "--bind", f"127.0.0.1:{port}"),
                "--no-control-socket",
                "--preload",
                "alerta:create_app()",
            ),
            environment=environment,
            ready=lambda _: servers.answers(port, list_request(1)),
        )
        with servers.running(part, home / "log" / "alerta.log"):
            yield Peer(("127.0.0.1", port), url, frozenset(servers.started() - others))


def alert_request(number: int) -> bytes:
    """Return the request that reports one event that nobody reported before."""
    body = {
        "resource": f"meter-{number}",
        "event": "outage",
        "environment": "Production",
        "severity": "major",
        "service": ["network"],
        "text": "No supply",
        "origin": "ami",
        "attributes": {"latitude": 53.6, "longitude": 11.4},
    }
    return http_request("POST", "/alert", json.dumps(body).encode())


def list_request(rows: int) -> bytes:
    """Return the request for one page of alerts."""
    return http_request("GET", f"/alerts?page-size={rows}")


def _installed() -> Path:
    """Return the peer's virtual environment, made where its requirements changed."""
    key = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    place = servers.HOME / f"peer-venv-{key}"
    mark = place / "whole"
    if not mark.exists():
        uv = (sys.executable, "-m", "uv")
        _run(*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(place))
        python = str(place / "bin" / "python")
        install = (
            *uv,
            "pip",
            "install",
            "--quiet",
            "--compile-bytecode",
            "--python",
            python,
        )
        _run(*install, "-r", str(REQUIREMENTS))
        mark.touch()
    return place


def _run(*words: str, **environment: str) -> None:
    subprocess.run(words, check=True, env={**os.environ, **environment})  # noqa: S603
