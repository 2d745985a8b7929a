"""Attempts to sign in: strangers are held up, people on devices they use never are.

Failures are counted by account, and what a strange address tries, with whatever account, by
address: ten times as much. Whoever comes from a browser, or an address, from which the
account was signed in to before is counted apart from all others, so that no stranger can lock
an operator out. Where the store is away, each process counts for itself, and more strictly.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.core import signing

from apps.accounts.models import Session
from apps.accounts.rules import ATTEMPTS
from apps.accounts.tokens import digest
from apps.configuration.selectors import value
from apps.core import limits
from apps.core.errors import TooMany

WINDOW_SECONDS = 15 * 60
KNOWN_FOR = timedelta(days=30)
DEVICE = "accounts.device"
LEAST = 3
STRANGERS = "strangers"
ACCOUNTS_AN_ADDRESS = 10
REFUSAL = "Too many attempts. Please try again later."


def device_of(*, email: str) -> str:
    """Return what a browser is given once somebody signed in there."""
    return signing.dumps(digest(_account(email)), salt=DEVICE)


def begin(*, email: str, address: str, device: str, at: datetime) -> str:
    """Count an attempt; return the key under which. Raises TooMany."""
    place = _place(email, address, device, at)
    if place == STRANGERS and address:
        _count(f"login-from:{address}", times=ACCOUNTS_AN_ADDRESS)
    return _count(f"login:{digest(_account(email))}:{place}")


def begin_again(*, user_id: UUID) -> str:
    """Count an attempt of somebody signed in to prove themselves. Returns and raises as begin."""
    return _count(f"confirm:{user_id}")


def _count(key: str, times: int = 1) -> str:
    limit = value(ATTEMPTS) * times
    try:
        found = limits.take(key=key, limit=limit, seconds=WINDOW_SECONDS)
    except limits.StoreAway:
        strict = max(LEAST, limit // 2)
        found = limits.local.take(key=key, limit=strict, seconds=WINDOW_SECONDS)
    if not found.passes:
        raise TooMany(REFUSAL, retry_after=found.retry_after)
    return key


def succeeded(key: str, /) -> None:
    """Forget the failures before a success."""
    limits.forget(key=key)


def _place(email: str, address: str, device: str, at: datetime) -> str:
    if device and _is_known(device, email):
        return f"device:{digest(device)[:16]}"
    seen = Session.objects.filter(
        user__email=_account(email), address=address, created_at__gte=at - KNOWN_FOR
    )
    return f"address:{address}" if address and seen.exists() else STRANGERS


def _is_known(device: str, email: str) -> bool:
    try:
        found = signing.loads(device, salt=DEVICE, max_age=KNOWN_FOR)
    except signing.BadSignature:
        return False
    return bool(found == digest(_account(email)))


def _account(email: str) -> str:
    return email.strip().lower()
