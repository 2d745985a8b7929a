"""Empty the house: for a portal that leaves its demo behind."""

from datetime import datetime

from django.db import transaction

from apps.accounts.services import require
from apps.audit import services as audit
from apps.core.actor import Actor
from apps.outages.models import (
    CorrelationWork,
    EtrEstimate,
    EventConflict,
    Interruption,
    MeterPing,
    Outage,
    PlannedWork,
    ReplayRun,
    SourceEvent,
    StormPeriod,
    TimelineEntry,
    Verification,
    ZoneEstimate,
)

ERASE = "network.import_network"
BEFORE_OUTAGES = (
    ReplayRun,
    PlannedWork,
    CorrelationWork,
    EventConflict,
    SourceEvent,
    Interruption,
    EtrEstimate,
    MeterPing,
    Verification,
    StormPeriod,
    TimelineEntry,
    ZoneEstimate,
)


@transaction.atomic
def erase_outages(*, by: Actor, at: datetime) -> int:
    """Delete every outage and event; return how many outages. The trail keeps what was done.

    What other apps hold of them is deleted before. Raises Forbidden.
    """
    require(by, ERASE)
    count = Outage.objects.count()
    for model in BEFORE_OUTAGES:
        rows = model._default_manager.all()
        rows._raw_delete(rows.db)
    Outage.objects.update(merged_into=None, parent=None)
    outages = Outage.objects.all()
    outages._raw_delete(outages.db)
    audit.record(
        by=by, action="outages_erase", resource="outage", before={"outages": count}, at=at
    )
    return count
