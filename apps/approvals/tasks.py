"""Housekeeping of proposals."""

from celery import shared_task
from django.utils import timezone

from apps.approvals import services


@shared_task
def expire() -> int:
    """Close the proposals whose time has passed; return how many."""
    return services.expire(at=timezone.now())
