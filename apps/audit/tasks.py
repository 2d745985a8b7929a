"""Housekeeping of the trail."""

from celery import shared_task
from django.utils import timezone

from apps.audit import services


@shared_task
def checkpoint() -> int:
    """Write down where each chain stands, outside the database; return how many moved."""
    return services.checkpoint(at=timezone.now())


@shared_task
def prove() -> int:
    """Walk the trail; return how much of it is wrong."""
    return services.prove(at=timezone.now()).faults
