"""The events that came in, what became of each, and the queue of those without a place."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.core.actor import Actor
from apps.outages import selectors as outages
from apps.outages.rules import Disposition
from apps.portal.filters import EventFilter
from apps.portal.lines import paged
from apps.portal.outage_view import event_line
from apps.portal.pages import Look, Page, for_people, show

if TYPE_CHECKING:
    from apps.outages.models import SourceEvent

SIZE = 50


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the list of events prints."""
    rows = outages.events(viewer=viewer).select_related("outage")
    filters = EventFilter(look.query, queryset=rows)
    shown = filters.qs if filters.form.is_valid() else rows.none()
    found, pager = paged(shown, look.query.get("page", ""), SIZE)
    return {
        "filters": filters,
        "filtered": any(look.query.get(name) for name in filters.form.fields),
        "unresolved_only": look.query.get("disposition") == Disposition.UNRESOLVED,
        "unresolved_count": outages.unresolved(viewer=viewer).count(),
        "events": [
            event_line(event, event.outage.label if event.outage else "") for event in found
        ],
        "pager": pager,
        "older": _older(found) if pager.cut else "",
    }


def _older(found: "list[SourceEvent]") -> str:
    """Return the moment from which on the list goes on where its pages end."""
    last = found[-1].accepted_at + timedelta(milliseconds=1)
    return f"{last:%Y-%m-%dT%H:%M:%S}.{last.microsecond // 1000:03d}"


PAGE = Page(
    name="events",
    permission="outages.view_event",
    parts=("tabs", "list"),
    compose=compose,
    topics=lambda _arguments: frozenset({"events", "outages"}),
    every=5.0,
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Show the list."""
    return show(request, viewer, PAGE)
