"""Limits on how often: counted in the shared store, on its own clock, in one step.

A window begins with the first call and lasts so many seconds; within it exactly the limit
passes, however many processes count at once. Where the store is away the caller decides.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

PREFIX = "limit:"
STORE_SECONDS = 0.5
REMEMBERED = 10_000

# Count n calls; return how many there were before, and the milliseconds until the window ends.
_TAKE = """
local now = redis.call('INCRBY', KEYS[1], ARGV[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  left = tonumber(ARGV[2])
end
local clock = redis.call('TIME')
return {now, left, tonumber(clock[1])}
"""


class StoreAway(Exception):
    """The shared store does not answer."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a limit: how many of the calls asked for may pass, and until when."""

    limit: int
    granted: int
    remaining: int
    resets_at: int
    retry_after: int

    @property
    def passes(self) -> bool:
        """Return whether the one call that was asked for may pass."""
        return self.granted > 0


def take(*, key: str, limit: int, seconds: int, calls: int = 1) -> Allowance:
    """Count so many calls under the key; return how many of them pass. Raises StoreAway."""
    try:
        now, left, clock = _script()(
            keys=[PREFIX + key], args=[calls, seconds * 1000], client=_store()
        )
    except redis.RedisError as fault:
        raise StoreAway(str(fault)) from fault
    return _allowance(limit, int(now), calls, int(clock), max(1, -(-int(left) // 1000)))


def forget(*, key: str) -> None:
    """Begin the key's window anew. Where the store is away nothing happens."""
    try:
        _store().delete(PREFIX + key)
    except redis.RedisError:
        return


def forget_all() -> None:
    """Begin every window anew, as an operator may after a mistake in the settings."""
    found = list(_store().scan_iter(f"{PREFIX}*"))
    if found:
        _store().delete(*found)


def unlimited(*, limit: int, seconds: int, at: float) -> Allowance:
    """Return the allowance of somebody who is not counted."""
    return Allowance(limit, 1, limit, int(at) + seconds, 0)


def _allowance(limit: int, now: int, calls: int, clock: int, left: int) -> Allowance:
    granted = max(0, min(calls, limit - (now - calls)))
    return Allowance(limit, granted, max(0, limit - now), clock + left, left)


class LocalLimits:
    """The same count in this process alone, for when the store is away."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.windows: dict[str, tuple[float, int]] = {}
        self.lock = threading.Lock()

    def take(self, *, key: str, limit: int, seconds: int) -> Allowance:
        """Count one call under the key; return whether it passes."""
        now = self.clock()
        with self.lock:
            ends, count = self.windows.get(key, (0.0, 0))
            if ends <= now:
                ends, count = now + seconds, 0
            if len(self.windows) >= REMEMBERED:
                self.windows = {k: w for k, w in self.windows.items() if w[0] > now}
            self.windows[key] = (ends, count + 1)
        return _allowance(limit, count + 1, 1, int(now), max(1, int(ends - now)))


local = LocalLimits()


@cache
def _store() -> redis.Redis:
    return store_at(settings.CACHES["default"]["LOCATION"])


def store_at(url: str) -> redis.Redis:
    """Return a client that gives up soon: one retry at once, for a connection gone stale."""
    return redis.Redis.from_url(
        url,
        socket_timeout=STORE_SECONDS,
        socket_connect_timeout=STORE_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )


@cache
def _script() -> Any:
    return _store().register_script(_TAKE)
