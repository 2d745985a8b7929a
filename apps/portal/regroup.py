"""Regroup: an outage merged, divided or placed elsewhere by hand."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.outages import selectors as outages
from apps.outages import services as outage_services
from apps.portal.pages import Deed, Look, Page, act, for_people, show

OPERATE = "outages.operate_outage"
FORM = "regroup_form"


class IntoForm(forms.Form):
    """The outage that another goes into."""

    into = forms.UUIDField()


class DeviceForm(forms.Form):
    """A device of the outage's feeder."""

    device_code = forms.CharField(max_length=200)


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what can be done with the outage by hand."""
    found = outages.outage(outage_id=look.arguments["outage_id"], viewer=viewer)
    return {
        "outage": found,
        "choices": outages.choices(outage_id=found.id, viewer=viewer),
    }


PAGE = Page(
    name="regroup",
    permission=OPERATE,
    parts=("choices",),
    compose=compose,
    topics=lambda arguments: frozenset({f"outage:{arguments['outage_id']}"}),
    every=10.0,
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor, outage_id: UUID) -> HttpResponse:
    """Show what can be done with it; one that was merged leads to where it went."""
    found = outages.outage(outage_id=outage_id, viewer=viewer)
    if found.merged_into_id is not None:
        return redirect("portal:regroup", outage_id=found.merged_into_id)
    return show(request, viewer, PAGE, outage_id=outage_id)


@require_POST
@for_people
def merge(request: HttpRequest, viewer: Actor, outage_id: UUID) -> HttpResponse:
    """Let the outage go into another, and show that one."""
    form = IntoForm(request.POST)
    if not form.is_valid():
        raise NotFound(_("There is no such outage."))

    def do(values: dict[str, Any], at: datetime) -> None:
        outage_services.merge_outages(
            outage_id=outage_id, into_id=values["into"], by=viewer, at=at
        )

    done = _("Merged: one cause.")
    answer = act(request, viewer, PAGE, Deed(do, done, form, FORM), outage_id=outage_id)
    if answer.status_code != 302:
        return answer
    return redirect("portal:outage", outage_id=str(form.cleaned_data["into"]))


@require_POST
@for_people
def split(request: HttpRequest, viewer: Actor, outage_id: UUID) -> HttpResponse:
    """Let what was reported below a device be an outage of its own."""

    def do(values: dict[str, Any], at: datetime) -> object:
        return outage_services.split_outage(outage_id=outage_id, by=viewer, at=at, **values)

    def done(fresh: Any) -> str:
        return _("{label} is an outage of its own now.").format(label=fresh.label)

    deed = Deed(do, done, DeviceForm(request.POST), FORM)
    return act(request, viewer, PAGE, deed, outage_id=outage_id)


@require_POST
@for_people
def place(request: HttpRequest, viewer: Actor, outage_id: UUID) -> HttpResponse:
    """Put the outage at another device."""

    def do(values: dict[str, Any], at: datetime) -> None:
        outage_services.place_outage(outage_id=outage_id, by=viewer, at=at, **values)

    deed = Deed(do, _("The outage stands there now."), DeviceForm(request.POST), FORM)
    return act(request, viewer, PAGE, deed, outage_id=outage_id)
