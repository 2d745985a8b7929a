"""Turn what happened into hints for open sockets."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from apps.core.events import subscribe, subscribe_together
from apps.crews.events import AssignmentMoved, CrewAssigned, CrewChanged
from apps.network.events import DeviceSwitched, NetworkImported
from apps.outages.events import (
    EstimatesPublished,
    EventsMatched,
    OutageMoved,
    OutageNoted,
    OutagesRejudged,
    ShiftLogChanged,
    StormModeChanged,
    VerificationAnswered,
    VerificationRequested,
)
from apps.realtime.services import hint

NOTICE = "notice"


@subscribe_together(EventsMatched)
def on_events_matched(events: Sequence[EventsMatched]) -> None:
    """Point at the events, and at the outages they opened or changed."""
    hint(topics=["events", *_outages(i for e in events for i in (*e.opened, *e.changed))])


@subscribe_together(OutagesRejudged)
def on_outages_rejudged(events: Sequence[OutagesRejudged]) -> None:
    """Point at the outages that the inference changed."""
    hint(topics=["events", *_outages(i for event in events for i in event.changed)])


@subscribe_together(OutageMoved)
def on_outage_moved(events: Sequence[OutageMoved]) -> None:
    """Point at the outages; their crews may be free again."""
    hint(topics=["crews", *_outages(event.outage_id for event in events)])


@subscribe(OutageNoted)
def on_outage_noted(event: OutageNoted) -> None:
    """Point at the outage, and at the notices where one was sent."""
    notices = ["notices"] if event.kind == NOTICE else []
    hint(topics=[*notices, *_outages([event.outage_id])])


@subscribe(EstimatesPublished)
def on_estimates_published(event: EstimatesPublished) -> None:
    """Point at the outages."""
    hint(topics=_outages(event.outage_ids))


@subscribe(StormModeChanged)
def on_storm_mode_changed(event: StormModeChanged) -> None:
    """Point at the outages, above which storm mode is shown."""
    hint(topics=["outages"])


@subscribe(VerificationRequested)
def on_verification_requested(event: VerificationRequested) -> None:
    """Point at the outage."""
    hint(topics=_outages([event.outage_id]))


@subscribe(VerificationAnswered)
def on_verification_answered(event: VerificationAnswered) -> None:
    """Point at the outage."""
    hint(topics=_outages([event.outage_id]))


@subscribe(CrewAssigned)
def on_crew_assigned(event: CrewAssigned) -> None:
    """Point at the crews and at the outage."""
    hint(topics=["crews", *_outages([event.outage_id])])


@subscribe(AssignmentMoved)
def on_assignment_moved(event: AssignmentMoved) -> None:
    """Point at the crews and at the outage."""
    hint(topics=["crews", *_outages([event.outage_id])])


@subscribe(CrewChanged)
def on_crew_changed(event: CrewChanged) -> None:
    """Point at the crews."""
    hint(topics=["crews"])


@subscribe(DeviceSwitched)
def on_device_switched(event: DeviceSwitched) -> None:
    """Point at the network."""
    hint(topics=["network"])


@subscribe(NetworkImported)
def on_network_imported(event: NetworkImported) -> None:
    """Point at the network."""
    hint(topics=["network"])


def _outages(ids: Iterable[UUID]) -> list[str]:
    found = [f"outage:{outage_id}" for outage_id in ids]
    return ["outages", *found] if found else []


@subscribe(ShiftLogChanged)
def shift_log(event: ShiftLogChanged) -> None:
    """Let the shift log look again."""
    hint(topics=["shift"])
