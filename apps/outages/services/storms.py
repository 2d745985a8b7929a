"""The wish for a practice storm. What plays it listens to the event."""

from datetime import datetime

from django.db import transaction

from apps.accounts.services import require
from apps.audit import services as audit
from apps.core.actor import Actor
from apps.core.errors import Invalid
from apps.core.outbox import publish
from apps.outages.events import StormRequested

FAULTS = 12
MOST_FAULTS = 100


@transaction.atomic
def request_storm(*, faults: int = FAULTS, by: Actor, at: datetime) -> None:
    """Ask for a storm of so many faults on the simulated grid. Raises Forbidden or Invalid."""
    require(by, "outages.storm_mode")
    if not 1 <= faults <= MOST_FAULTS:
        raise Invalid(f"A storm has 1 to {MOST_FAULTS} faults.", fields={"field": "faults"})
    audit.record(
        by=by, action="storm_request", resource="storm", after={"faults": faults}, at=at
    )
    publish(StormRequested(faults=faults, by=by.label, at=at))
