"""Write the trail, in the transaction of what it tells of."""

import logging
import threading
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection

from apps.audit.chain import checkpoint_faults, faults
from apps.audit.models import AuditEntry, AuditLink, Proof
from apps.audit.rules import LONG, SHORT, facts, line, stream_of
from apps.core.actor import Actor
from apps.core.errors import Forbidden

logger = logging.getLogger(__name__)

APART_SECONDS = 10
SHOWN = 50


def record(
    *,
    by: Actor,
    action: str,
    resource: str,
    resource_id: object = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    at: datetime,
) -> AuditEntry:
    """Write one entry in the caller's transaction; it joins the chain when that commits.

    `before` and `after` hold what changed, as plain values. Texts are capped and cleaned.
    """
    entry = _entry(by, action, resource, resource_id)
    entry.at, entry.before, entry.after = at, facts(before), facts(after)
    entry.save(force_insert=True)
    return entry


def record_all(
    *,
    by: Actor,
    action: str,
    resource: str,
    changes: Iterable[tuple[object, Mapping[str, Any], Mapping[str, Any]]],
    at: datetime,
) -> None:
    """Write one entry for each change (resource id, before, after), in one statement."""
    entries = []
    for resource_id, before, after in changes:
        entry = _entry(by, action, resource, resource_id)
        entry.at, entry.before, entry.after = at, facts(before), facts(after)
        entries.append(entry)
    AuditEntry.objects.bulk_create(entries)


def refuse(*, by: Actor, permission: str) -> Forbidden:
    """Record a denied access in a transaction of its own; return the refusal to raise.

    The transaction of the caller is about to be rolled back, so a connection of its own is
    used. Where even that fails, the access stays denied and the fault is logged.
    """
    entry = _entry(by, "access_denied", "permission", permission)
    writer = threading.Thread(target=_save_apart, args=[entry], name="audit-denied")
    writer.start()
    writer.join(APART_SECONDS)
    return Forbidden("You do not have permission to do this.")


def prove(*, at: datetime) -> Proof:
    """Walk every chain and every checkpoint; keep and return what was found."""
    found = [*faults(), *checkpoint_faults(settings.AUDIT_CHECKPOINTS)]
    return Proof.objects.create(
        at=at,
        links=AuditLink.objects.count(),
        faults=len(found),
        places=[str(fault)[:LONG] for fault in found[:SHOWN]],
    )


def _entry(by: Actor, action: str, resource: str, resource_id: object) -> AuditEntry:
    return AuditEntry(
        stream=stream_of(action),
        actor_kind=by.kind,
        actor_label=line(by.label, LONG),
        user_id=by.user_id,
        on_behalf_of=line(by.on_behalf_of, LONG),
        action=line(action, SHORT),
        resource=line(resource, SHORT),
        resource_id=line(resource_id, LONG),
        address=line(by.address, SHORT),
        agent=line(by.agent, LONG),
        request_id=line(by.request_id, SHORT),
    )


def _save_apart(entry: AuditEntry) -> None:
    try:
        entry.save(force_insert=True)
    except Exception:
        logger.exception("A denied access of %s was not recorded", entry.actor_label)
    finally:
        connection.close()
