"""The outages: filtered, sorted, page by page, live."""

from datetime import UTC
from typing import Any

from django.contrib import messages
from django.db.models import F, OrderBy, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import selectors as accounts
from apps.accounts import services as account_services
from apps.accounts.services import require
from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.network import selectors as network
from apps.outages import selectors as outages
from apps.outages.rules import Status
from apps.outages.services import change_status
from apps.portal.filters import ACTIVE, OutageFilter
from apps.portal.lines import assignment_lines, crews_by_outage, outage_line, paged
from apps.portal.pages import Look, Page, for_people, look_of, show
from apps.portal.tables import csv_of

SIZE = 50
MOST_LINES = 100_000
EXPORTED = (
    "number",
    "status",
    "severity",
    "confidence",
    "device_code",
    "feeder_code",
    "region_code",
    "customers_count",
    "first_detected_at",
    "estimated_restoration_at",
    "restored_at",
    "cause",
)
CHOOSABLE = (
    ("state", gettext_lazy("State")),
    ("place", gettext_lazy("Place")),
    ("customers", gettext_lazy("Customers")),
    ("confidence", gettext_lazy("Confidence")),
    ("crews", gettext_lazy("Crews")),
    ("etr", gettext_lazy("Power back")),
)
COLUMNS: dict[str, Any] = {
    "detected": F("first_detected_at"),
    "customers": F("customers_count"),
    "confidence": F("confidence"),
    "etr": F("estimated_restoration_at"),
    "severity": outages.GRAVITY,
}


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the list of outages prints."""
    filters, rows = _wanted(viewer, look)
    found, pager = paged(rows, look.query.get("page", ""), SIZE)
    there = crews_by_outage(assignment_lines(viewer, look.at))
    return {
        "filters": filters,
        "filtered": any(look.query.get(name) for name in filters.form.fields),
        "outages": [outage_line(row, look.at, there.get(row.id, "")) for row in found],
        "pager": pager,
        "own": SimpleLazyObject(lambda: _own(viewer)),
        "columns": CHOOSABLE,
        "may_confirm": viewer.may("outages.operate_outage"),
    }


def _own(viewer: Actor) -> dict[str, Any]:
    """Return how the viewer likes to look at the list; asked for by a whole page alone."""
    return {
        "views": accounts.saved_views(viewer, PAGE.name),
        "hidden": accounts.hidden_columns(viewer, PAGE.name),
    }


def _wanted(viewer: Actor, look: Look) -> tuple[OutageFilter, QuerySet[Any]]:
    asked = _asked(look.query)
    everything = outages.outages(viewer=viewer)
    filters = OutageFilter(asked, queryset=everything, regions=_regions())
    rows = filters.qs if filters.form.is_valid() else everything.none()
    return filters, sorted_by(rows, asked.get("sort", ""))


def sorted_by(rows: QuerySet[Any], wish: str) -> QuerySet[Any]:
    """Return the rows in the order asked for; newest first where nothing is asked."""
    column = COLUMNS.get(wish.removeprefix("-"))
    if column is None:
        return rows
    descending = wish.startswith("-")
    if column is outages.GRAVITY:
        order = (column, F("customers_count"), F("first_detected_at"), F("number"))
        return rows.order_by(*(OrderBy(one, descending=descending) for one in order))
    first = OrderBy(column, descending=descending, nulls_last=True)
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


@require_safe
@for_people
def as_csv(request: HttpRequest, viewer: Actor) -> HttpResponseBase:
    """Answer the list as a file, in the same order and with the same filters."""
    _filters, rows = _wanted(viewer, look_of(request, {}))
    found = rows.values_list(*EXPORTED)[:MOST_LINES].iterator(chunk_size=2_000)
    return csv_of("outages", EXPORTED, found)


@require_POST
@for_people
def confirm(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Confirm the picked outages, each by itself; say how many could not be."""
    require(viewer, "outages.operate_outage")
    at = timezone.now().astimezone(UTC)
    done, refused = 0, []
    for key in request.POST.getlist("pick")[:SIZE]:
        try:
            found = outages.outage(outage_id=key, viewer=viewer)
            change_status(
                outage_id=found.id, status=Status.CONFIRMED, notes="", by=viewer, at=at
            )
            done += 1
        except DomainError as refusal:
            refused.append(refusal.message)
    _say(request, done, refused)
    return _back(request.GET.urlencode())


@require_POST
@for_people
def save_view(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Keep the filters and the order under a name."""
    query = request.POST.get("query", "")
    account_services.save_view(
        page=PAGE.name,
        name=request.POST.get("name", ""),
        query=query,
        by=viewer,
        at=timezone.now().astimezone(UTC),
    )
    messages.success(request, _("The view is saved."))
    return _back(query)


@require_POST
@for_people
def forget_view(request: HttpRequest, viewer: Actor, view_id: int) -> HttpResponse:
    """Remove a saved view."""
    account_services.forget_view(view_id=view_id, by=viewer)
    messages.success(request, _("The view is removed."))
    return _back("")


@require_POST
@for_people
def choose_columns(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Leave columns out of the list, or put them back."""
    shown = set(request.POST.getlist("shown"))
    hidden = [name for name, _label in CHOOSABLE if name not in shown]
    account_services.hide_columns(page=PAGE.name, hidden=hidden, by=viewer)
    return _back(request.POST.get("query", ""))


def _back(query: str) -> HttpResponse:
    kept = QueryDict(query[:1_000]).urlencode()
    return HttpResponseRedirect(f"{reverse('portal:outages')}{'?' if kept else ''}{kept}")


def _say(request: HttpRequest, done: int, refused: list[str]) -> None:
    if done:
        told = ngettext("{n} outage is confirmed.", "{n} outages are confirmed.", done)
        messages.success(request, told.format(n=done))
    if refused:
        told = ngettext("{n} was not: {why}", "{n} were not: {why}", len(refused))
        messages.error(request, told.format(n=len(refused), why=refused[0]))
    if not done and not refused:
        messages.warning(request, _("Pick the outages first."))
