"""Turn what notices, proposals, planned work and replays publish into hints for open pages."""

from uuid import UUID

from apps.approvals.events import ProposalChanged
from apps.core.events import subscribe
from apps.notifications.events import NoticeRequested, NoticeSent
from apps.outages.events import PlannedWorkChanged, ReplayChanged
from apps.realtime.services import hint


@subscribe(NoticeRequested)
def on_notice_requested(event: NoticeRequested) -> None:
    """Point at the notices and at what they are about."""
    hint(topics=["notices", _about(event.outage_id)])


@subscribe(NoticeSent)
def on_notice_sent(event: NoticeSent) -> None:
    """Point at the notices and at what they are about."""
    hint(topics=["notices", _about(event.outage_id)])


@subscribe(ProposalChanged)
def on_proposal_changed(_event: ProposalChanged) -> None:
    """Point at the approvals."""
    hint(topics=["approvals"])


@subscribe(PlannedWorkChanged)
def on_planned_work_changed(_event: PlannedWorkChanged) -> None:
    """Point at planned work."""
    hint(topics=["planned"])


@subscribe(ReplayChanged)
def on_replay_changed(event: ReplayChanged) -> None:
    """Point at the replays, and at this one."""
    hint(topics=["replays", f"replay:{event.run_id}"])


def _about(outage_id: UUID | None) -> str:
    return "planned" if outage_id is None else f"outage:{outage_id}"
