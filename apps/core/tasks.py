"""Housekeeping of the ground floor."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from apps.core import idempotency, relay

KEEP = timedelta(days=7)


@shared_task
def prune_outbox() -> int:
    """Delete delivered events older than a week; return how many."""
    return relay.prune(before=timezone.now() - KEEP)


@shared_task
def prune_kept_answers() -> int:
    """Delete answers whose idempotency keys have expired; return how many."""
    return idempotency.prune(at=timezone.now())
