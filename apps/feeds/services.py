"""Storms: kept when somebody asks for one, taken once by the simulator that plays it."""

from datetime import datetime, timedelta

from django.db import transaction

from apps.feeds.models import StormRequest

FORGOTTEN_AFTER = timedelta(minutes=10)


def keep_storm(*, faults: int, requested_by: str, at: datetime) -> StormRequest:
    """Keep the wish for a storm; the same wish again is the same row."""
    row, _ = StormRequest.objects.get_or_create(
        key=f"{at.isoformat()} {requested_by}"[:200],
        defaults={
            "faults": faults,
            "requested_by": requested_by[:200],
            "requested_at": at,
        },
    )
    return row


@transaction.atomic
def take_storm(*, at: datetime) -> StormRequest | None:
    """Return the storm that has waited longest and mark it as begun, or None.

    A wish that nobody played for ten minutes has gone stale and is left alone.
    """
    row = (
        StormRequest.objects.select_for_update(skip_locked=True)
        .filter(started_at=None, requested_at__gt=at - FORGOTTEN_AFTER)
        .first()
    )
    if row is not None:
        row.started_at = at
        row.save(update_fields=["started_at"])
    return row


def erase_storms() -> int:
    """Forget all storms; return how many there were."""
    return StormRequest.objects.all().delete()[0]
