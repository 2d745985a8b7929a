"""My work: the page of a crew on a phone. What is out, where, and the next step at a thumb."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.core.actor import Actor
from apps.crews import selectors as crews
from apps.crews import services as crew_services
from apps.crews.rules import NOTES_LENGTH, status_of
from apps.outages import selectors as outages
from apps.portal.lines import assignment_line, outage_line
from apps.portal.pages import Deed, Look, Page, act, for_people, show

WORK = "crews.work_assignment"


class StepForm(forms.Form):
    """The next step, with a remark where there is one."""

    notes = forms.CharField(
        label=gettext_lazy("Remark"),
        required=False,
        max_length=NOTES_LENGTH,
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the page prints: the own open assignments with their outages."""
    found = crews.active_crews(viewer=viewer)
    there = outages.outages_of_work(outage_ids=[one.outage_id for one in found])
    jobs = [
        {
            "a": assignment_line(one, look.at),
            "o": outage_line(there[one.outage_id], look.at),
            "outage": there[one.outage_id],
            "steps": list(reversed(outages.timeline(outage=there[one.outage_id])))[:6],
        }
        for one in found
        if one.outage_id in there
    ]
    return {"jobs": jobs}


PAGE = Page(
    name="work",
    permission=WORK,
    parts=("jobs",),
    compose=compose,
    topics=lambda _arguments: frozenset({"crews", "outages"}),
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Show the work."""
    return show(request, viewer, PAGE)


@require_POST
@for_people
def step(request: HttpRequest, viewer: Actor, assignment_id: UUID) -> HttpResponse:
    """Report the next step of the own assignment."""
    status = status_of(request.POST.get("status", ""))

    def do(values: dict[str, Any], at: datetime) -> None:
        crew_services.move_assignment(
            assignment_id=assignment_id,
            status=status,
            notes=values["notes"],
            by=viewer,
            at=at,
        )

    done = _("You are now: {status}.").format(status=status.label)
    return act(request, viewer, PAGE, Deed(do, done, StepForm(request.POST)))


@require_POST
@for_people
def note(request: HttpRequest, viewer: Actor, assignment_id: UUID) -> HttpResponse:
    """Write a remark to the outage of the own assignment."""

    def do(values: dict[str, Any], at: datetime) -> None:
        crew_services.note_assignment(
            assignment_id=assignment_id, notes=values["notes"], by=viewer, at=at
        )

    deed = Deed(do, _("The remark is with the control room."), StepForm(request.POST))
    return act(request, viewer, PAGE, deed)
