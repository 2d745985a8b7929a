"""Delete crews and where they were: for a portal that leaves its demo behind."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from apps.accounts.services import require
from apps.audit import services as audit
from apps.core.actor import Actor
from apps.crews.models import Assignment, Crew

ERASE = "network.import_network"


@transaction.atomic
def erase_crews(*, codes: Iterable[str], by: Actor, at: datetime) -> int:
    """Delete all assignments, the crews with these codes and all ad-hoc ones; return how many.

    Raises Forbidden.
    """
    require(by, ERASE)
    Assignment.objects.all().delete()
    gone = Crew.objects.filter(Q(code__in=list(codes)) | Q(is_ad_hoc=True))
    count = gone.count()
    gone.delete()
    audit.record(
        by=by, action="crews_erase", resource="crew", before={"crews": count}, at=at
    )
    return count
