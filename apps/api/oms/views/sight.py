"""What a caller may: which outages are seen, all or those to which the own crew is sent."""

from typing import Any

from django.db.models import QuerySet

from apps.api.oms.contract import OmsView
from apps.core.actor import Actor, system
from apps.crews import selectors as crews
from apps.outages import selectors

VIEW = "outages.view_outage"
OPERATE = "outages.operate_outage"
REPORT = "outages.report_event"
ASSIGN = "crews.assign_crew"
WORK = "crews.work_assignment"
_reader = system("assignments")


def outage_of(outage_id: str, viewer: Actor) -> Any:
    """Return the outage that a UUID or a number names.

    Raises Forbidden, or OutageNotFound, also where a crew was never sent to it.
    """
    if not _sees_own(viewer):
        return selectors.outage(outage_id=outage_id, viewer=viewer)
    found = selectors.outage(outage_id=outage_id, viewer=_reader)
    if not crews.assignments_of(outage_id=found.id, viewer=viewer):
        raise selectors.OutageNotFound("There is no such outage.")
    return found


def open_rows(viewer: Actor) -> QuerySet[Any]:
    """Return the active outages that the viewer sees. Raises Forbidden."""
    if not _sees_own(viewer):
        return selectors.open_outages(viewer=viewer)
    return selectors.open_outages(viewer=_reader).filter(id__in=_own(viewer))


def all_rows(viewer: Actor) -> QuerySet[Any]:
    """Return the outages of every state that the viewer sees. Raises Forbidden."""
    if not _sees_own(viewer):
        return selectors.outages(viewer=viewer)
    return selectors.outages(viewer=_reader).filter(id__in=_own(viewer))


def _sees_own(viewer: Actor) -> bool:
    return not viewer.may(VIEW) and viewer.may(WORK)


def _own(viewer: Actor) -> list[Any]:
    return [row.outage_id for row in crews.active_crews(viewer=viewer)]


class OneOutageView(OmsView):
    """A view that does something to one outage."""

    def turn_away(self) -> None:
        """Refuse; to a crew, an outage that it was never sent to does not exist."""
        if _sees_own(self.actor):
            outage_of(self.kwargs["outage_id"], self.actor)
        super().turn_away()
