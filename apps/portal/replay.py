"""Replay: a past period played again minute by minute, over the map, by the same inference."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from apps.core.actor import Actor
from apps.core.errors import Invalid
from apps.network import selectors as network
from apps.outages import selectors as outages
from apps.outages.rules import Source
from apps.portal.mapping import MOST_DEAD, point
from apps.portal.pages import Look, Page, for_people, show

PRESETS = (1, 2, 6, 12, 24)
MANY = 100
FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


def _moment(label: Any) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        required=False,
        input_formats=FORMATS,
        widget=forms.DateTimeInput(
            {"class": "form-control", "type": "datetime-local"}, format=FORMATS[0]
        ),
    )


class PeriodForm(forms.Form):
    """Which period is played; times are UTC."""

    start = _moment(gettext_lazy("From (UTC)"))
    end = _moment(gettext_lazy("Until (UTC)"))


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the page prints; what is wrong with the period stands above the map."""
    start, end = _period(look)
    form = PeriodForm({"start": f"{start:%Y-%m-%dT%H:%M}", "end": f"{end:%Y-%m-%dT%H:%M}"})
    form.is_valid()
    try:
        found = outages.replay(start=start, end=end, viewer=viewer)
    except Invalid as refusal:
        return {"form": form, "presets": PRESETS, "wrong": refusal.message}
    return {
        "form": form,
        "presets": PRESETS,
        "replay": found,
        "rows": _rows(found.frames),
        "film": _film(found),
    }


def _period(look: Look) -> tuple[datetime, datetime]:
    now = look.at.replace(second=0, microsecond=0) + timedelta(minutes=1)
    hours = look.query.get("hours", "")
    if hours.isascii() and hours.isdigit() and int(hours) in PRESETS:
        return now - timedelta(hours=int(hours)), now
    form = PeriodForm(look.query)
    asked = form.cleaned_data if form.is_valid() else {}
    end = (asked.get("end") or now).replace(tzinfo=UTC)
    return (asked.get("start") or end - timedelta(hours=2)).replace(tzinfo=UTC), end


def _rows(frames: list[outages.Frame]) -> list[dict[str, Any]]:
    """Return the minutes in which anything changed, for who looks without a script."""
    rows, before = [], None
    for frame in frames:
        going = [one for one in frame.outages if not one.is_over]
        told = sorted((one.device, one.customers) for one in going)
        if told != before:
            rows.append(
                {"at": frame.at, "outages": going, "events": sum(frame.events.values())}
            )
        before = told
    return rows[-200:]


def _film(found: outages.Replay) -> dict[str, Any]:
    """Return the frames as the browser plays them: each outage once, by its place in a list."""
    cast: dict[outages.Shown, int] = {}
    frames = [
        {
            "at": frame.at.isoformat(timespec="seconds"),
            "outages": [cast.setdefault(one, len(cast)) for one in frame.outages],
            "events": frame.events,
        }
        for frame in found.frames
    ]
    return {
        "frames": frames,
        "outages": [_part(one) for one in cast],
        "below": _below({one.device for one in cast}),
        "sources": {source.value: str(source.label) for source in Source},
    }


def _part(one: outages.Shown) -> dict[str, Any]:
    drawn = None
    if one.latitude is not None and one.longitude is not None and not one.is_over:
        drawn = point(
            one.longitude,
            one.latitude,
            severity="critical" if one.customers > MANY else "high",
            customers=one.customers,
            label=f"{one.device} · {one.customers}",
        )
    return {
        "device": one.device,
        "since": one.since.isoformat(timespec="seconds"),
        "customers": one.customers,
        "over": one.is_over,
        "feature": drawn,
    }


def _below(codes: set[str]) -> dict[str, list[int]]:
    """Return the edges below each device, as the picture of the network numbers them."""
    held, found, left = network.grid(), {}, MOST_DEAD
    for code in sorted(codes):
        edge = held.edge_index(code)
        if edge is not None and left > 0:
            found[code] = held.edges_below(edge).tolist()[:left]
            left -= len(found[code])
    return found


PAGE = Page(
    name="replay",
    permission="outages.view_outage",
    parts=(),
    compose=compose,
    topics=lambda _arguments: frozenset(),
    every=3_600.0,
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Show the page."""
    return show(request, viewer, PAGE)
