"""Planned work: the calendar, a new plan with what it takes from whom, one work and its steps."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.notifications import selectors as notices
from apps.notifications import services as notice_services
from apps.notifications.rules import MESSAGE_LENGTH, Channel
from apps.outages import selectors as outages
from apps.outages import services as outage_services
from apps.outages.rules.planning import STEPS, TEXT_LENGTH, TITLE_LENGTH, WorkState
from apps.portal.lines import paged
from apps.portal.notice_view import notice_line
from apps.portal.pages import Deed, Look, Page, act, for_people, show

SIZE, MOST, WEEKS = 50, 200, 4
VIEW, OPERATE = "outages.view_outage", "outages.operate_outage"
APPROVE, SEND = "outages.approve_work", "notifications.send_notice"


def _text(**more: Any) -> forms.TextInput:
    return forms.TextInput({"class": "form-control", "autocomplete": "off", **more})


def _moment(label: Any) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(
            {"class": "form-control", "type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
        ),
    )


class PlanForm(forms.Form):
    """What is planned: where, when and why; times are UTC."""

    prefix = "plan"
    title = forms.CharField(
        label=gettext_lazy("Work"), max_length=TITLE_LENGTH, widget=_text()
    )
    device_code = forms.CharField(
        label=gettext_lazy("Device taken out of service"),
        max_length=200,
        widget=_text(**{"class": "form-control mono"}),
    )
    starts_at = _moment(gettext_lazy("Begins (UTC)"))
    ends_at = _moment(gettext_lazy("Ends (UTC)"))
    description = forms.CharField(
        label=gettext_lazy("What is done, and by whom"),
        required=False,
        max_length=TEXT_LENGTH,
        widget=forms.Textarea({"class": "form-control", "rows": 3}),
    )


class ReasonForm(forms.Form):
    """Why a plan is rejected or taken back."""

    prefix = "reason"
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=TEXT_LENGTH, widget=_text()
    )


class ExtendForm(forms.Form):
    """When the work ends now."""

    prefix = "extend"
    ends_at = _moment(gettext_lazy("Ends (UTC)"))


class AnnounceForm(forms.Form):
    """What the customers are told, and how."""

    prefix = "announce"
    channel = forms.ChoiceField(
        label=gettext_lazy("By"),
        choices=Channel.choices,
        widget=forms.Select({"class": "form-select"}),
    )
    message = forms.CharField(
        label=gettext_lazy("Message"),
        max_length=MESSAGE_LENGTH,
        widget=forms.Textarea({"class": "form-control", "rows": 3}),
    )


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the calendar prints: four weeks, what is coming, what is over."""
    device = look.query.get("device", "").strip()
    first = _monday(look)
    over = outages.planned_works(viewer=viewer).filter(
        state__in=[WorkState.DONE, WorkState.REJECTED, WorkState.CANCELLED]
    )
    past, pager = paged(over, look.query.get("page", ""), SIZE)
    begins = (look.at + timedelta(days=2)).replace(
        hour=6, minute=0, second=0, microsecond=0
    )
    initial = {
        "device_code": device,
        "starts_at": begins,
        "ends_at": begins + timedelta(hours=4),
    }
    return {
        "coming": list(outages.coming_works(viewer=viewer)[:MOST]),
        "weeks": _weeks(viewer, first, look.at.date()),
        "earlier": first - timedelta(weeks=WEEKS),
        "later": first + timedelta(weeks=WEEKS),
        "past": past,
        "pager": pager,
        "plan_form": PlanForm(initial=initial) if viewer.may(OPERATE) else None,
        "scope": _scope(device),
    }


def _scope(device: str) -> Any:
    """Return what taking the device out means; None where it feeds nobody."""
    if not device:
        return None
    try:
        return outages.scope_of(device)
    except DomainError:
        return None


def _monday(look: Look) -> date:
    try:
        day = date.fromisoformat(look.query.get("from", ""))
    except ValueError:
        day = look.at.date()
    return day - timedelta(days=day.weekday())


def _weeks(viewer: Actor, first: date, today: date) -> list[list[dict[str, Any]]]:
    start = datetime.fromisoformat(f"{first}T00:00:00+00:00")
    end = start + timedelta(weeks=WEEKS)
    by_day: dict[date, list[Any]] = defaultdict(list)
    for work in outages.works_between(start=start, end=end, viewer=viewer)[:MOST]:
        day = max(work.starts_at.date(), first)
        while day <= work.ends_at.date() and day < end.date():
            by_day[day].append(work)
            day += timedelta(days=1)
    days = [first + timedelta(days=n) for n in range(7 * WEEKS)]
    cells = [{"day": d, "works": by_day[d], "today": d == today} for d in days]
    return [cells[n : n + 7] for n in range(0, len(cells), 7)]


PAGE = Page(
    name="planned",
    permission=VIEW,
    parts=("coming", "calendar"),
    compose=compose,
    topics=lambda _arguments: frozenset({"planned"}),
)


