"""Outages: the figures, the list, one of them, and its steps."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.oms import quick, schema
from apps.api.oms.contract import OmsView
from apps.api.oms.filters import OutageFilter, asks_for, narrowed
from apps.api.oms.serializers import (
    OutageDetailOut,
    OutageQuery,
    StatisticsOut,
    StatusChangedOut,
    StatusChangeIn,
)
from apps.api.oms.views.sight import (
    OPERATE,
    VIEW,
    WORK,
    OneOutageView,
    all_rows,
    open_rows,
    outage_of,
)
from apps.crews import selectors as crews
from apps.outages import rules, selectors, services

MOST_SOURCES = 1_000
MOST_ESTIMATES = 100
MOST_VERIFICATIONS = 50
NEWEST = ("-first_detected_at", "-number")


class WholeOutage:
    """An outage with what is told of it beyond its row, which gives everything else."""

    def __init__(self, row: Any, **more: Any) -> None:
        self._row = row
        self.__dict__.update(more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, name)


class StatisticsView(OmsView):
    """The figures of the dashboard."""

    needs = (VIEW,)

    @schema.statistics
    def get(self, request: Request) -> Response:
        """Answer the figures."""
        counted = selectors.statistics(viewer=self.actor, at=self.at)
        figures = {
            "active_outages": counted.active_outages,
            "total_affected_customers": counted.total_affected_customers,
            "high_confidence_outages": counted.high_confidence_outages,
            "source_stats": [
                {"type": source, "count": count}
                for source, count in sorted(counted.source_stats.items())
            ],
            "by_status": counted.by_status,
            "by_severity": counted.by_severity,
            "crews": crews.counts(viewer=self.actor),
            "backlog": counted.backlog,
            "last_updated": counted.last_updated,
        }
        return self.said(StatisticsOut, figures)


class OutagesView(OmsView):
    """The list of outages."""

    needs = (VIEW, WORK)

    @schema.outages
    def get(self, request: Request) -> HttpResponse:
        """Answer a page of outages, the newest first; the active ones where no status is asked."""
        window = self.query(OutageQuery)
        rows = self._rows(request)
        total = rows.order_by().count()
        body = quick.page_bytes(rows.order_by(*NEWEST), total=total, **window)
        return HttpResponse(body, content_type="application/json")

    def _rows(self, request: Request) -> QuerySet[Any]:
        if not asks_for(OutageFilter, request):
            return open_rows(self.actor)
        rows = all_rows if "status" in request.query_params else open_rows
        return narrowed(OutageFilter, request, rows(self.actor))


class OutageView(OmsView):
    """One outage."""

    needs = (VIEW, WORK)

    @schema.outage
    def get(self, request: Request, outage_id: str) -> Response:
        """Answer the outage, its evidence, crews, timeline and place in the network."""
        found = outage_of(outage_id, self.actor)
        events = found.events.order_by("occurred_at", "id")
        detail = {
            "outage": WholeOutage(
                found,
                reliability=selectors.reliability_of(outage=found, at=self.at),
                estimates=selectors.estimates(outage=found)[:MOST_ESTIMATES],
                verifications=selectors.verifications_of(outage=found)[:MOST_VERIFICATIONS],
            ),
            "sources": events[:MOST_SOURCES],
            "crews": crews.assignments_of(outage_id=found.id, viewer=self.actor),
            "timeline": found.timeline.order_by("at", "id"),
            "topology": selectors.topology_of(outage=found),
        }
        return self.said(OutageDetailOut, detail)


class OutageStatusView(OneOutageView):
    """The life of an outage."""

    needs = (OPERATE,)

    @schema.outage_status
    def put(self, request: Request, outage_id: str) -> Response:
        """Take a step: confirm, start, restore or cancel."""
        asked = self.read(StatusChangeIn)
        doing = self.doing(asked["updated_by"], asked["notes"])
        found = outage_of(outage_id, self.actor)
        changed = services.change_status(
            outage_id=found.id,
            status=rules.status_of(asked["status"]),
            notes=doing.notes,
            by=doing.by,
            at=self.at,
        )
        body = {
            "id": changed.id,
            "status": changed.status,
            "updated_at": changed.updated_at,
            "message": f"Outage {changed.label} is now {changed.status}.",
        }
        return self.said(StatusChangedOut, body)
