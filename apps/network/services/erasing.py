"""Delete a network with all that is in it: for a portal that leaves its demo behind."""

import uuid
from datetime import datetime

from django.db import transaction

from apps.accounts.services import require
from apps.audit import services as audit
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.network.models import (
    Customer,
    Edge,
    Feeder,
    Meter,
    Network,
    Node,
    Region,
    Substation,
    SwitchingOperation,
)
from apps.network.selectors import look_again
from apps.network.services.switching import locked_version


@transaction.atomic
def erase_network(*, name: str, by: Actor, at: datetime) -> None:
    """Delete a network and everything that belongs to it.

    What another network's file has named since belongs to that one and stays; the database
    refuses where that hangs from what would go. Raises Forbidden or NotFound.
    """
    require(by, "network.import_network")
    version = locked_version()
    network = Network.objects.filter(name=name).first()
    if network is None:
        raise NotFound(f"There is no network {name!r}.")
    switched = SwitchingOperation.objects.filter(edge__network=network)
    switched._raw_delete(switched.db)
    for model in (Meter, Customer, Edge, Node, Feeder, Substation, Region):
        rows = model._default_manager.filter(network=network)
        rows._raw_delete(rows.db)
    network.delete()
    version.structure += 1
    version.stamp = uuid.uuid4()
    version.save(update_fields=["structure", "stamp"])
    audit.record(by=by, action="network_erase", resource="network", resource_id=name, at=at)
    transaction.on_commit(look_again)
