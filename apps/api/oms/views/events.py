"""Events: the plain door of the intake, and the list of what came in."""

from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.limits import RateClass
from apps.api.oms import quick, receipts, schema
from apps.api.oms.contract import OmsView
from apps.api.oms.filters import EventFilter, narrowed
from apps.api.oms.serializers import EventQuery
from apps.api.oms.views.sight import REPORT
from apps.api.parsers import EventJSONParser
from apps.core.errors import Invalid
from apps.outages import selectors, services
from apps.outages.rules import read_report


class CorrelateView(OmsView):
    """One event."""

    needs = (REPORT,)
    rate = RateClass.INTAKE
    parser_classes = (EventJSONParser,)

    @schema.correlate
    def post(self, request: Request) -> Response:
        """Take the event in and match it to an outage, both before the answer."""
        at = self.at
        report = read_report(request.data, at=at)
        (receipt,) = services.take_reports(reports=[(self.actor, report)], at=at)
        status = receipts.receipt_status(receipt)
        return self.answer(receipts.receipt_body(receipt), status=status)


class CorrelateBatchView(OmsView):
    """Many events."""

    needs = (REPORT,)
    rate = RateClass.INTAKE
    parser_classes = (EventJSONParser,)

    @schema.correlate_batch
    def post(self, request: Request) -> Response:
        """Take the events in; one that is malformed never sinks the others."""
        at = self.at
        events = batch_of(request.data)
        good, items = receipts.read_batch(events, at=at)
        reports = [(self.actor, report) for report in good]
        taken = services.take_reports(reports=reports, at=at) if good else []
        return self.answer(receipts.answered_batch(items, taken))


class EventsView(OmsView):
    """What came in."""

    needs = ("outages.view_event",)

    @schema.events
    def get(self, request: Request) -> HttpResponse:
        """Answer a page of events by the time they happened, the oldest first."""
        window = self.query(EventQuery)
        rows = narrowed(EventFilter, request, selectors.events(viewer=self.actor))
        total = rows.order_by().count()
        body = quick.events_bytes(rows.order_by("occurred_at", "id"), total=total, **window)
        return HttpResponse(body, content_type="application/json")


def batch_of(data: Any) -> list[Any]:
    """Return the events of a batch. Raises Invalid naming `events`."""
    events = data.get("events") if isinstance(data, dict) else None
    if not isinstance(events, list):
        wrong = "A list of events is expected."
    elif len(events) > receipts.LARGEST_BATCH:
        wrong = f"At most {receipts.LARGEST_BATCH} events at once."
    else:
        return events
    raise Invalid(wrong, fields={"events": wrong})
