"""Write the trail, in the transaction of what it tells of."""

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from apps.audit import chain, checkpoints
from apps.audit.models import AuditEntry, AuditLink, Proof
from apps.audit.rules import LONG, SHORT, facts, line, stream_of
from apps.core.actor import Actor
from apps.core.errors import Forbidden

logger = logging.getLogger(__name__)

APART_SECONDS = 10
SHOWN = 50
PROOFS = 100


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


def checkpoint(*, at: datetime) -> int:
    """Write down where each chain stands, outside the database; return how many moved."""
    return checkpoints.write(settings.AUDIT_CHECKPOINTS, at=at)


def prove(*, at: datetime) -> Proof:
    """Walk every chain and every checkpoint; keep, signed, and return what was found."""
    path = settings.AUDIT_CHECKPOINTS
    found = list(trail_faults(path=path, at=at))
    number, mac = checkpoints.last(path)
    proof = Proof(
        at=at,
        links=AuditLink.objects.count(),
        checkpoints=number,
        checkpoint=mac,
        faults=len(found),
        places=[str(fault)[:LONG] for fault in found[:SHOWN]],
    )
    proof.mac = checkpoints.sign(proof.facts())
    proof.save()
    return proof


def trail_faults(*, path: Path, at: datetime) -> Iterator[chain.Fault]:
    """Yield everything that is wrong with the trail: its guards, its chains, its checkpoints."""
    proofs = Proof.objects.all()[:PROOFS]
    known = max(
        (
            (proof.checkpoints, proof.checkpoint)
            for proof in proofs
            if not proof.faults and checkpoints.is_signed(proof.facts(), proof.mac)
        ),
        default=(0, ""),
    )
    yield from chain.guard_faults()
    yield from chain.faults()
    yield from checkpoints.faults(path, known=known, at=at)


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
