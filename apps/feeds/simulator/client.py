"""Speaks to the portal over its published interface, with one connection that is kept."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 15.0
IDLE_SECONDS = 2.0
SERVER_ERROR = 500
SUCCESS = range(200, 300)
UNAUTHORISED = (401, 403)
TOO_MANY = 429


class Away(Exception):
    """The portal does not answer, or not now: the same may be tried again."""


class Refused(Exception):
    """The portal does not know our token."""


class Portal:
    """The portal as a machine sees it. `token` is asked again after a refusal."""

    def __init__(self, base_url: str, token: Callable[[], str]) -> None:
        parts = urlsplit(base_url)
        self._kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._place, self._prefix = parts.netloc, parts.path.rstrip("/")
        self._read_token = token
        self._token = ""
        self._line: HTTPConnection | None = None
        self._used_at = 0.0

    def report(self, events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Send events; return what became of each. Raises Away or Refused."""
        _, answer = self._call(
            "POST", "/api/oms/events/correlate/batch", {"events": events}
        )
        results = answer.get("results", [])
        if len(results) != len(events):
            raise Away("the batch was not answered item by item")
        return list(results)

    def outages(self) -> dict[str, Any]:
        """Return the open outages. Raises Away or Refused."""
        return self._call("GET", "/api/oms/outages?limit=500")[1]

    def outage(self, outage_id: str) -> dict[str, Any]:
        """Return one outage with all that is known of it. Raises Away or Refused."""
        return self._call("GET", f"/api/oms/outages/{outage_id}")[1]

    def events(self, offset: int, limit: int, period: str = "") -> dict[str, Any]:
        """Return a page of what came in; `period` is a query. Raises Away or Refused."""
        return self._call("GET", f"/api/oms/events?limit={limit}&offset={offset}&{period}")[
            1
        ]

    def statistics(self) -> dict[str, Any]:
        """Return the figures of the dashboard. Raises Away or Refused."""
        return self._call("GET", "/api/oms/statistics")[1]

    def crews(self) -> dict[str, Any]:
        """Return crews under way and free ones. Raises Away or Refused."""
        return self._call("GET", "/api/oms/crews")[1]

    def verifications(self) -> list[dict[str, Any]]:
        """Return the verifications that nobody has taken. Raises Away or Refused."""
        answer = self._call("GET", "/api/oms/verifications?state=pending&limit=100")[1]
        return list(answer.get("verifications", []))

    def put(self, path: str, body: Mapping[str, Any]) -> bool:
        """Change something; return whether the portal agreed. Raises Away or Refused."""
        return self._call("PUT", path, body)[0] in SUCCESS

    def post(self, path: str, body: Mapping[str, Any]) -> bool:
        """Add something; return whether the portal agreed. Raises Away or Refused."""
        return self._call("POST", path, body)[0] in SUCCESS

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            with suppress(OSError):
                self._line.close()
            self._line = None

    def _call(
        self, verb: str, path: str, body: Mapping[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        try:
            status, said = self._exchange(verb, path, body)
        except (OSError, HTTPException, ValueError) as fault:
            self.close()
            raise Away(f"{type(fault).__name__}: {fault}") from fault
        if status in UNAUTHORISED:
            self._token = ""
            raise Refused(f"{verb} {path} was answered {status}")
        if status >= SERVER_ERROR or status == TOO_MANY:
            raise Away(f"{verb} {path} was answered {status}")
        return status, said

    def _exchange(
        self, verb: str, path: str, body: Mapping[str, Any] | None
    ) -> tuple[int, dict[str, Any]]:
        if time.monotonic() - self._used_at > IDLE_SECONDS:
            # The portal hangs up on who says nothing for long.
            self.close()
        if self._line is None:
            self._line = self._kind(self._place, timeout=TIMEOUT_SECONDS)
        self._token = self._token or self._read_token()
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        if content is not None:
            headers["Content-Type"] = "application/json"
        self._line.request(verb, self._prefix + path, content, headers)
        response = self._line.getresponse()
        said = json.loads(response.read() or b"{}")
        self._used_at = time.monotonic()
        return response.status, said if isinstance(said, dict) else {}
