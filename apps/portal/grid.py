"""The network: search, the way up from a device, and switching with its effect shown first."""

from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.network import selectors as network
from apps.network import services as switching
from apps.outages import selectors as outages
from apps.portal.lines import outage_line
from apps.portal.mapping import outage_points, trace_of_place
from apps.portal.pages import Deed, Look, Page, act, for_people, show

SWITCH = "network.switch_device"
MOST, FEEDERS = 20, 500


class SwitchForm(forms.Form):
    """Why a device is turned, and what was seen before."""

    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=500,
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)
    closes = forms.BooleanField(required=False, widget=forms.HiddenInput)


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the search prints: its hits, or the feeders where nothing is searched for."""
    text = look.query.get("text", "").strip()
    if text:
        return {"text": text, "hits": _hits(text), "feeders": []}
    return {"text": "", "hits": [], "feeders": _feeders(viewer)}


def _hits(text: str) -> list[dict[str, Any]]:
    return [
        {"hit": hit, "url": reverse("portal:device", args=[hit.code])}
        for hit in network.search(text, MOST)
    ]


def _feeders(viewer: Actor) -> list[dict[str, Any]]:
    """Return the feeders with how many outages stand open on each."""
    standing = outages.open_by_feeder(viewer=viewer)
    found = sorted(network.feeders().values(), key=lambda one: (one.region_code, one.code))
    return [{"feeder": one, "outages": standing.get(one.pk, 0)} for one in found[:FEEDERS]]


def compose_device(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the page of a device, a meter or anything else with a place prints."""
    code = str(look.arguments["code"])
    refs = [
        network.PlaceRef(device_id=code),
        network.PlaceRef(feeder_id=code),
        network.PlaceRef(meter_id=code),
        network.PlaceRef(customer_id=code),
        network.PlaceRef(substation_id=code),
    ]
    place = next((found for found in network.resolve(refs) if found), None)
    if place is None:
        return {"device_code": code, "unknown": True, "map_data": {}}
    traced = network.trace(place)
    codes = [one.code for one in traced.path]
    rows = outages.open_outages(viewer=viewer).filter(device_code__in=[code, *codes])
    return {
        "device_code": code,
        "place": place,
        "trace": traced,
        "way": [*reversed(traced.path)],
        "standing": [outage_line(row, look.at) for row in rows[:MOST]],
        "history": network.switchings(place.device_code, MOST) if place.device_code else [],
        "meters": _below(place) if traced.customers else [],
        "map_data": {
            "outages": outage_points(rows[:MOST]),
            "trace": trace_of_place(place, has_power=traced.energised),
        },
        **_switch(viewer, place),
    }


def _below(place: network.Place) -> list[network.MeterView]:
    return network.meters_under(place.device_code)[:MOST] if place.device_code else []


def _switch(viewer: Actor, place: network.Place) -> dict[str, Any]:
    if not viewer.may(SWITCH) or not place.device_code:
        return {}
    try:
        seen = network.preview(code=place.device_code)
    except DomainError:
        return {}
    initial = {"version": seen.version, "closes": seen.closes}
    return {"preview": seen, "switch_form": SwitchForm(initial=initial)}


PAGE = Page(
    name="grid",
    permission="network.view_network",
    parts=("found",),
    compose=compose,
    topics=lambda _arguments: frozenset({"network", "outages"}),
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Show the search; what was chosen has a page of its own."""
    if chosen := request.GET.get("device", ""):
        return redirect("portal:device", code=chosen)
    return show(request, viewer, PAGE)


DEVICE = Page(
    name="device",
    permission="network.view_network",
    parts=("device", "map"),
    compose=compose_device,
    topics=lambda _arguments: frozenset({"network", "outages"}),
)


@require_safe
@for_people
def device(request: HttpRequest, viewer: Actor, code: str) -> HttpResponse:
    """Show one device."""
    return show(request, viewer, DEVICE, code=code)


@require_POST
@for_people
def switch(request: HttpRequest, viewer: Actor, code: str) -> HttpResponse:
    """Turn a device as it was shown."""

    def do(values: dict[str, Any], at: datetime) -> None:
        switching.switch_as_seen(
            code=code,
            closed=values["closes"],
            version=values["version"],
            reason=values["reason"],
            by=viewer,
            at=at,
        )

    form = SwitchForm(request.POST)
    deed = Deed(do, _("The device is switched."), form, "switch_form", "device")
    return act(request, viewer, DEVICE, deed, code=code)
