"""The worker's door to notices: hints and a sweep; what is to be sent is rows."""

import os
import socket
import time
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from apps.notifications import services

BATCH = 20
SWEEP_SECONDS = 1.5
HINT_SECONDS = 5.0


@shared_task
def send_waiting() -> int:
    """Send what is due, for less time than passes between two sweeps; return how many."""
    return _send(None, SWEEP_SECONDS)


@shared_task
def send_notice(notice_id: str) -> int:
    """Send one notice to those who are due; the sweep sends what is left. Return how many."""
    return _send(UUID(notice_id), HINT_SECONDS)


def _send(notice_id: UUID | None, seconds: float) -> int:
    owner = f"{socket.gethostname()}:{os.getpid()}"[:80]
    stop = time.monotonic() + seconds
    count = 0
    while time.monotonic() < stop:
        jobs, claimed = services.take_due(
            owner=owner, at=timezone.now(), limit=BATCH, notice_id=notice_id
        )
        if not claimed:
            break
        for job in jobs:
            count += services.deliver(job=job, at=timezone.now())
    services.close_finished(at=timezone.now())
    return count
