"""One outage: its state, why we believe in it, who is concerned, and every action on it."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.core.actor import Actor
from apps.crews import selectors as crews
from apps.crews import services as crew_services
from apps.notifications import services as notice_services
from apps.outages import selectors as outages
from apps.outages import services as outage_services
from apps.outages.rules import EtrSource, Status, ZoneKind, status_of
from apps.portal.estimate_view import accuracy_lines, estimate_lines, zone_lines
from apps.portal.forms import AssignForm, CancelForm, EtrForm, NoteForm, NoticeForm
from apps.portal.lines import AssignmentLine, assignment_line, outage_line
from apps.portal.mapping import crew_features, outage_points, trace_of
from apps.portal.notice_view import NoticeLine, notice_lines
from apps.portal.outage_view import (
    EventLine,
    event_line,
    evidence_lines,
    opening_words,
    steps_of,
    timeline_lines,
    verbs_of,
)
from apps.portal.pages import Deed, Look, Page, act, for_people, show
from apps.portal.verification_view import verification_lines

if TYPE_CHECKING:
    from apps.outages.models import Outage

MOST_EVENTS = 50
MOST_ESTIMATES = 8
MOST_VERIFICATIONS = 3
MOST_CUSTOMERS = 200
MOST_SUGGESTIONS = 5


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the page of an outage prints."""
    at = look.at
    outage = outages.outage(outage_id=str(look.arguments["outage_id"]), viewer=viewer)
    line = outage_line(outage, at)
    assignments = _assignments(outage, viewer, at)
    return {
        "outage": outage,
        "line": line,
        "steps": steps_of(outage),
        "verbs": verbs_of(outage, viewer),
        "topology": outages.topology_of(outage=outage),
        "assignments": assignments,
        "suggestions": _suggestions(outage, viewer),
        "customers": outages.affected_customers(
            outage=outage, viewer=viewer, most=MOST_CUSTOMERS
        ),
        "customers_total": outages.affected_count(outage=outage, viewer=viewer),
        "evidence": evidence_lines(outages.evidence_of(outage=outage)),
        "events": _events(outage, viewer),
        **_estimates(outage, viewer, at),
        "reliability": outages.reliability_of(outage=outage, at=at),
        **_verifications(outage, viewer),
        "timeline": timeline_lines(outages.timeline(outage=outage)),
        "notices": _notices(outage, viewer),
        "draft": opening_words(outage),
        "may_step": viewer.may("crews.assign_crew") or viewer.may("crews.work_assignment"),
        "map_data": {
            "outages": outage_points([outage]),
            "crews": crew_features(assignments),
            "trace": trace_of(outage),
        },
        **_forms(outage, viewer),
    }


def _estimates(outage: "Outage", viewer: Actor, at: datetime) -> dict[str, Any]:
    lines = estimate_lines(outages.estimates(outage=outage)[:MOST_ESTIMATES])
    zones = outages.zone_estimates_of(outage=outage, at=at) if outage.is_open else ()
    return {
        "estimates": lines,
        "etr": lines[0]
        if lines and lines[0].at == outage.estimated_restoration_at
        else None,
        "accuracy": accuracy_lines(outages.etr_accuracy(viewer=viewer, at=at)),
        "zones": zone_lines(outage, zones),
        "may_withdraw": viewer.may("outages.operate_outage"),
    }


def _verifications(outage: "Outage", viewer: Actor) -> dict[str, Any]:
    found = outages.verifications_of(outage=outage)[:MOST_VERIFICATIONS]
    lines = verification_lines(found)
    is_cancelled = outage.status == Status.CANCELLED
    return {
        "verifications": lines,
        "is_verifying": any(not line.is_over for line in lines),
        "may_verify": not is_cancelled and viewer.may("outages.operate_outage"),
    }


def _assignments(outage: "Outage", viewer: Actor, at: datetime) -> list[AssignmentLine]:
    if not viewer.may("crews.view_crew"):
        return []
    found = crews.assignments_of(outage_id=outage.id, viewer=viewer)
    return [assignment_line(one, at) for one in found]


def _suggestions(outage: "Outage", viewer: Actor) -> list[crews.Suggestion]:
    if not (outage.is_open and viewer.may("crews.assign_crew")):
        return []
    return crews.suggestions(outage=outage, viewer=viewer)[:MOST_SUGGESTIONS]


def _events(outage: "Outage", viewer: Actor) -> list[EventLine]:
    if not viewer.may("outages.view_event"):
        return []
    found = outages.events_of(outage=outage, viewer=viewer)[:MOST_EVENTS]
    return [event_line(event) for event in found]


def _notices(outage: "Outage", viewer: Actor) -> list[NoticeLine]:
    if not viewer.may("notifications.view_notice"):
        return []
    return notice_lines(viewer=viewer, outage=outage)


def _forms(outage: "Outage", viewer: Actor) -> dict[str, Any]:
    forms: dict[str, Any] = {}
    if viewer.may("outages.operate_outage"):
        forms |= {
            "note_form": NoteForm(),
            "etr_form": EtrForm(),
            "cancel_form": CancelForm(),
        }
    if viewer.may("crews.assign_crew"):
        forms["assign_form"] = AssignForm()
        forms["crew_names"] = crews.available_crews(viewer=viewer)
    if viewer.may("notifications.send_notice"):
        forms["notice_form"] = NoticeForm(initial={"message": opening_words(outage)})
    return forms


