"""Turn what notices and proposals publish into hints for open pages."""

from apps.approvals.events import ProposalChanged
from apps.core.events import subscribe
from apps.notifications.events import NoticeRequested, NoticeSent
from apps.realtime.services import hint


@subscribe(NoticeRequested)
def on_notice_requested(event: NoticeRequested) -> None:
    """Point at the notices and at the outage."""
    hint(topics=["notices", f"outage:{event.outage_id}"])


@subscribe(NoticeSent)
def on_notice_sent(event: NoticeSent) -> None:
    """Point at the notices and at the outage."""
    hint(topics=["notices", f"outage:{event.outage_id}"])


@subscribe(ProposalChanged)
def on_proposal_changed(_event: ProposalChanged) -> None:
    """Point at the approvals."""
    hint(topics=["approvals"])
