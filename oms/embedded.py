"""Where the embedded servers of this portal listen, as `manage.py up` wrote it down.

While nothing runs there is no `run.json`: the addresses then name the sockets that would be
there, and a command that needs a server says that it does not answer.
"""

import json
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured

RUN_FILE = "run.json"


class UnusableFolder(ImproperlyConfigured):
    """The folder `var/` cannot be used; the text is one sentence for a person."""


def read_run_file(var: Path) -> dict[str, Any]:
    """Return what `manage.py up` wrote into `var/run.json`; empty where it does not run."""
    try:
        found = json.loads((var / RUN_FILE).read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    except OSError as fault:
        raise UnusableFolder(
            f"{var / RUN_FILE} cannot be read: {fault.strerror}."
        ) from None
    return found if isinstance(found, dict) else {}


def database_of(run: dict[str, Any], var: Path) -> dict[str, Any]:
    """Return Django's database entry for the embedded PostgreSQL (host: a folder)."""
    place = run.get("postgres", {})
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": place.get("name", "portal"),
        "USER": place.get("user", "portal"),
        "HOST": place.get("host", str(var / "sockets")),
        "PORT": str(place.get("port", 5432)),
    }


def broker_url(run: dict[str, Any], var: Path) -> str:
    """Return the address of the embedded Valkey as Celery spells it (database 0)."""
    return f"redis+socket://{_socket(run, var)}?virtual_host=0"


def valkey_url(run: dict[str, Any], var: Path, number: int) -> str:
    """Return the address of one numbered database of the embedded Valkey."""
    return f"unix://{_socket(run, var)}?db={number}"


def secret_of(var: Path, name: str) -> str:
    """Return a secret kept in a private file of `var/`, made on first use."""
    path = var / name
    try:
        if not path.exists():
            _make_secret(path)
        return path.read_text().strip()
    except OSError as fault:
        raise UnusableFolder(
            f"The folder {var} cannot be used: {fault.strerror}."
        ) from None


def _make_secret(path: Path) -> None:
    """Write the file whole before it gets its name, so that nobody reads half a secret."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        return
    finally:
        fresh.unlink()


def _socket(run: dict[str, Any], var: Path) -> str:
    return quote(str(run.get("valkey", {}).get("socket", var / "sockets" / "valkey.sock")))
