"""Where the embedded servers of this portal listen, as `manage.py up` wrote it down."""

import json
import secrets
from pathlib import Path
from typing import Any

RUN_FILE = "run.json"


def read_run_file(var: Path) -> dict[str, Any]:
    """Return what `manage.py up` wrote into `var/run.json`; empty where it never ran."""
    try:
        found = json.loads((var / RUN_FILE).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def database_of(run: dict[str, Any]) -> dict[str, Any]:
    """Return Django's database entry for the embedded PostgreSQL (a socket folder as host)."""
    place = run.get("postgres", {})
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": place.get("name", "portal"),
        "USER": place.get("user", "portal"),
        "HOST": place.get("host", "127.0.0.1"),
        "PORT": str(place.get("port", 15432)),
    }


def valkey_url(run: dict[str, Any], number: int) -> str:
    """Return the address of one numbered database of the embedded Valkey."""
    place = run.get("valkey", {})
    return f"redis://{place.get('host', '127.0.0.1')}:{place.get('port', 16379)}/{number}"


def secret_of(var: Path, name: str) -> str:
    """Return a secret kept in a private file of `var/`, made on first use."""
    path = var / name
    if not path.exists():
        var.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text().strip()
