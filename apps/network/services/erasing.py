"""Delete a network with all that is in it: for a portal that leaves its demo behind."""

import uuid
from datetime import datetime

from django.db import connection, transaction

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

PARTS = (Meter, Customer, Edge, Node, Feeder, Substation, Region)


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
    if Network.objects.count() == 1:
        _empty()
    else:
        _delete(network)
    version.structure += 1
    version.stamp = uuid.uuid4()
    version.save(update_fields=["structure", "stamp"])
    audit.record(by=by, action="network_erase", resource="network", resource_id=name, at=at)
    transaction.on_commit(look_again)


def _empty() -> None:
    """Empty the tables at once: row by row the database would look at each for each."""
    tables = ", ".join(m._meta.db_table for m in (SwitchingOperation, *PARTS, Network))
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables}")


def _delete(network: Network) -> None:
    switched = SwitchingOperation.objects.filter(edge__network=network)
    switched._raw_delete(switched.db)
    for model in PARTS:
        rows = model._default_manager.filter(network=network)
        rows._raw_delete(rows.db)
    network.delete()
