"""What crews hear of outages."""

from collections.abc import Sequence

from apps.core.actor import system
from apps.core.events import subscribe, subscribe_together
from apps.crews import services, tasks
from apps.crews.events import CrewAssigned
from apps.crews.rules import AssignmentStatus
from apps.outages.events import OutageMoved, OutagesRejudged
from apps.outages.rules import Status

OUTCOMES = {
    Status.RESTORED: AssignmentStatus.WORK_COMPLETED,
    Status.CANCELLED: AssignmentStatus.CANCELLED,
}


@subscribe_together(OutageMoved)
def close_assignments(events: Sequence[OutageMoved]) -> None:
    """Close what was still open at outages that are over."""
    over = {
        event.outage_id: outcome
        for event in events
        if (outcome := OUTCOMES.get(Status(event.after))) is not None
    }
    if over:
        at = max(event.at for event in events)
        services.close_with_outages(outcomes=over, by=system("crews"), at=at)


@subscribe(CrewAssigned)
def verify_before_going(event: CrewAssigned) -> None:
    """Have meters asked before the crew is there."""
    tasks.verify_before_going.apply_async([str(event.outage_id)], expires=300)


@subscribe_together(OutagesRejudged)
def follow_merged_outages(events: Sequence[OutagesRejudged]) -> None:
    """Bring crews along where their outage was merged into another."""
    changed = {outage_id for event in events for outage_id in event.changed}
    at = max(event.at for event in events)
    services.follow_merges(outage_ids=sorted(changed), by=system("crews"), at=at)
