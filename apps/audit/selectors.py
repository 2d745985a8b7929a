"""Read the trail."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from apps.audit.checkpoints import is_signed
from apps.audit.models import AuditEntry, Proof
from apps.audit.rules import Seal, seal_of


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


def seal(*, at: datetime) -> tuple[Seal, Proof | None]:
    """Return whether the trail is whole as far as is known, and by which walk along it."""
    proof = Proof.objects.first()
    if proof is None:
        return Seal.UNKNOWN, None
    found = seal_of(
        proof.faults, at - proof.at, is_signed=is_signed(proof.facts(), proof.mac)
    )
    return found, proof
