"""What waits for a second person."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.services import require
from apps.api.segs.contract import SegsView, stamp
from apps.api.segs.serializers import approvals as bodies
from apps.approvals import selectors, services
from apps.approvals.services import Proposal
from apps.core.errors import NotFound

VIEW = "approvals.view_proposal"


class Approvals(SegsView):
    """Proposals of the kinds that the caller decides on."""

    needs = (VIEW,)

    @extend_schema(
        parameters=[bodies.ProposalsQuery], responses=bodies.ProposalsAnswer, tags=["admin"]
    )
    def get(self, request: Request) -> Response:
        """Return a page of proposals, newest first."""
        require(self.actor, VIEW)
        rows = selectors.proposals(viewer=self.actor)
        asked = self.query(bodies.ProposalsQuery)
        if "status" in asked:
            rows = rows.filter(state=asked["status"])
        return self.answer_list("approvals", rows, proposal_body)


class Decision(SegsView):
    """A decision on a proposal."""

    needs = (VIEW,)

    @extend_schema(
        request=bodies.DecisionBody, responses=bodies.ProposedAnswer, tags=["admin"]
    )
    def post(self, request: Request, approval_id: str) -> Response:
        """Approve and carry out, reject, or take back one's own."""
        require(self.actor, VIEW)
        body = self.read(bodies.DecisionBody)
        asked: dict[str, Any] = {
            "proposal_id": _uuid(approval_id),
            "by": self.actor,
            "at": self.at,
        }
        match body["decision"]:
            case "approve":
                row = services.approve(**asked)
            case "reject":
                row = services.reject(reason=body["reason"], **asked)
            case _:
                row = services.withdraw(**asked)
        return self.told(str(row.get_state_display()), data=proposal_body(row))


def proposal_body(row: Proposal) -> dict[str, Any]:
    """Return what is told of an act that waits for a second person."""
    return {
        "approvalId": str(row.id),
        "status": row.state,
        "kind": row.kind,
        "summary": row.summary,
        "hash": row.hash,
        "requestedBy": row.maker,
        "requestedAt": stamp(row.made_at),
        "expiresAt": stamp(row.expires_at),
        "decidedBy": row.decider or None,
        "decidedAt": stamp(row.decided_at),
        "reason": row.reason or None,
    }


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such proposal.") from None
