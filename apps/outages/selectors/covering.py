"""What is known at one meter: outages that interrupt it, and who called about it."""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from apps.accounts.services import require
from apps.core.actor import Actor
from apps.network import selectors as network
from apps.outages.models import Interruption, Outage, SourceEvent
from apps.outages.rules import Source

VIEW = "outages.view_outage"
CALLS_BACK = timedelta(hours=24)


def covering(*, meter: network.MeterView, viewer: Actor) -> QuerySet[Outage]:
    """Return the open outages that concern the meter, the latest first.

    Those that interrupt it by the record, stand at it, or at a device on its way up. Raises
    Forbidden.
    """
    require(viewer, VIEW)
    (found,) = network.resolve([network.PlaceRef(meter_id=meter.code)])
    above = [one.code for one in network.trace(found).path] if found else []
    recorded = Interruption.objects.filter(meter_code=meter.code, ended_at=None)
    here = Q(device_code__in=[meter.code, *above]) | Q(id__in=recorded.values("outage_id"))
    return Outage.objects.open().filter(here).order_by("-first_detected_at", "-number")


def calls_about(*, meter_code: str, viewer: Actor, at: datetime) -> QuerySet[SourceEvent]:
    """Return the calls about a meter in the last day, the latest first. Raises Forbidden."""
    require(viewer, "outages.view_event")
    rows = SourceEvent.objects.filter(
        meter_code=meter_code,
        source_type=Source.CALL_CENTER,
        occurred_at__gte=at - CALLS_BACK,
    )
    return rows.select_related("outage").order_by("-occurred_at", "-id")
