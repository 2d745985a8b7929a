"""What the page of an outage prints, as frozen rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor
from apps.outages import selectors as outages
from apps.outages.rules import OPEN, Source, Status

if TYPE_CHECKING:
    from apps.outages.models import Outage, SourceEvent, TimelineEntry

PLACE_WORDS = {
    "device_id": _("device"),
    "feeder_id": _("feeder"),
    "substation_id": _("substation"),
    "meter_id": _("meter"),
    "asset_mrid": _("asset"),
    "customer_id": _("customer"),
    "phone": _("phone"),
    "onu_id": _("ONU"),
}
LADDER = (Status.DETECTED, Status.CONFIRMED, Status.IN_PROGRESS, Status.RESTORED)


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of an outage's life."""

    word: str
    label: str
    done: bool
    current: bool
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Verb:
    """A step that may be taken now."""

    status: str
    label: str
    primary: bool


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """How often a source spoke of the outage, and when."""

    label: str
    events: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event in a list, with what became of it and why."""

    id: UUID
    event_type: str
    source_label: str
    source_event_id: str
    place: str
    place_note: str
    occurred_at: datetime
    received_at: datetime
    clock: str
    disposition: str
    disposition_label: str
    why: str
    outage_id: UUID | None
    outage_label: str


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One thing that happened to the outage."""

    at: datetime
    kind: str
    text: str
    who: str


def steps_of(outage: "Outage") -> list[Step]:
    """Return the ladder of an outage's life; a cancelled one ends where it was."""
    times = {
        Status.DETECTED: outage.first_detected_at,
        Status.CONFIRMED: outage.confirmed_at,
        Status.IN_PROGRESS: outage.in_progress_at,
        Status.RESTORED: outage.restored_at,
    }
    ladder: tuple[Status, ...] = LADDER
    if outage.status == Status.CANCELLED:
        times[Status.CANCELLED] = outage.cancelled_at
        ladder = (Status.DETECTED, Status.CANCELLED)
    return [
        Step(
            word=step.value,
            label=str(step.label),
            done=times[step] is not None and outage.status != step.value,
            current=outage.status == step.value,
            at=times[step],
        )
        for step in ladder
    ]


def verbs_of(outage: "Outage", viewer: Actor) -> list[Verb]:
    """Return the steps that the viewer may take with this outage now."""
    if outage.status not in OPEN or not viewer.may("outages.operate_outage"):
        return []
    labels = {
        Status.CONFIRMED: gettext("Confirm"),
        Status.IN_PROGRESS: gettext("Work begins"),
        Status.RESTORED: gettext("Power is back"),
    }
    ahead = LADDER[LADDER.index(Status(outage.status)) + 1 :]
    return [
        Verb(step.value, labels[step], primary=position == 0)
        for position, step in enumerate(ahead)
    ]


def evidence_lines(found: Iterable[outages.SourceEvidence]) -> list[EvidenceLine]:
    """Return what each source said."""
    return [
        EvidenceLine(
            str(Source(one.source_type).label), one.events, one.first_at, one.last_at
        )
        for one in found
    ]


def event_line(event: "SourceEvent", label: str = "") -> EventLine:
    """Return an event as lists print it."""
    return EventLine(
        id=event.id,
        event_type=event.event_type,
        source_label=event.get_source_type_display(),
        source_event_id=event.source_event_id,
        place=place_of(event),
        place_note=told_of(event),
        occurred_at=event.occurred_at,
        received_at=event.received_at,
        clock=event.clock,
        disposition=event.disposition,
        disposition_label=event.get_disposition_display(),
        why=why_unresolved(event),
        outage_id=event.outage_id,
        outage_label=label,
    )


def place_of(event: "SourceEvent") -> str:
    """Return where the event was, as it was resolved."""
    if event.device_code:
        return event.device_code
    if event.meter_code:
        return event.meter_code
    if event.latitude is not None and event.longitude is not None:
        return f"{event.latitude:.4f}, {event.longitude:.4f}"
    return "–"


def told_of(event: "SourceEvent") -> str:
    """Return the place in the words of the source, where they differ from what was found."""
    told = [
        f"{PLACE_WORDS.get(name, name)} {value}"
        for name, value in (event.told_place or {}).items()
        if value
    ]
    known = {event.device_code, event.meter_code}
    values = {value for value in (event.told_place or {}).values() if value}
    return "" if values <= known else ", ".join(told)


def why_unresolved(event: "SourceEvent") -> str:
    """Return why an event has no place; nothing for the others."""
    if event.disposition != "unresolved":
        return ""
    names = [
        str(PLACE_WORDS.get(name, name))
        for name, value in (event.told_place or {}).items()
        if value
    ]
    if not names:
        return gettext("The source named no place that the network could hold.")
    return gettext("The registry knows no such {names}.").format(names=", ".join(names))


def timeline_lines(entries: Iterable["TimelineEntry"]) -> list[TimelineLine]:
    """Return what happened, the latest first."""
    return [
        TimelineLine(
            at=entry.at,
            kind=entry.kind,
            text=entry.text,
            who=gettext("{who} for {other}").format(
                who=entry.actor_label, other=entry.on_behalf_of
            )
            if entry.on_behalf_of
            else entry.actor_label,
        )
        for entry in reversed(list(entries))
    ]


def opening_words(outage: "Outage") -> str:
    """Return a first draft of what customers are told."""
    area = outage.feeder_name or outage.region_code or gettext("your area")
    if outage.status == Status.RESTORED:
        return gettext(
            "Power has been restored in {area}. Thank you for your patience."
        ).format(area=area)
    if outage.estimated_restoration_at is None:
        return gettext("Power is out in {area}. We are working on it.").format(area=area)
    return gettext("Power is out in {area}. We expect it back at {time} UTC.").format(
        area=area, time=f"{outage.estimated_restoration_at:%H:%M}"
    )