def compose_one(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the page of one work prints."""
    work = outages.planned_work(work_id=look.arguments["work_id"], viewer=viewer)
    customers = outages.customers_below(device_code=work.device_code, viewer=viewer)
    own = work.made_by is not None and work.made_by == viewer.user_id
    may = {
        WorkState.APPROVED: viewer.may(APPROVE) and not own,
        WorkState.REJECTED: viewer.may(APPROVE),
        WorkState.CANCELLED: viewer.may(OPERATE),
        WorkState.UNDER_WAY: viewer.may(OPERATE),
        WorkState.DONE: viewer.may(OPERATE),
    }
    told = viewer.may(SEND) and work.state in (WorkState.PROPOSED, WorkState.APPROVED)
    return {
        "work": work,
        "own": own,
        "steps": {step for step in STEPS[work.state] if may[WorkState(step)]},
        "customers": customers[:MOST],
        "customers_total": len(customers),
        "conflicts": list(outages.conflicts_of(work=work, viewer=viewer)[:20]),
        "notices": [
            notice_line(row)
            for row in notices.notices_of_work(work_id=work.pk, viewer=viewer)[:20]
        ]
        if viewer.may("notifications.view_notice")
        else [],
        "reason_form": ReasonForm(),
        "extend_form": ExtendForm(initial={"ends_at": work.ends_at}),
        "announce_form": AnnounceForm(initial={"message": _words(work)}) if told else None,
        "overdue": work.state == WorkState.UNDER_WAY and work.ends_at < look.at,
    }


def _words(work: Any) -> str:
    return _(
        "Planned work on our network: your power will be off on {day} from {start} to {end} "
        "UTC ({title})."
    ).format(
        day=f"{work.starts_at:%Y-%m-%d}",
        start=f"{work.starts_at:%H:%M}",
        end=f"{work.ends_at:%H:%M}"
        if work.ends_at.date() == work.starts_at.date()
        else f"{work.ends_at:%Y-%m-%d %H:%M}",
        title=work.title,
    )


ONE = Page(
    name="planned-work",
    permission=VIEW,
    parts=("state", "notices"),
    compose=compose_one,
    topics=lambda _arguments: frozenset({"planned", "outages"}),
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Show the calendar."""
    return show(request, viewer, PAGE)


@require_safe
@for_people
def one(request: HttpRequest, viewer: Actor, work_id: int) -> HttpResponse:
    """Show one work."""
    return show(request, viewer, ONE, work_id=work_id)


@require_POST
@for_people
def plan(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Propose work."""

    def do(values: dict[str, Any], at: datetime) -> object:
        plan = outage_services.WorkPlan(**values)
        return outage_services.plan_work(plan=plan, by=viewer, at=at)

    def done(work: Any) -> str:
        return _("{label} is proposed. Somebody else agrees to it.").format(
            label=work.label
        )

    deed = Deed(do, done, PlanForm(request.POST), "plan_form", "plan-form")
    return act(request, viewer, PAGE, deed)


@require_POST
@for_people
def approve(request: HttpRequest, viewer: Actor, work_id: int) -> HttpResponse:
    """Agree to work that somebody else planned."""

    def do(_values: dict[str, Any], at: datetime) -> None:
        outage_services.approve_work(work_id=work_id, by=viewer, at=at)

    done = _("Approved. It begins by itself at its time.")
    return act(request, viewer, ONE, Deed(do, done), work_id=work_id)


@require_POST
@for_people
def reject(request: HttpRequest, viewer: Actor, work_id: int) -> HttpResponse:
    """Say no to planned work."""

    def do(values: dict[str, Any], at: datetime) -> None:
        outage_services.reject_work(work_id=work_id, by=viewer, at=at, **values)

    deed = Deed(do, _("Rejected."), ReasonForm(request.POST), "reason_form")
    return act(request, viewer, ONE, deed, work_id=work_id)


@require_POST
@for_people
def cancel(request: HttpRequest, viewer: Actor, work_id: int) -> HttpResponse:
    """Take planned work back."""

    def do(values: dict[str, Any], at: datetime) -> None:
        outage_services.cancel_work(work_id=work_id, by=viewer, at=at, **values)

    deed = Deed(do, _("Taken back."), ReasonForm(request.POST), "reason_form")
    return act(request, viewer, ONE, deed, work_id=work_id)


@require_POST
@for_people
def begin(request: HttpRequest, viewer: Actor, work_id: int) -> HttpResponse:
    """Begin approved work now."""

    def do(_values: dict[str, Any], at: datetime) -> None:
        outage_services.begin_work(work_id=work_id, by=viewer, at=at)

    done = _("Under way: what goes dark below the device is the plan.")
    return act(request, viewer, ONE, Deed(do, done), work_id=work_id)


@require_POST
@for_people
def end(request: HttpRequest, viewer: Actor, work_id: int) -> HttpResponse:
    """End work: power is back."""

    def do(_values: dict[str, Any], at: datetime) -> None:
        outage_services.end_work(work_id=work_id, by=viewer, at=at)

    return act(request, viewer, ONE, Deed(do, _("Done: power is back.")), work_id=work_id)


@require_POST
@for_people
def extend(request: HttpRequest, viewer: Actor, work_id: int) -> HttpResponse:
    """Let work last longer, or end earlier."""

    def do(values: dict[str, Any], at: datetime) -> None:
        outage_services.extend_work(work_id=work_id, by=viewer, at=at, **values)

    deed = Deed(do, _("The end is moved."), ExtendForm(request.POST), "extend_form")
    return act(request, viewer, ONE, deed, work_id=work_id)


@require_POST
@for_people
def announce(request: HttpRequest, viewer: Actor, work_id: int) -> HttpResponse:
    """Tell the customers what is coming."""

    def do(values: dict[str, Any], at: datetime) -> object:
        return notice_services.announce(work_id=work_id, by=viewer, at=at, **values)

    def done(sent: Any) -> str:
        return _("On its way to {n} customers.").format(n=sent.notified)

    deed = Deed(do, done, AnnounceForm(request.POST), "announce_form", "announce-form")
    return act(request, viewer, ONE, deed, work_id=work_id)
