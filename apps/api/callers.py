"""Where a request comes from: address, agent and request id, as the trail keeps them."""

import ipaddress
import re
from typing import TypedDict
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest

REQUEST_ID = "HTTP_X_REQUEST_ID"
_usable = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class Origin(TypedDict):
    """What an actor carries of its request."""

    address: str
    agent: str
    request_id: str


def origin_of(request: HttpRequest) -> Origin:
    """Return the caller's address behind the trusted proxies, its agent, the request's id."""
    return Origin(
        address=_address(request),
        agent=str(request.META.get("HTTP_USER_AGENT", ""))[:300],
        request_id=str(request.META.get(REQUEST_ID, "")),
    )


def settle_request_id(request: HttpRequest) -> str:
    """Return the request's id: the client's where it is usable, else a new one."""
    given = str(request.META.get(REQUEST_ID, ""))
    found = given if _usable.fullmatch(given) else str(uuid4())
    request.META[REQUEST_ID] = found
    return found


def _address(request: HttpRequest) -> str:
    nearest = str(request.META.get("REMOTE_ADDR", ""))
    trusted = settings.TRUSTED_PROXIES
    passed = [
        p.strip() for p in str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    ]
    if trusted < 1 or len(passed) < trusted:
        return nearest
    try:
        return str(ipaddress.ip_address(passed[-trusted]))
    except ValueError:
        return nearest
