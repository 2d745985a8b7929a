"""Why an outage is where it is said to be."""

from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.oms import schema
from apps.api.oms.contract import OmsView
from apps.api.oms.serializers import ExplanationOut
from apps.api.oms.views.sight import VIEW
from apps.outages import selectors


class OutageExplanationView(OmsView):
    """The explanation of one outage."""

    needs = (VIEW,)

    @schema.outage_explanation
    def get(self, request: Request, outage_id: str) -> Response:
        """Answer the candidate devices with what speaks for and against each."""
        found = selectors.explanation_of(outage_id=outage_id, viewer=self.actor, at=self.at)
        return self.said(ExplanationOut, found)
