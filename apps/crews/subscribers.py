"""What crews hear of outages."""

from uuid import UUID

from apps.core.actor import system
from apps.core.events import subscribe
from apps.crews import services, tasks
from apps.crews.events import CrewAssigned
from apps.crews.rules import AssignmentStatus
from apps.outages.events import OutageMoved, OutagesRejudged
from apps.outages.rules import Status

OUTCOMES = {
    Status.RESTORED: AssignmentStatus.WORK_COMPLETED,
    Status.CANCELLED: AssignmentStatus.CANCELLED,
}


@subscribe(OutageMoved)
def close_assignments(event: OutageMoved) -> None:
    """Close what was still open at an outage that is over."""
    outcome = OUTCOMES.get(Status(event.after))
    if outcome is not None:
        services.close_with_outage(
            outage_id=event.outage_id, status=outcome, by=system("crews"), at=event.at
        )


@subscribe(CrewAssigned)
def verify_before_going(event: CrewAssigned) -> None:
    """Have meters asked before the crew is there."""
    tasks.verify_before_going.apply_async([str(event.outage_id)], expires=300)


@subscribe(OutagesRejudged)
def follow_merged_outages(event: OutagesRejudged) -> None:
    """Bring crews along where their outage was merged into another."""
    changed: tuple[UUID, ...] = event.changed
    services.follow_merges(outage_ids=changed, by=system("crews"), at=event.at)
