"""Crews: who is out, who could go, and the steps of an assignment."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.oms import schema
from apps.api.oms.contract import OmsView
from apps.api.oms.serializers import (
    AssignmentOut,
    AssignmentStatusIn,
    CrewAssignIn,
    CrewsOut,
)
from apps.api.oms.views.sight import ASSIGN, WORK, OneOutageView, outage_of
from apps.core.errors import NotFound
from apps.crews import rules, selectors, services


class CrewsView(OmsView):
    """Crews at work and crews that could go."""

    needs = ("crews.view_crew",)

    @schema.crews
    def get(self, request: Request) -> Response:
        """Answer the crews."""
        active = selectors.active_crews(viewer=self.actor)
        body = {
            "active_crews": active,
            "total_active_crews": len(active),
            "available_crews": selectors.available_crews(viewer=self.actor),
        }
        return self.said(CrewsOut, body)


class OutageCrewView(OneOutageView):
    """The crews of an outage."""

    needs = (ASSIGN,)

    @schema.outage_crew
    def post(self, request: Request, outage_id: str) -> Response:
        """Send a crew to the outage."""
        asked = self.read(CrewAssignIn)
        doing = self.doing(asked["updated_by"], asked["notes"])
        made = services.assign(
            outage_id=outage_of(outage_id, self.actor).id,
            crew_name=asked["crew_name"],
            crew_type=asked["crew_type"],
            estimated_arrival_at=asked["estimated_arrival_time"],
            notes=doing.notes,
            by=doing.by,
            at=self.at,
        )
        return self.answer(assignment_body(made, "sent"), status=201)


class AssignmentStatusView(OmsView):
    """The steps of an assignment."""

    needs = (ASSIGN, WORK)

    @schema.assignment_status
    def put(self, request: Request, assignment_id: str) -> Response:
        """Take a step: under way, on site, done."""
        asked = self.read(AssignmentStatusIn)
        doing = self.doing(asked["updated_by"], asked["notes"])
        moved = services.move_assignment(
            assignment_id=assignment_key(assignment_id),
            status=rules.status_of(asked["status"]),
            notes=doing.notes,
            by=doing.by,
            at=self.at,
        )
        return self.answer(assignment_body(moved, f"now {moved.status}"))


def assignment_key(text: str) -> UUID:
    """Return the id of an assignment; what is no id belongs to none."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such assignment.") from None


def assignment_body(made: Any, what: str) -> Any:
    """Return the assignment as it stands."""
    name = made.crew.name
    return AssignmentOut(
        {
            "assignment_id": made.id,
            "crew_name": name,
            "crew_type": made.crew_type,
            "status": made.status,
            "assigned_at": made.assigned_at,
            "message": f"Crew {name} is {what}.",
        }
    ).data
