"""One effect per idempotency key: the first answer is kept and said again.

The key, the effect and the answer commit together. A second request with the same key does
not wait for the first: an advisory lock that cannot be had at once means it still runs.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.core import locks
from apps.core.errors import Conflict, Invalid, Unprocessable
from apps.core.models import KeptAnswer

KEEP = timedelta(hours=24)
KEY_LENGTH = 255
RETRY_SECONDS = 1


class StillRunning(Conflict):
    """The first request with this key has not finished."""

    retry_after = RETRY_SECONDS


class KeyReused(Unprocessable):
    """The key was used for another request."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request that carries a key: who sends it, and a digest of what it asks."""

    principal: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered."""

    status: int
    content_type: str
    body: bytes


def attempt(*, principal: str, key: str, method: str, path: str, body: bytes) -> Attempt:
    """Return the attempt; `path` includes the query. Raises Invalid for a bad key."""
    if not key or len(key) > KEY_LENGTH or not key.isprintable():
        raise Invalid(
            f"Idempotency-Key must be 1 to {KEY_LENGTH} printable characters.",
            fields={"field": "Idempotency-Key"},
        )
    digest = hashlib.sha256()
    for part in (method.encode(), path.encode(), body):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return Attempt(principal, key, digest.hexdigest())


def begin(tried: Attempt, *, at: datetime) -> Answer | None:
    """Return the kept answer, or None for the first request; call in a transaction.

    Raises StillRunning where another request holds the key, KeyReused where the key belongs
    to another request.
    """
    if not locks.try_hold(f"idempotency\0{tried.principal}\0{tried.key}"):
        raise StillRunning("A request with this Idempotency-Key is still running.")
    kept = KeptAnswer.objects.filter(
        principal=tried.principal, key=tried.key, expires_at__gt=at
    ).first()
    if kept is None:
        return None
    if kept.fingerprint != tried.fingerprint:
        raise KeyReused("This Idempotency-Key was used for another request.")
    return Answer(kept.status, kept.content_type, bytes(kept.body))


def keep(tried: Attempt, answer: Answer, *, at: datetime) -> None:
    """Keep the answer for a day, in the transaction of the effect."""
    KeptAnswer.objects.update_or_create(
        principal=tried.principal,
        key=tried.key,
        defaults={
            "fingerprint": tried.fingerprint,
            "status": answer.status,
            "content_type": answer.content_type,
            "body": answer.body,
            "expires_at": at + KEEP,
        },
    )


def prune(*, at: datetime) -> int:
    """Delete answers that have expired; return how many."""
    return KeptAnswer.objects.filter(expires_at__lte=at).delete()[0]
