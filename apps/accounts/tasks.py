"""Celery doors of accounts: send messages."""

from celery import shared_task
from django.utils import timezone

from apps.accounts import services


@shared_task
def send_mail_waiting() -> int:
    """Send the messages that are due; return how many were sent."""
    return services.send_waiting(at=timezone.now())
