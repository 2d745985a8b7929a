"""Replay: a past period played again minute by minute, over the map, by the same inference.

It is made in the background; its page shows how far it is, and then the player.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.core.work import WorkState
from apps.network import selectors as network
from apps.outages import selectors as outages
from apps.outages import services as outage_services
from apps.outages.rules import Source
from apps.outages.rules.replaying import Film, Shown
from apps.portal.mapping import MOST_DEAD, point
from apps.portal.pages import (
    Look,
    Page,
    draw_page,
    explain,
    for_people,
    look_of,
    show,
    status_of,
)

VIEW = "outages.view_outage"
PRESETS = (1, 2, 6, 12, 24)
MANY = 100
KEPT_SHOWN, ROWS_SHOWN, NAMES_SHOWN = 50, 200, 12
FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
STATES = {
    WorkState.PENDING: (gettext_lazy("waits"), "pending"),
    WorkState.LEASED: (gettext_lazy("is being made"), "in_progress"),
    WorkState.DONE: (gettext_lazy("ready"), "completed"),
    WorkState.QUARANTINED: (gettext_lazy("failed"), "critical"),
}


def _check_year(moment: datetime) -> None:
    """Refuse what no period is asked for in, and no calendar reckons with."""
    if not 2000 <= moment.year < 2200:
        raise forms.ValidationError(_("Choose a year from 2000 on."))


def _moment(label: Any) -> forms.DateTimeField:
    return forms.DateTimeField(
        validators=[_check_year],
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
    """Return what the list of replays prints, with the form that asks for another."""
    runs = outages.replay_runs(viewer=viewer)[:KEPT_SHOWN]
    return {
        "form": _form_of(*_period(look.query, look.at)),
        "presets": PRESETS,
        "runs": [(run, *STATES[WorkState(run.state)]) for run in runs],
    }


def _form_of(start: datetime, end: datetime) -> PeriodForm:
    return PeriodForm(
        initial={"start": f"{start:{FORMATS[0]}}", "end": f"{end:{FORMATS[0]}}"}
    )


def _period(asked: Any, at: datetime) -> tuple[datetime, datetime]:
    """Return the hours before now that are asked for, or the period; both are up to a minute."""
    now = at.replace(second=0, microsecond=0) + timedelta(minutes=1)
    hours = asked.get("hours", "")
    if hours.isascii() and hours.isdigit() and int(hours) in PRESETS:
        return now - timedelta(hours=int(hours)), now
    form = PeriodForm(asked)
    told = form.cleaned_data if form.is_valid() else {}
    end = (told.get("end") or now).replace(tzinfo=UTC)
    return (told.get("start") or end - timedelta(hours=2)).replace(tzinfo=UTC), end


PAGE = Page(
    name="replay",
    permission=VIEW,
    parts=("kept",),
    compose=compose,
    topics=lambda _arguments: frozenset({"replays"}),
    every=10.0,
)


def compose_one(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the page of one replay prints; its film is read where it is drawn."""
    run = outages.replay_run(run_id=look.arguments["run_id"], viewer=viewer)
    label, word = STATES[WorkState(run.state)]

    @cache
    def film() -> Film | None:
        return outages.film_of(run_id=run.id, viewer=viewer)

    return {
        "run": run,
        "label": label,
        "word": word,
        "percent": int(100 * run.share),
        "is_made": run.state == WorkState.DONE,
        "has_failed": run.state == WorkState.QUARANTINED,
        "form": _form_of(run.starts_at, run.ends_at),
        "presets": PRESETS,
        "names_shown": NAMES_SHOWN,
        "film": film,
        "played": lambda: _played(film()),
        "rows": lambda: _rows(film()),
    }


def _rows(film: Film | None) -> list[dict[str, Any]]:
    """Return the minutes in which anything changed, for who looks without a script."""
    rows: list[dict[str, Any]] = []
    going: set[int] = set()
    told: Counter[tuple[str, int]] = Counter()
    if film is None:
        return rows
    for scene in film.scenes:
        going.difference_update(scene.went)
        going.update(n for n in scene.came if not film.cast[n].is_over)
        before, told = (
            told,
            Counter((film.cast[n].device, film.cast[n].customers) for n in going),
        )
        if told != before:
            out = sorted((film.cast[n] for n in going), key=_largest_first)
            rows.append({"at": scene.at, "outages": out[:NAMES_SHOWN], "count": len(out)})
    return rows[-ROWS_SHOWN:]


def _largest_first(one: Shown) -> tuple[int, str]:
    return -one.customers, one.device


def _played(film: Film | None) -> dict[str, Any] | None:
    """Return the film as the browser plays it: each outage once, by its place in a list."""
    if film is None:
        return None
    return {
        "frames": [
            {
                "at": scene.at.isoformat(timespec="seconds"),
                "came": scene.came,
                "went": scene.went,
                "events": scene.events,
            }
            for scene in film.scenes
        ],
        "outages": [_part(one) for one in film.cast],
        "below": dict(_below({one.device: one.customers for one in film.cast})),
        "sources": {source.value: str(source.label) for source in Source},
    }


def _part(one: Shown) -> dict[str, Any]:
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


def _below(customers: dict[str, int]) -> Iterator[tuple[str, list[int]]]:
    """Return the edges below each device, as the picture of the network numbers them.

    Where they are too many, those below the devices with the most customers.
    """
    held, left = network.grid(), MOST_DEAD
    for code in sorted(customers, key=lambda code: (-customers[code], code)):
        edge = held.edge_index(code)
        if edge is not None and left > 0:
            found = held.edges_below(edge).tolist()[:left]
            left -= len(found)
            yield code, found


ONE = Page(
    name="replay-run",
    permission=VIEW,
    parts=("making",),
    compose=compose_one,
    topics=lambda arguments: frozenset({f"replay:{arguments['run_id']}"}),
    every=2.0,
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Show the replays that are kept, and the form that asks for another."""
    return show(request, viewer, PAGE)


@require_safe
@for_people
def one(request: HttpRequest, viewer: Actor, run_id: UUID) -> HttpResponse:
    """Show one replay: how far it is, or the player."""
    return show(request, viewer, ONE, run_id=run_id)


@require_POST
@for_people
def ask(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Ask for a replay, and go to its page; what is wrong stands beside the period."""
    look, form = look_of(request, {}), PeriodForm(request.POST)
    if form.is_valid() or "hours" in request.POST:
        start, end = _period(request.POST, look.at)
        try:
            run = outage_services.ask_replay(start=start, end=end, by=viewer, at=look.at)
        except DomainError as refusal:
            explain(form, refusal)
            status = status_of(refusal)
        else:
            return redirect("portal:replay-run", run_id=run.id)
    else:
        status = 400
    return draw_page(request, PAGE, {**PAGE.view(viewer, look), "form": form}, status)
