"""The outages: filtered, sorted, page by page, live."""

from typing import Any

from django.db.models import Case, F, IntegerField, OrderBy, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.http import require_safe

from apps.core.actor import Actor
from apps.network import selectors as network
from apps.outages import selectors as outages
from apps.outages.rules import Severity
from apps.portal.filters import ACTIVE, OutageFilter
from apps.portal.lines import assignment_lines, crews_by_outage, outage_line, paged
from apps.portal.pages import Look, Page, for_people, show

SIZE = 50
COLUMNS: dict[str, Any] = {
    "detected": F("first_detected_at"),
    "customers": F("customers_count"),
    "confidence": F("confidence"),
    "etr": F("estimated_restoration_at"),
    "severity": Case(
        *(When(severity=word, then=Value(n)) for n, word in enumerate(Severity.values)),
        default=Value(-1),
        output_field=IntegerField(),
    ),
}


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the list of outages prints."""
    asked = _asked(look.query)
    everything = outages.outages(viewer=viewer)
    filters = OutageFilter(asked, queryset=everything, regions=_regions())
    rows = filters.qs if filters.form.is_valid() else everything.none()
    found, pager = paged(
        sorted_by(rows, asked.get("sort", "")), asked.get("page", ""), SIZE
    )
    there = crews_by_outage(assignment_lines(viewer, look.at))
    return {
        "filters": filters,
        "filtered": any(look.query.get(name) for name in filters.form.fields),
        "outages": [outage_line(row, look.at, there.get(row.id, "")) for row in found],
        "pager": pager,
    }


def sorted_by(rows: QuerySet[Any], wish: str) -> QuerySet[Any]:
    """Return the rows in the order asked for; newest first where nothing is asked."""
    column = COLUMNS.get(wish.removeprefix("-"))
    if column is None:
        return rows
    first = OrderBy(column, descending=wish.startswith("-"), nulls_last=True)
    return rows.order_by(first, "-first_detected_at", "-number")


def _asked(query: QueryDict) -> QueryDict:
    asked = query.copy()
    asked.setdefault("status", ACTIVE)
    return asked


def _regions() -> list[tuple[str, str]]:
    codes = {feeder.region_code for feeder in network.feeders().values()}
    return [(code, code.capitalize()) for code in sorted(codes) if code]


PAGE = Page(
    name="outages",
    permission="outages.view_outage",
    parts=("list",),
    compose=compose,
    topics=lambda _arguments: frozenset({"outages", "crews"}),
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Show the list."""
    return show(request, viewer, PAGE)
