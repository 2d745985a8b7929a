"""People and their roles: who is there, who wishes for another role, who is kept out."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import selectors as accounts
from apps.accounts import services as account_services
from apps.accounts.rules import Role
from apps.approvals.services import Proposal
from apps.core.actor import Actor
from apps.portal.lines import paged
from apps.portal.pages import Deed, Look, Page, act, for_people, show

SIZE = 50
STATES = (
    ("", gettext_lazy("Everybody")),
    ("waiting", gettext_lazy("Wishing for a role")),
    ("active", gettext_lazy("Let in")),
    ("inactive", gettext_lazy("Kept out")),
)


class PeopleFilter(forms.Form):
    """Which people are wanted."""

    search = forms.CharField(
        label=gettext_lazy("Search"),
        required=False,
        max_length=200,
        widget=forms.TextInput(
            {
                "class": "form-control",
                "box": "grow",
                "data-search": True,
                "placeholder": gettext_lazy("E-mail or name"),
            }
        ),
    )
    role = forms.ChoiceField(
        label=gettext_lazy("Role"),
        required=False,
        choices=[("", gettext_lazy("Any")), *Role.choices],
        widget=forms.Select({"class": "form-select"}),
    )
    status = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=STATES,
        widget=forms.Select({"class": "form-select"}),
    )


class RoleForm(forms.Form):
    """The role that somebody is to have."""

    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role.choices)


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the list of people prints."""
    filters = PeopleFilter(look.query)
    asked = filters.cleaned_data if filters.is_valid() else {}
    rows = accounts.people(viewer=viewer, **asked)
    found, pager = paged(rows, look.query.get("page", ""), SIZE)
    return {
        "filters": filters,
        "filtered": any(asked.values()),
        "people": found,
        "pager": pager,
        "roles": Role.choices,
        "waiting": accounts.people(viewer=viewer, status="waiting").count(),
        "self_id": viewer.user_id,
    }


PAGE = Page(
    name="people",
    permission="accounts.manage_users",
    parts=("list",),
    compose=compose,
    topics=lambda _arguments: frozenset({"people"}),
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Show the list."""
    return show(request, viewer, PAGE)


@require_POST
@for_people
def role(request: HttpRequest, viewer: Actor, user_id: UUID) -> HttpResponse:
    """Give somebody a role."""

    def do(values: dict[str, Any], at: datetime) -> object:
        return account_services.change_role(
            user_id=user_id, role=values["role"], by=viewer, at=at
        )

    def done(found: object) -> str:
        if isinstance(found, Proposal):
            return _("Proposed. It takes effect once somebody else agrees.")
        return _("The role is changed.")

    form = RoleForm(request.POST)
    return act(request, viewer, PAGE, Deed(do, done, form))


@require_POST
@for_people
def refuse(request: HttpRequest, viewer: Actor, user_id: UUID) -> HttpResponse:
    """Say no to a wished role."""

    def do(_values: dict[str, Any], at: datetime) -> None:
        account_services.refuse_role(user_id=user_id, by=viewer, at=at)

    return act(request, viewer, PAGE, Deed(do, _("The wish is refused.")))


@require_POST
@for_people
def factor(request: HttpRequest, viewer: Actor, user_id: UUID) -> HttpResponse:
    """Take the second factor of somebody who lost it."""

    def do(_values: dict[str, Any], at: datetime) -> None:
        account_services.reset_factor(user_id=user_id, by=viewer, at=at)

    done = _("Their second factor is gone; they sign in with the password alone.")
    return act(request, viewer, PAGE, Deed(do, done))


@require_POST
@for_people
def entry(request: HttpRequest, viewer: Actor, user_id: UUID) -> HttpResponse:
    """Let somebody in, or keep them out."""
    active = request.POST.get("active") == "yes"

    def do(_values: dict[str, Any], at: datetime) -> None:
        account_services.set_active(user_id=user_id, active=active, by=viewer, at=at)

    done = _("They may sign in again.") if active else _("They are kept out.")
    return act(request, viewer, PAGE, Deed(do, done))
