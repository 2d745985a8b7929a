"""Service accounts: the tokens machines call with; a secret is shown once."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import selectors as accounts
from apps.accounts import services as account_services
from apps.accounts.rules import Scope
from apps.approvals.services import Proposal
from apps.core.actor import Actor
from apps.core.errors import ConfirmationRequired, Conflict, DomainError
from apps.portal.pages import Deed, Look, Page, act, draw_page, for_people, look_of, show


class TokenForm(forms.Form):
    """A new token: what it is called, what it may do, how long it lives."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("May"),
        choices=[(word, word) for word in Scope.values],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.IntegerField(
        label=gettext_lazy("Valid for (days)"),
        required=False,
        min_value=1,
        max_value=3_650,
        help_text=gettext_lazy("Empty: until it is revoked."),
        widget=forms.NumberInput({"class": "form-control", "inputmode": "numeric"}),
    )


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the list of tokens prints."""
    return {"tokens": list(accounts.service_tokens()[:500]), "token_form": TokenForm()}


PAGE = Page(
    name="machines",
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
def issue(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Make a token, and show its secret this once."""
    form = TokenForm(request.POST)
    now = timezone.now().astimezone(UTC)
    if form.is_valid():
        try:
            return _shown_once(
                request, viewer, _issued(form.cleaned_data, viewer, now), 200
            )
        except ConfirmationRequired:
            raise
        except DomainError as refusal:
            form.add_error(None, refusal.message)
    return _shown_once(request, viewer, {"token_form": form}, 400)


@require_POST
@for_people
def rotate(request: HttpRequest, viewer: Actor, token_id: int) -> HttpResponse:
    """Make the follower of a token, and show its secret this once."""
    now = timezone.now().astimezone(UTC)
    try:
        row, secret = account_services.rotate_service_token(
            token_id=token_id, by=viewer, at=now
        )
    except Conflict as refusal:
        form = TokenForm({})
        form.errors.clear()
        form.add_error(None, refusal.message)
        return _shown_once(request, viewer, {"token_form": form}, 409)
    more = {"secret": secret, "secret_name": row.name}
    return _shown_once(request, viewer, more, 200)


def _shown_once(
    request: HttpRequest, viewer: Actor, more: dict[str, Any], status: int
) -> HttpResponse:
    context = PAGE.view(viewer, look_of(request, {})) | more
    answer = draw_page(request, PAGE, context, status)
    answer["Cache-Control"] = "no-store"
    return answer


def _issued(values: dict[str, Any], viewer: Actor, at: datetime) -> dict[str, Any]:
    days = values["days"]
    found, secret = account_services.ask_for_service_token(
        name=values["name"],
        scopes=values["scopes"],
        expires_at=at + timedelta(days=days) if days else None,
        by=viewer,
        at=at,
    )
    return {
        "secret": secret,
        "secret_name": values["name"],
        "secret_waits": isinstance(found, Proposal),
    }


@require_POST
@for_people
def revoke(request: HttpRequest, viewer: Actor, token_id: int) -> HttpResponse:
    """End a token."""

    def do(_values: dict[str, Any], at: datetime) -> None:
        account_services.revoke_service_token(token_id=token_id, by=viewer, at=at)

    return act(request, viewer, PAGE, Deed(do, _("The token is revoked.")))