PAGE = Page(
    name="outage",
    permission="outages.view_outage",
    parts=(
        "state",
        "place",
        "estimates",
        "reliability",
        "crews",
        "verification",
        "timeline",
        "evidence",
        "customers",
        "notices",
        "draft",
        "map",
    ),
    compose=compose,
    topics=lambda arguments: frozenset({f"outage:{arguments['outage_id']}", "crews"}),
    every=10.0,
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor, outage_id: str) -> HttpResponse:
    """Show an outage; a number or a merged outage leads to the one that stands."""
    found = outages.outage(outage_id=outage_id, viewer=viewer)
    stands = found.merged_into_id or found.id
    if str(stands) != outage_id:
        return redirect("portal:outage", outage_id=str(stands))
    return show(request, viewer, PAGE, outage_id=outage_id)


@require_POST
@for_people
def change(request: HttpRequest, viewer: Actor, outage_id: str) -> HttpResponse:
    """Confirm, begin, restore or cancel."""
    status = status_of(request.POST.get("status", ""))
    cancels = status is Status.CANCELLED
    form = CancelForm(request.POST) if cancels else None

    def do(values: dict[str, Any], at: datetime) -> None:
        outage_services.change_status(
            outage_id=_id(outage_id, viewer),
            status=status,
            notes=values.get("reason", ""),
            by=viewer,
            at=at,
        )

    done = _("The outage is now: {status}.").format(status=status.label)
    name, part = ("cancel_form", "cancel-form") if cancels else ("", "")
    return act(request, viewer, PAGE, Deed(do, done, form, name, part), outage_id=outage_id)


@require_POST
@for_people
def note(request: HttpRequest, viewer: Actor, outage_id: str) -> HttpResponse:
    """Write a remark into the timeline."""

    def do(values: dict[str, Any], at: datetime) -> None:
        outage_services.add_note(
            outage_id=_id(outage_id, viewer), text=values["text"], by=viewer, at=at
        )

    deed = Deed(
        do,
        _("The note is in the timeline."),
        NoteForm(request.POST),
        "note_form",
        "note-form",
    )
    return act(request, viewer, PAGE, deed, outage_id=outage_id)


@require_POST
@for_people
def etr(request: HttpRequest, viewer: Actor, outage_id: str) -> HttpResponse:
    """Say when power will be back, at this outage or in its whole zone."""

    def do(values: dict[str, Any], at: datetime) -> None:
        estimate_at = at + timedelta(minutes=values["minutes"])
        found = outages.outage(outage_id=outage_id, viewer=viewer)
        if values["scope"] in ZoneKind.values:
            kind = ZoneKind(values["scope"])
            outage_services.set_zone_estimate(
                zone_kind=kind,
                zone_code=found.feeder_code
                if kind is ZoneKind.FEEDER
                else found.region_code,
                estimate_at=estimate_at,
                by=viewer,
                at=at,
            )
            return
        outage_services.publish_etr(
            outage_id=found.id,
            estimate_at=estimate_at,
            source=EtrSource.OPERATOR,
            by=viewer,
            at=at,
        )

    deed = Deed(
        do, _("The estimate is published."), EtrForm(request.POST), "etr_form", "etr-form"
    )
    return act(request, viewer, PAGE, deed, outage_id=outage_id)


@require_POST
@for_people
def verify(request: HttpRequest, viewer: Actor, outage_id: str) -> HttpResponse:
    """Have meters asked whether they have power."""

    def do(_values: dict[str, Any], at: datetime) -> None:
        outage_services.request_verification(
            outage_id=_id(outage_id, viewer), by=viewer, at=at
        )

    deed = Deed(do, _("Meters are asked whether they have power."))
    return act(request, viewer, PAGE, deed, outage_id=outage_id)


@require_POST
@for_people
def withdraw_zone(
    request: HttpRequest, viewer: Actor, outage_id: str, zone_id: int
) -> HttpResponse:
    """Take back what was said of the outage's feeder or region."""

    def do(_values: dict[str, Any], at: datetime) -> None:
        outage_services.withdraw_zone_estimate(zone_estimate_id=zone_id, by=viewer, at=at)

    deed = Deed(do, _("The estimate for the zone is withdrawn."))
    return act(request, viewer, PAGE, deed, outage_id=outage_id)


@require_POST
@for_people
def assign(request: HttpRequest, viewer: Actor, outage_id: str) -> HttpResponse:
    """Send a crew."""

    def do(values: dict[str, Any], at: datetime) -> None:
        minutes = values["arrival"]
        crew_services.assign(
            outage_id=_id(outage_id, viewer),
            crew_name=values["crew_name"],
            crew_type=values["crew_type"],
            estimated_arrival_at=None
            if minutes is None
            else at + timedelta(minutes=minutes),
            notes=values["notes"],
            by=viewer,
            at=at,
        )

    form = AssignForm(request.POST)
    deed = Deed(do, _("The crew is assigned."), form, "assign_form", "assign-form")
    return act(request, viewer, PAGE, deed, outage_id=outage_id)


@require_POST
@for_people
def notify(request: HttpRequest, viewer: Actor, outage_id: str) -> HttpResponse:
    """Tell the customers of the outage."""

    def do(values: dict[str, Any], at: datetime) -> None:
        notice_services.notify(
            outage_id=outage_id,
            channel=values["channel"],
            message=values["message"],
            customer_codes=values["customers"] or None,
            estimated_restoration_at=None,
            by=viewer,
            at=at,
        )

    form = NoticeForm(request.POST)
    deed = Deed(do, _("The notice is on its way."), form, "notice_form", "notice-form")
    return act(request, viewer, PAGE, deed, outage_id=outage_id)


def _id(outage_id: str, viewer: Actor) -> Any:
    return outages.outage(outage_id=outage_id, viewer=viewer).id
