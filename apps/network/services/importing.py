"""Import a network file: all of it or nothing, and nothing twice."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.accounts.services import require
from apps.audit import services as audit
from apps.core import outbox
from apps.core.actor import Actor
from apps.network.events import NetworkImported
from apps.network.models import Network, NetworkVersion
from apps.network.selectors import grid, look_again
from apps.network.services.documents import read_document
from apps.network.services.loading import Changes, bring, merge
from apps.network.services.switching import locked_version


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did; `structure` is the version of the grid after it."""

    network: str
    changed: bool
    structure: int
    created: dict[str, int]
    updated: dict[str, int]
    retired: dict[str, int]


def import_network(*, document: Mapping[str, Any], by: Actor, at: datetime) -> ImportResult:
    """Bring the grid in line with a network file; the same file twice changes nothing.

    Raises Forbidden, or Invalid with every fault found by its JSON path.
    """
    require(by, "network.import_network")
    columns = read_document(document)
    with transaction.atomic():
        bring(columns)
        version = locked_version()
        network, is_new = Network.objects.get_or_create(
            name=columns.name, defaults={"imported_at": at}
        )
        changes = merge(columns, network.pk, is_new=is_new)
        changed = is_new or changes.total > 0
        if changed:
            _record(network, version, changes, by, at)
    look_again()
    if changed:
        # Compiled here, so that processes that wait for it need only load it.
        grid(fresh=True)
    return ImportResult(columns.name, changed, version.structure, **asdict(changes))


def _record(
    network: Network, version: NetworkVersion, changes: Changes, by: Actor, at: datetime
) -> None:
    network.imported_at = at
    network.save(update_fields=["imported_at"])
    version.structure += 1
    version.stamp = uuid.uuid4()
    version.save(update_fields=["structure", "stamp"])
    audit.record(
        by=by,
        action="import_network",
        resource="network",
        resource_id=network.name,
        after={"structure": version.structure, **asdict(changes)},
        at=at,
    )
    outbox.publish(
        NetworkImported(
            network=network.name,
            structure=version.structure,
            created=sum(changes.created.values()),
            updated=sum(changes.updated.values()),
            retired=sum(changes.retired.values()),
            at=at,
        )
    )
