"""Read the trail."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from apps.audit.models import AuditEntry, Proof


def entries(
    *,
    actions: Iterable[str] = (),
    user_id: UUID | None = None,
    resource: str = "",
    resource_id: str = "",
    start: datetime | None = None,
    end: datetime | None = None,
) -> QuerySet[AuditEntry]:
    """Return entries, newest first; `start` is inclusive, `end` is not."""
    found = AuditEntry.objects.all()
    if wanted := list(actions):
        found = found.filter(action__in=wanted)
    if user_id is not None:
        found = found.filter(user_id=user_id)
    if resource:
        found = found.filter(resource=resource)
    if resource_id:
        found = found.filter(resource_id=resource_id)
    if start is not None:
        found = found.filter(at__gte=start)
    if end is not None:
        found = found.filter(at__lt=end)
    return found


def last_proof() -> Proof | None:
    """Return what the latest walk along the trail found; None where there was none."""
    return Proof.objects.first()
