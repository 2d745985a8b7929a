"""The own profile: name and time zone, password, open sessions."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import selectors as accounts
from apps.accounts import services as account_services
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.portal.pages import Deed, Look, Page, act, for_people, show

ZONES = [("", "UTC"), *((name, name) for name in sorted(available_timezones()))]
SECRET = {"class": "form-control"}


class ProfileForm(forms.Form):
    """What people change of themselves."""

    full_name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        widget=forms.TextInput({"class": "form-control", "autocomplete": "name"}),
    )
    phone = forms.CharField(
        label=gettext_lazy("Phone"),
        required=False,
        max_length=40,
        widget=forms.TextInput({"class": "form-control", "autocomplete": "tel"}),
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        required=False,
        choices=ZONES,
        widget=forms.Select({"class": "form-select"}),
    )


class PasswordForm(forms.Form):
    """The password so far, and the next one."""

    prefix = "password"
    current = forms.CharField(
        label=gettext_lazy("Current password"),
        max_length=1_000,
        strip=False,
        widget=forms.PasswordInput({**SECRET, "autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label=gettext_lazy("New password"),
        max_length=1_000,
        strip=False,
        widget=forms.PasswordInput({**SECRET, "autocomplete": "new-password"}),
    )


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the own profile prints."""
    found = accounts.users().filter(pk=viewer.user_id or UUID(int=0)).first()
    if found is None:
        raise NotFound("There is no profile.")
    initial = {name: getattr(found, name) for name in ("full_name", "phone", "time_zone")}
    return {
        "person": found,
        "profile_form": ProfileForm(initial=initial),
        "password_form": PasswordForm(),
        "sessions": list(accounts.sessions_of(viewer)[:50]),
    }


PAGE = Page(
    name="profile",
    permission="",
    parts=("sessions",),
    compose=compose,
    topics=lambda _arguments: frozenset({"people"}),
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Show the profile."""
    return show(request, viewer, PAGE)


@require_POST
@for_people
def change(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Change name, phone or time zone."""

    def do(values: dict[str, Any], at: datetime) -> None:
        account_services.update_profile(changes=values, by=viewer, at=at)

    form = ProfileForm(request.POST)
    deed = Deed(do, _("Your profile is changed."), form, "profile_form", "profile-form")
    return act(request, viewer, PAGE, deed)


@sensitive_post_parameters("password-current", "password-new")
@require_POST
@for_people
def password(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Change the password; every other session ends."""

    def do(values: dict[str, Any], at: datetime) -> None:
        user = account_services.change_password(**values, by=viewer, at=at)
        update_session_auth_hash(request, user)

    form = PasswordForm(request.POST)
    done = _("Your password is changed. Your other sessions have ended.")
    deed = Deed(do, done, form, "password_form", "password-form")
    return act(request, viewer, PAGE, deed)


@require_POST
@for_people
def end(request: HttpRequest, viewer: Actor, session_id: UUID) -> HttpResponse:
    """End one session of an API client."""

    def do(_values: dict[str, Any], at: datetime) -> None:
        account_services.end_session(session_id=session_id, by=viewer, at=at)

    return act(request, viewer, PAGE, Deed(do, _("The session has ended.")))
