"""How often each kind of caller may call: which class, what is left, the printed headers.

Classes are counted by user, strangers by address. Machines have a class of their own, and what
they report is never limited. Where the store is away every call passes, without headers.
"""

import logging
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from django.http import HttpRequest

from apps.accounts.rules import (
    ANALYTICS_A_MINUTE,
    ANONYMOUS_A_MINUTE,
    PAYMENTS_A_MINUTE,
    SCANS_A_MINUTE,
    SERVICE_A_MINUTE,
    STANDARD_A_MINUTE,
)
from apps.api.callers import origin_of
from apps.configuration.rules import Definition
from apps.configuration.selectors import value
from apps.core.actor import Actor, ActorKind
from apps.core.errors import TooMany
from apps.core.limits import Allowance, StoreAway, take, unlimited

MINUTE: Final = 60
REFUSAL = "Rate limit exceeded. Please try again later."

logger = logging.getLogger(__name__)


class RateClass(StrEnum):
    """What is counted together."""

    STANDARD = "standard"
    ANONYMOUS = "anonymous"
    PAYMENTS = "payments"
    SCANS = "scans"
    ANALYTICS = "analytics"
    SERVICE = "service"
    INTAKE = "intake"


LIMITS: Mapping[RateClass, Definition[int]] = {
    RateClass.STANDARD: STANDARD_A_MINUTE,
    RateClass.ANONYMOUS: ANONYMOUS_A_MINUTE,
    RateClass.PAYMENTS: PAYMENTS_A_MINUTE,
    RateClass.SCANS: SCANS_A_MINUTE,
    RateClass.ANALYTICS: ANALYTICS_A_MINUTE,
    RateClass.SERVICE: SERVICE_A_MINUTE,
    RateClass.INTAKE: SERVICE_A_MINUTE,
}


def class_of(actor: Actor | None, asked: RateClass) -> RateClass:
    """Return the class in which a call of this actor to a view of that class counts."""
    if actor is None:
        return RateClass.ANONYMOUS
    if actor.kind is ActorKind.SERVICE:
        return RateClass.INTAKE if asked is RateClass.INTAKE else RateClass.SERVICE
    return RateClass.STANDARD if asked is RateClass.INTAKE else asked


def count(
    actor: Actor | None, address: str, asked: RateClass, *, at: float, calls: int = 1
) -> Allowance | None:
    """Count calls of somebody; None where the store is away and everything passes."""
    found = class_of(actor, asked)
    limit = value(LIMITS[found])
    if found is RateClass.INTAKE:
        return unlimited(limit=limit, seconds=MINUTE, at=at)
    key = f"{found}:{_who(actor) if actor is not None else address}"
    try:
        return take(key=key, limit=limit, seconds=MINUTE, calls=calls)
    except StoreAway as fault:
        logger.warning("Calls are not counted: %s", fault)
        return None


def check(
    request: HttpRequest, actor: Actor | None, asked: RateClass, *, at: float
) -> None:
    """Count one request and remember what is left. Raises TooMany."""
    allowance = count(actor, origin_of(request)["address"], asked, at=at)
    request.allowance = allowance  # type: ignore[attr-defined]
    if allowance is not None and not allowance.passes:
        raise TooMany(REFUSAL, retry_after=allowance.retry_after)


def headers_of(allowance: Allowance | None) -> dict[str, str]:
    """Return the printed headers; none where nothing was counted."""
    if allowance is None:
        return {}
    return {
        "X-RateLimit-Limit": str(allowance.limit),
        "X-RateLimit-Remaining": str(allowance.remaining),
        "X-RateLimit-Reset": str(allowance.resets_at),
    }


def _who(actor: Actor) -> str:
    if actor.kind is ActorKind.SERVICE:
        return f"service:{actor.label}"
    return str(actor.user_id)
