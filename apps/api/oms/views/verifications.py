"""Verifications: what head-ends are to ask, and what they say."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.oms import schema
from apps.api.oms.contract import OmsView
from apps.api.oms.filters import VerificationFilter, narrowed
from apps.api.oms.serializers import (
    AnswersIn,
    VerificationListOut,
    VerificationOut,
    VerificationQuery,
    VerifyIn,
)
from apps.api.oms.views.sight import OPERATE, REPORT, VIEW, OneOutageView, outage_of
from apps.outages import selectors, services
from apps.outages.rules.verification import PingState


class VerificationsView(OmsView):
    """Which meters are to be asked, and which were."""

    needs = (VIEW, REPORT)

    @schema.verifications
    def get(self, request: Request) -> Response:
        """Answer a page of verifications, the newest first."""
        window = self.query(VerificationQuery)
        found = selectors.verifications(viewer=self.actor)
        rows = narrowed(VerificationFilter, request, found)
        limit, offset = window["limit"], window["offset"]
        body = {
            "verifications": rows[offset : offset + limit],
            "total": rows.order_by().count(),
            **window,
        }
        return self.said(VerificationListOut, body)


class VerificationAnswerView(OmsView):
    """The answers of one verification."""

    needs = (REPORT,)

    @schema.verification_answer
    def post(self, request: Request, verification_id: str) -> Response:
        """Take what the head-end says of the meters."""
        found = selectors.verification(verification_id=verification_id, viewer=self.actor)
        answers = [_answer(one) for one in self.read(AnswersIn)["answers"]]
        services.answer_verification(
            verification_id=found.id, answers=answers, by=self.actor, at=self.at
        )
        found = selectors.verification(verification_id=found.id, viewer=self.actor)
        return self.said(VerificationOut, found)


class OutageVerifyView(OneOutageView):
    """The verifications of one outage."""

    needs = (OPERATE,)

    @schema.outage_verify
    def post(self, request: Request, outage_id: str) -> Response:
        """Have meters of the outage asked."""
        doing = self.doing(self.read(VerifyIn)["updated_by"])
        made = services.request_verification(
            outage_id=outage_of(outage_id, self.actor).id, by=doing.by, at=self.at
        )
        found = selectors.verification(verification_id=made.id, viewer=self.actor)
        return self.said(VerificationOut, found, status=201)


def _answer(said: dict[str, Any]) -> services.Answer:
    return services.Answer(said["meter_id"], PingState(said["result"]), said["timestamp"])
