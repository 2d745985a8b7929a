"""Celery doors of outages: judge, estimate, watch for storms, ask meters."""

import logging
import threading
import time
from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from apps.core import work
from apps.core.actor import system
from apps.outages import selectors, services
from apps.outages.models import CorrelationWork
from apps.outages.rules.judgement import MANY_WAITING
from apps.outages.rules.verification import VerificationReason
from apps.outages.services.forecasting import MOST as MOST_ESTIMATES

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=45)
PATIENCE = timedelta(seconds=5)
MOST = 64
HELPERS = 3
SHORT_SECONDS = 0.1
LOOK_SECONDS = 0.1
"""So long what was seen of the flood holds, where one part after the other is judged."""

WEATHER, VERIFIER = system("weather"), system("verification")
REPLAYS = system("replays")

# Judges share this process: several at once make each other hold their feeder longer, which is
# no harm where nobody waits for it. Then one infers while others wait for the database. What is
# short does not wait for what is long.
_seat, _short_seat = threading.Lock(), threading.Lock()
_spare_seats = threading.BoundedSemaphore(HELPERS)


@shared_task
def run_planned_work() -> int:
    """Begin planned work that is due, close what is over; return how many changed."""
    return services.run_planned_work(at=timezone.now())


@shared_task
def judge_part(key: str) -> bool:
    """Judge one part of the network (`feeder:12`), if it is due and nobody else does."""
    calm = selectors.is_calm(at=timezone.now())
    claimed = _claim(calm=calm, key=key)
    for row in claimed:
        _judge(row, calm=calm)
    return bool(claimed)


@shared_task
def judge_waiting(*, helps: bool = False) -> int:
    """Judge every part that is due and was left over; return how many were judged.

    Once it is calm others are called to help, who call nobody.
    """
    count, seen = 0, _Flood(calls=not helps)
    while count < MOST:
        seen.look()
        claimed = _claim(calm=seen.is_calm)
        if claimed:
            _judge(claimed[0], calm=seen.is_calm)
            count += 1
        elif not seen.wake():
            break
    return count


class _Flood:
    """What one who judges one part after the other sees of what pours in."""

    def __init__(self, *, calls: bool) -> None:
        self.is_calm = False
        self._looked_at = float("-inf")
        self._calls = calls

    def look(self) -> None:
        """Look again, where the last look is old; once it is calm, have others help."""
        if time.monotonic() <= self._looked_at + LOOK_SECONDS:
            return
        self.is_calm, self._looked_at = (
            selectors.is_calm(at=timezone.now()),
            time.monotonic(),
        )
        if self.is_calm and self._calls:
            self._calls = False
            for _ in range(min(self.wake() - 1, HELPERS)):
                judge_waiting.apply_async(kwargs={"helps": True}, expires=5)

    def wake(self) -> int:
        """Wake the parts that rest, where nothing comes in; return how many are due then."""
        now = timezone.now()
        return services.wake(at=now) if self.is_calm and selectors.is_quiet(at=now) else 0


@shared_task
def renew_estimates() -> int:
    """Estimate when power is back at outages that are new or something else; return how many."""
    count = 0
    for _ in range(MOST):
        found = services.renew_estimates(at=timezone.now())
        count += found
        if found < MOST_ESTIMATES:
            break
    return count


@shared_task
def renew_overdue_estimates() -> int:
    """Estimate anew where power should be back; return how many estimates were published."""
    return services.renew_overdue_estimates(at=timezone.now())


@shared_task
def watch_for_storms() -> str:
    """Switch storm mode on or off by what comes in; return what was done."""
    return services.watch_for_storms(by=WEATHER, at=timezone.now()).value


@shared_task
def verify_restored(outage_ids: list[str]) -> int:
    """Ask meters whether they really have power again; return of how many outages."""
    return services.verify_automatically(
        outage_ids=list(map(UUID, outage_ids)),
        reason=VerificationReason.RESTORED,
        by=VERIFIER,
        at=timezone.now(),
    )


@shared_task
def settle_verifications() -> int:
    """Take in what meters have answered, stop waiting in time; return how many moved."""
    return services.settle_verifications(by=VERIFIER, at=timezone.now())


@shared_task
def make_replays() -> int:
    """Make the replays that wait, one after the other; return how many."""
    count = 0
    while services.make_replay(by=REPLAYS, at=timezone.now(), clock=timezone.now):
        count += 1
    return count


def _claim(*, calm: bool, key: str | None = None) -> list[CorrelationWork]:
    """Take a part that is due; while events pour in, a busy one only once it was for a while.

    What is judged in the flood is soon to be judged again. Afterwards what takes longest is
    judged first, so that all who judge are done at the same time.
    """
    at = timezone.now()
    named, values = ("true", []) if key is None else ("key = %s", [key])
    only = (
        f"{named} AND (%s OR run_at <= %s OR waiting < %s)",
        [*values, calm, at - PATIENCE, MANY_WAITING],
    )
    order = "waiting DESC, run_at" if calm else "run_at"
    return work.claim(
        CorrelationWork, owner="judge", at=at, lease=LEASE, only=only, order=order
    )


def _judge(row: CorrelationWork, *, calm: bool) -> None:
    if calm and _spare_seats.acquire(blocking=False):
        try:
            _judge_now(row)
        finally:
            _spare_seats.release()
    else:
        with _short_seat if row.took_seconds < SHORT_SECONDS else _seat:
            _judge_now(row)


def _judge_now(row: CorrelationWork) -> None:
    try:
        services.judge(key=row.key, at=timezone.now())
    except OperationalError as fault:
        logger.warning("Judging %s waits: %s", row.key, fault)
        work.retry(row, error=str(fault), run_at=timezone.now() + timedelta(seconds=1))
    except Exception as fault:
        logger.exception("Judging %s failed", row.key)
        work.retry(row, error=str(fault), run_at=timezone.now() + timedelta(seconds=10))
