"""Delete all notices: for a portal that leaves its demo behind."""

from datetime import datetime

from django.db import transaction

from apps.accounts.services import require
from apps.audit import services as audit
from apps.core.actor import Actor
from apps.notifications.models import (
    Notice,
    NoticeAttempt,
    NoticeRecipient,
    SentMessage,
)


@transaction.atomic
def erase_notices(*, by: Actor, at: datetime) -> int:
    """Delete every notice and what was sent; return how many notices. Raises Forbidden."""
    require(by, "network.import_network")
    count = Notice.objects.count()
    for model in (NoticeAttempt, NoticeRecipient, SentMessage, Notice):
        rows = model._default_manager.all()
        rows._raw_delete(rows.db)
    audit.record(
        by=by, action="notices_erase", resource="notice", before={"notices": count}, at=at
    )
    return count
