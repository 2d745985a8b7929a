"""What every verb on one outage does: hold it, write its timeline, write the trail."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from apps.audit import services as audit
from apps.core.actor import Actor
from apps.core.bulk import insert
from apps.outages.models import Outage, TimelineEntry
from apps.outages.selectors import OutageNotFound

LONGEST_TEXT = 4_000
_COLUMNS = ("outage_id", "at", "kind", "text", "actor_label", "on_behalf_of")


def hold(outage_id: UUID) -> Outage:
    """Return the outage, held; one that was merged away is the one it went into.

    Only what stands is held, never what was merged: the judge holds in that order too.
    Raises OutageNotFound.
    """
    into = Outage.objects.filter(id=outage_id).values_list("merged_into_id", flat=True)
    wanted = into.first() or outage_id
    outage = Outage.objects.select_for_update().filter(id=wanted).first()
    if outage is None:
        raise OutageNotFound(f"There is no outage {outage_id}.")
    return outage if outage.merged_into_id is None else hold(outage.merged_into_id)


def tell(outage: Outage, kind: str, text: str, by: Actor, at: datetime) -> TimelineEntry:
    """Write what happened into the outage's timeline."""
    entry = line(outage, kind, text, by, at)
    entry.save(force_insert=True)
    return entry


def line(outage: Outage, kind: str, text: str, by: Actor, at: datetime) -> TimelineEntry:
    """Return an entry for the outage's timeline, not yet written."""
    return TimelineEntry(
        outage=outage,
        at=at,
        kind=kind,
        text=text[:LONGEST_TEXT],
        actor_label=by.label,
        on_behalf_of=by.on_behalf_of,
    )


def write(lines: Sequence[TimelineEntry]) -> None:
    """Write entries for timelines in one statement."""
    write_rows([[getattr(entry, name) for name in _COLUMNS] for entry in lines])


def write_rows(rows: Sequence[Sequence[object]]) -> None:
    """Write entries in one statement: outage, time, kind, text, actor, on whose behalf."""
    insert("outages_timelineentry", _COLUMNS, rows)


def record(
    outage: Outage,
    action: str,
    before: Mapping[str, object],
    by: Actor,
    at: datetime,
    notes: str = "",
) -> None:
    """Write into the audit trail what of the outage is different now."""
    after = {**outage.facts(), **({"notes": notes} if notes else {})}
    audit.record(
        by=by,
        action=action,
        resource="outage",
        resource_id=str(outage.id),
        before=before,
        after=after,
        at=at,
    )
