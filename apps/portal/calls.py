"""Calls: find the caller, see what is known there, say it, and take the report."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.network import selectors as network
from apps.outages import selectors as outages
from apps.outages import services as outage_services
from apps.outages.rules import Source, read_report
from apps.portal.lines import assignment_lines, crews_by_outage, outage_line
from apps.portal.pages import Look, Page, draw_page, for_people, look_of, show

MOST = 20
REPORT = "outages.report_event"


class CallForm(forms.Form):
    """What the caller says. `call` makes a second click the same call."""

    call = forms.UUIDField(widget=forms.HiddenInput)
    meter = forms.CharField(max_length=200, widget=forms.HiddenInput)
    words = forms.CharField(
        label=gettext_lazy("What the caller says"),
        required=False,
        max_length=1_000,
        widget=forms.Textarea({"class": "form-control", "rows": 3}),
    )
    back = forms.CharField(
        label=gettext_lazy("Call back at"),
        required=False,
        max_length=40,
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the page prints: who it may be, or what is known where they live."""
    text, code = look.query.get("text", "").strip(), look.query.get("meter", "")
    if not code:
        return {"text": text, "callers": _callers(text) if text else []}
    found = network.meters_by_code([code])
    if not found:
        raise NotFound("There is no such meter.")
    return {"text": text, **_known(found[0], viewer, look)}


def _callers(text: str) -> list[dict[str, Any]]:
    hits = network.search(text, MOST)
    codes = [hit.code for hit in hits if hit.kind == "meter"]
    owners = network.customers_by_code([h.code for h in hits if h.kind == "customer"])
    codes += [code for owner in owners for code in owner.meters]
    page = reverse("portal:calls")
    return [
        {"meter": meter, "url": f"{page}?{urlencode({'meter': meter.code})}"}
        for meter in network.meters_by_code(list(dict.fromkeys(codes))[: 2 * MOST])
    ]


def _known(meter: network.MeterView, viewer: Actor, look: Look) -> dict[str, Any]:
    there = crews_by_outage(assignment_lines(viewer, look.at))
    rows = list(outages.covering(meter=meter, viewer=viewer)[:MOST])
    (found,) = network.resolve([network.PlaceRef(meter_id=meter.code)])
    return {
        "meter": meter,
        "trace": network.trace(found) if found else None,
        "standing": [outage_line(row, look.at, there.get(row.id, "")) for row in rows],
        "planned": [row for row in rows if row.is_planned],
        "calls": outages.calls_about(meter_code=meter.code, viewer=viewer, at=look.at)[
            :MOST
        ],
        "may_report": viewer.may(REPORT),
        "call_form": CallForm(
            initial={"call": uuid4(), "meter": meter.code, "back": meter.phone}
        ),
    }


PAGE = Page(
    name="calls",
    permission="outages.view_event",
    parts=("known",),
    compose=compose,
    topics=lambda _arguments: frozenset({"outages", "events"}),
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Show the search, or what is known at the caller's meter."""
    return show(request, viewer, PAGE)


@require_POST
@for_people
def take(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Take the report: it opens an outage or joins the one that is there."""
    form = CallForm(request.POST)
    if not form.is_valid():
        context = PAGE.view(viewer, look_of(request, {}))
        return draw_page(request, PAGE, {**context, "call_form": form}, 400)
    values, at = form.cleaned_data, timezone.now().astimezone(UTC)
    receipt = _taken(values, viewer, at)
    if receipt.outage_id is None:
        messages.warning(request, _("The call is kept, but no outage was found for it."))
    elif receipt.created:
        messages.success(request, _("The call opened an outage."))
    else:
        messages.success(request, _("The call joined an outage that is known."))
    query = urlencode({"meter": values["meter"]})
    return HttpResponseRedirect(f"{reverse('portal:calls')}?{query}")


def _taken(values: dict[str, Any], viewer: Actor, at: datetime) -> outage_services.Receipt:
    said = {
        "event_type": "outage",
        "source_type": Source.CALL_CENTER.value,
        "source_event_id": f"call-{values['call']}",
        "timestamp": at.isoformat(),
        "meter_id": values["meter"],
        "description": values["words"],
        "metadata": {"call_back": values["back"], "taken_by": viewer.label},
    }
    report = read_report(said, at=at)
    (receipt,) = outage_services.take_reports(reports=[(viewer, report)], at=at)
    return receipt
