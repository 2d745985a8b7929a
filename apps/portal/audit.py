"""The trail: who did what, filtered, as a table or a file, and whether it is whole."""

from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.services import require
from apps.audit import selectors as trail
from apps.audit import services as trail_services
from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.portal.lines import paged
from apps.portal.pages import (
    Deed,
    Look,
    Page,
    act,
    actor_of,
    for_people,
    look_of,
    refuse,
    show,
)
from apps.portal.tables import csv_of

SIZE = 100
MOST_LINES = 100_000
READ = "audit.view_auditentry"
COLUMNS = (
    "at",
    "actor_label",
    "on_behalf_of",
    "action",
    "resource",
    "resource_id",
    "before",
    "after",
    "address",
    "agent",
    "request_id",
)


def _input(**more: Any) -> forms.TextInput:
    return forms.TextInput({"class": "form-control", **more})


def _day() -> forms.DateInput:
    return forms.DateInput({"class": "form-control", "type": "date"})


class TrailFilter(forms.Form):
    """Which entries are wanted."""

    who = forms.CharField(
        label=gettext_lazy("Who"),
        required=False,
        max_length=200,
        widget=_input(box="grow", **{"data-search": True}),
    )
    action = forms.CharField(
        label=gettext_lazy("Action"), required=False, max_length=80, widget=_input()
    )
    resource = forms.CharField(
        label=gettext_lazy("On what"), required=False, max_length=80, widget=_input()
    )
    resource_id = forms.CharField(
        label=gettext_lazy("Which"), required=False, max_length=300, widget=_input()
    )
    start = forms.DateField(label=gettext_lazy("From"), required=False, widget=_day())
    end = forms.DateField(label=gettext_lazy("To"), required=False, widget=_day())


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the trail prints."""
    filters = TrailFilter(look.query)
    rows = _wanted(filters)
    seal, proof = trail.seal(at=timezone.now())
    found, pager = paged(rows, look.query.get("page", ""), SIZE)
    return {
        "filters": filters,
        "filtered": filters.is_valid() and any(filters.cleaned_data.values()),
        "entries": found,
        "pager": pager,
        "seal": seal,
        "proof": proof,
    }


def _wanted(filters: TrailFilter) -> Any:
    asked = filters.cleaned_data if filters.is_valid() else {}
    end = asked.get("end")
    found = trail.entries(
        actions=[asked["action"]] if asked.get("action") else [],
        resource=asked.get("resource", ""),
        resource_id=asked.get("resource_id", ""),
        start=asked.get("start"),
        end=end + timedelta(days=1) if end else None,
    )
    who = asked.get("who", "")
    return found.filter(actor_label__icontains=who) if who else found


PAGE = Page(
    name="audit",
    permission=READ,
    parts=("seal", "list"),
    compose=compose,
    topics=lambda _arguments: frozenset({"audit"}),
    every=10.0,
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Show the trail."""
    return show(request, viewer, PAGE)


@require_safe
def as_csv(request: HttpRequest) -> HttpResponseBase:
    """Answer the wanted entries as a file, at most a hundred thousand lines."""
    if not request.user.is_authenticated:
        return HttpResponse(status=403)
    viewer = actor_of(request)
    try:
        require(viewer, READ)
    except DomainError as refusal:
        return refuse(request, viewer, refusal)
    rows = _wanted(TrailFilter(look_of(request, {}).query))
    found = rows.values_list(*COLUMNS)[:MOST_LINES].iterator(chunk_size=2_000)
    return csv_of("audit", COLUMNS, found)


@require_POST
@for_people
def prove(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Walk the whole trail now."""

    def do(_values: dict[str, Any], at: Any) -> None:
        require(viewer, READ)
        trail_services.prove(at=at)

    return act(request, viewer, PAGE, Deed(do, _("The trail was walked from end to end.")))
