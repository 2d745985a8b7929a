"""Approvals: what waits for a second person, and what was decided."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.approvals import selectors as approvals
from apps.approvals import services as approval_services
from apps.approvals.rules import REASON_LENGTH, act_of
from apps.core.actor import Actor
from apps.portal.lines import paged
from apps.portal.pages import Deed, Look, Page, act, for_people, show

SIZE = 50


class ReasonForm(forms.Form):
    """Why a proposal is rejected."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=REASON_LENGTH,
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the page prints."""
    decided = approvals.proposals(viewer=viewer).exclude(decided_at=None)
    found, pager = paged(decided, look.query.get("page", ""), SIZE)
    return {
        "waiting": [
            _line(row) for row in approvals.waiting(viewer=viewer, at=look.at)[:200]
        ],
        "decided": [_line(row) for row in found],
        "pager": pager,
        "self_id": viewer.user_id,
    }


def _line(row: approval_services.Proposal) -> dict[str, Any]:
    return {"row": row, "label": act_of(row.kind).label}


PAGE = Page(
    name="approvals",
    permission="approvals.view_proposal",
    parts=("waiting", "decided"),
    compose=compose,
    topics=lambda _arguments: frozenset({"approvals"}),
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Show what waits and what was decided."""
    return show(request, viewer, PAGE)


@require_POST
@for_people
def approve(request: HttpRequest, viewer: Actor, proposal_id: UUID) -> HttpResponse:
    """Carry out what somebody else proposed."""

    def do(_values: dict[str, Any], at: datetime) -> None:
        approval_services.approve(proposal_id=proposal_id, by=viewer, at=at)

    return act(request, viewer, PAGE, Deed(do, _("Approved and carried out.")))


@require_POST
@for_people
def reject(request: HttpRequest, viewer: Actor, proposal_id: UUID) -> HttpResponse:
    """Say no to what somebody else proposed."""

    def do(values: dict[str, Any], at: datetime) -> None:
        approval_services.reject(proposal_id=proposal_id, by=viewer, at=at, **values)

    form = ReasonForm(request.POST)
    return act(request, viewer, PAGE, Deed(do, _("Rejected."), form))


@require_POST
@for_people
def withdraw(request: HttpRequest, viewer: Actor, proposal_id: UUID) -> HttpResponse:
    """Take one's own proposal back."""

    def do(_values: dict[str, Any], at: datetime) -> None:
        approval_services.withdraw(proposal_id=proposal_id, by=viewer, at=at)

    return act(request, viewer, PAGE, Deed(do, _("Withdrawn.")))
