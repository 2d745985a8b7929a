"""The embedded PostgreSQL: its cluster, the user it runs as, and how it is started."""

import os
import pwd
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from apps.core.processes.binaries import postgres_programs
from apps.core.processes.folder import Folder
from apps.core.processes.part import Part
from apps.core.processes.refusal import Refusal

STAGE = 0
NAME = USER = "portal"
PORT = 5432
_NOBODY = 65534

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "120",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "wal_compression": "on",
    "min_wal_size": "256MB",
    "max_wal_size": "2GB",
    "autovacuum_naptime": "10s",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_min_duration_statement": "1000",
    "log_checkpoints": "off",
}


@dataclass(frozen=True)
class _Identity:
    """Whom PostgreSQL, which refuses to run as root, runs as: a command to put in front."""

    prefix: tuple[str, ...] = ()
    owner: int | None = None


def part(folder: Folder, sockets: Path, settings: dict[str, str] | None = None) -> Part:
    """Return the part, with its cluster made where it is missing."""
    data = folder.var / "pg"
    programs = postgres_programs()
    identity = _identity(data)
    _check_version(data, programs, identity)
    if not (data / "PG_VERSION").exists():
        _make_cluster(data, programs, identity, folder.log("database"))
    if identity.owner is not None:
        os.chown(sockets, identity.owner, -1)
    values = {**SETTINGS, "unix_socket_directories": str(sockets), **(settings or {})}
    words = [word for name, value in values.items() for word in ("-c", f"{name}={value}")]
    return Part(
        name="database",
        stage=STAGE,
        command=(*identity.prefix, str(programs / "postgres"), "-D", str(data), *words),
        ready=lambda pid: _is_ready(data, pid),
        stop_signal=signal.SIGINT,
        stop_seconds=30,
        patience=8,
    )


def address(sockets: Path) -> dict[str, str | int]:
    """Return what the run file says of this server."""
    return {"host": str(sockets), "port": PORT, "name": NAME, "user": USER}


def _identity(data: Path) -> _Identity:
    if os.geteuid() != 0:
        return _Identity()
    owner = data.stat().st_uid if data.exists() else 0
    if owner == 0 and _can_map_users():
        mapping = ("unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}")
        return _Identity((*mapping, "--", *_dying("setpriv")))
    if shutil.which("setpriv") is None:
        raise Refusal("PostgreSQL does not run as root, and `setpriv` is missing here.")
    if owner == 0:
        owner = _NOBODY
        _hand_over(data, owner)
    ids = (f"--reuid={owner}", f"--regid={_group_of(owner)}", "--clear-groups")
    return _Identity(("setpriv", *ids, "--", *_dying("setpriv")), owner)


def _dying(program: str) -> tuple[str, ...]:
    """Return the words that renew the death signal, which a change of user clears."""
    return (program, "--pdeathsig", "INT", "--")


def _can_map_users() -> bool:
    if shutil.which("unshare") is None or shutil.which("setpriv") is None:
        return False
    words = ["unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}", "true"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0  # noqa: S603


def _group_of(owner: int) -> int:
    try:
        return pwd.getpwuid(owner).pw_gid
    except KeyError:
        return owner


def _hand_over(data: Path, owner: int) -> None:
    for path in (data, *data.rglob("*")) if data.exists() else ():
        os.chown(path, owner, -1, follow_symlinks=False)


def _check_version(data: Path, programs: Path, identity: _Identity) -> None:
    try:
        made = (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        return
    told = _run([*identity.prefix, str(programs / "postgres"), "--version"], "").stdout
    here = told.split()[-1].partition(".")[0] if told else "?"
    if made != here:
        raise Refusal(
            f"{data} was made by PostgreSQL {made}, but PostgreSQL {here} is here."
        )


def _make_cluster(data: Path, programs: Path, identity: _Identity, log: Path) -> None:
    """Make the cluster beside its place and move it there whole."""
    fresh = data.with_name("pg.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if identity.owner is not None:
        os.chown(fresh, identity.owner, -1)
    local = ["-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
    make = [str(programs / "initdb"), "-D", str(fresh), *local, "--no-instructions"]
    name = [str(programs / "postgres"), "--single", "-D", str(fresh), "postgres"]
    for words, stdin in ((make, ""), (name, f"CREATE DATABASE {NAME};\n")):
        done = _run([*identity.prefix, *words], stdin)
        if done.returncode != 0:
            log.write_text(done.stdout + done.stderr)
            raise Refusal(f"PostgreSQL could not make its cluster in {data}; see {log}.")
    fresh.rename(data)


def _run(words: list[str], stdin: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, input=stdin, capture_output=True, text=True, check=False)  # noqa: S603


def _is_ready(data: Path, pid: int) -> bool:
    """Read the state that the server keeps in its lock file, as `pg_ctl` does."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"
