"""Housekeeping of the trail."""

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from apps.audit import checkpoints, services


@shared_task
def checkpoint() -> int:
    """Write down where each chain stands, outside the database; return how many moved."""
    return checkpoints.write(settings.AUDIT_CHECKPOINTS, at=timezone.now())


@shared_task
def prove() -> int:
    """Walk the trail; return how much of it is wrong."""
    return services.prove(at=timezone.now()).faults
