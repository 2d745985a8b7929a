"""What the demo writes into `var/`: accounts and token, readable by their owner alone."""

import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings

ACCOUNTS = "demo-accounts.json"
MARKS = "demo-marks.json"
PUBLISHED = "demo.json"
RUN = "run.json"
EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - addresses that are replaced


def read_accounts() -> dict[str, Any]:
    """Return the accounts and the token of an earlier load; empty where there was none."""
    return _read(ACCOUNTS)


def read_marks() -> dict[str, Any]:
    """Return what tells that the passwords of the accounts were not changed since."""
    return _read(MARKS)


def write_marks(content: dict[str, Any]) -> None:
    """Keep what tells that the passwords were not changed since."""
    _write(MARKS, content)


def write_accounts(content: dict[str, Any]) -> None:
    """Keep the accounts and the token for the next load and for the simulator."""
    _write(ACCOUNTS, content)


def publish(base_url: str) -> dict[str, Any]:
    """Write `demo.json` with the address at which the portal answers; return its content."""
    content = {"base_url": base_url, **read_accounts()}
    _write(PUBLISHED, content)
    return content


def remove() -> None:
    """Remove what the demo wrote."""
    for name in (ACCOUNTS, MARKS, PUBLISHED):
        (Path(settings.VAR_DIR) / name).unlink(missing_ok=True)


def portal_address() -> str:
    """Return where the portal of this folder answers, by its run file or the usual port."""
    web = _read(RUN).get("web", {})
    host, port = web.get("host", "127.0.0.1"), web.get("port", 9100)
    host = "127.0.0.1" if host in EVERYWHERE else host
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _read(name: str) -> dict[str, Any]:
    try:
        found = json.loads((Path(settings.VAR_DIR) / name).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(name: str, content: dict[str, Any]) -> None:
    """Write the file in one step, so that nobody reads half of it."""
    place = Path(settings.VAR_DIR) / name
    fresh = place.with_name(f"{name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=1)
    fresh.replace(place)
