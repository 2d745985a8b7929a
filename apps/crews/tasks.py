"""Celery doors of crews."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from apps.core.actor import system
from apps.crews import services
from apps.outages import services as outages
from apps.outages.rules.verification import VerificationReason

VERIFIER = system("crews")


@shared_task
def verify_before_going(outage_id: str) -> bool:
    """Ask meters whether the crew is needed; return whether they are asked."""
    asked = outages.verify_automatically(
        outage_ids=[UUID(outage_id)],
        reason=VerificationReason.CREW,
        by=VERIFIER,
        at=timezone.now(),
    )
    return asked > 0


@shared_task
def estimate_in_storm() -> int:
    """Play the queue of a storm ahead; return how many outages were looked at."""
    return services.estimate_in_storm(at=timezone.now())
