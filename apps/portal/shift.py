"""The shift log: what happened, what people wrote down, and the handover."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.core.actor import Actor
from apps.outages import selectors as outages
from apps.outages import services as outage_services
from apps.portal.lines import assignment_lines, outage_line
from apps.portal.pages import Deed, Look, Page, act, for_people, show

MOST = 200
SHIFT = timedelta(hours=12)
DAY = timedelta(days=1)
OPERATE = "outages.operate_outage"


class ShiftNoteForm(forms.Form):
    """A remark for the shift."""

    prefix = "note"
    text = forms.CharField(
        label=gettext_lazy("What happened"),
        max_length=4_000,
        widget=forms.Textarea({"class": "form-control", "rows": 2}),
    )
    pinned = forms.BooleanField(
        label=gettext_lazy("Keep on top for the next shifts"),
        required=False,
        widget=forms.CheckboxInput({"class": "form-check-input"}),
    )


class HandoverForm(forms.Form):
    """What the next shift has to know."""

    prefix = "handover"
    summary = forms.CharField(
        label=gettext_lazy("What the next shift has to know"),
        max_length=4_000,
        widget=forms.Textarea({"class": "form-control", "rows": 4}),
    )


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the log prints: the last twelve hours, or the day that is asked for."""
    start, end, day = _period(look)
    may = viewer.may(OPERATE)
    given = list(outages.handovers(viewer=viewer)[:5])
    rows = outages.gravest(viewer=viewer)[:MOST]
    waiting = next((one for one in given if one.taken_at is None), None)
    return {
        "day": day,
        "entries": _entries(viewer, start, end),
        "pinned": list(outages.pinned_notes(viewer=viewer)[:MOST]),
        "waiting": waiting,
        "given": given,
        "own": waiting is not None and waiting.giver_id == viewer.user_id,
        "standing": [outage_line(row, look.at) for row in rows],
        "assignments": assignment_lines(viewer, look.at),
        "may_write": may,
        "note_form": ShiftNoteForm() if may else None,
        "handover_form": HandoverForm() if may and waiting is None else None,
    }


def _period(look: Look) -> tuple[datetime, datetime, str]:
    text = look.query.get("day", "")
    try:
        start = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return look.at - SHIFT, look.at + timedelta(minutes=1), ""
    return start, start + DAY, text


def _entries(viewer: Actor, start: datetime, end: datetime) -> list[dict[str, Any]]:
    notes = outages.shift_notes(viewer=viewer, start=start, end=end)[:MOST]
    lines = outages.happenings(viewer=viewer, start=start, end=end, most=MOST)
    found: list[dict[str, Any]] = [
        {"id": n.id, "at": n.at, "text": n.text, "by": n.actor_label, "outage": None}
        for n in notes
    ]
    found += [
        {"id": e.pk, "at": e.at, "text": e.text, "by": e.actor_label, "outage": e.outage}
        for e in lines
    ]
    return sorted(found, key=lambda one: one["at"], reverse=True)[:MOST]


PAGE = Page(
    name="shift",
    permission="outages.view_outage",
    parts=("handover", "pinned", "log", "given", "standing"),
    compose=compose,
    topics=lambda _arguments: frozenset({"shift", "outages", "crews"}),
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Show the log."""
    return show(request, viewer, PAGE)


@require_POST
@for_people
def write(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Write a remark."""

    def do(values: dict[str, Any], at: datetime) -> None:
        outage_services.write_shift_note(**values, by=viewer, at=at)

    form = ShiftNoteForm(request.POST)
    deed = Deed(do, _("It is in the log."), form, "note_form", "note-form")
    return act(request, viewer, PAGE, deed)


@require_POST
@for_people
def unpin(request: HttpRequest, viewer: Actor, note_id: UUID) -> HttpResponse:
    """Take a remark down from the top."""

    def do(_values: dict[str, Any], at: datetime) -> None:
        outage_services.unpin_shift_note(note_id=note_id, by=viewer, at=at)

    return act(request, viewer, PAGE, Deed(do, _("It is no longer on top.")))


@require_POST
@for_people
def give(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Offer the room to the next shift."""

    def do(values: dict[str, Any], at: datetime) -> None:
        outage_services.hand_over(**values, by=viewer, at=at)

    form = HandoverForm(request.POST)
    done = _("The handover waits to be taken.")
    deed = Deed(do, done, form, "handover_form", "handover-form")
    return act(request, viewer, PAGE, deed)


@require_POST
@for_people
def take(request: HttpRequest, viewer: Actor, handover_id: UUID) -> HttpResponse:
    """Take the room."""

    def do(_values: dict[str, Any], at: datetime) -> None:
        outage_services.take_over(handover_id=handover_id, by=viewer, at=at)

    return act(request, viewer, PAGE, Deed(do, _("The room is yours.")))
