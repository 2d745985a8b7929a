"""The own profile: name and time zone, password, open sessions."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

import segno
from django import forms
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import selectors as accounts
from apps.accounts import services as account_services
from apps.core.actor import Actor
from apps.core.errors import DomainError, NotFound
from apps.portal.pages import (
    Deed,
    Look,
    Page,
    act,
    draw_page,
    for_people,
    look_of,
    show,
)

ZONES = format_html_join(
    "", '<option value="{}"></option>', ((name,) for name in sorted(available_timezones()))
)
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
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        required=False,
        max_length=60,
        help_text=gettext_lazy("As Europe/Berlin; empty is UTC."),
        widget=forms.TextInput(
            {"class": "form-control", "list": "zones", "autocomplete": "off"}
        ),
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


class CodeForm(forms.Form):
    """A code that one's device shows, or a recovery code."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=20,
        widget=forms.TextInput({**SECRET, "autocomplete": "one-time-code"}),
    )


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the own profile prints."""
    found = accounts.users().filter(pk=viewer.user_id or UUID(int=0)).first()
    if found is None:
        raise NotFound("There is no profile.")
    factor = accounts.factor_of(viewer)
    initial = {name: getattr(found, name) for name in ("full_name", "phone", "time_zone")}
    return {
        "person": found,
        "zones": ZONES,
        "profile_form": ProfileForm(initial=initial),
        "password_form": PasswordForm(),
        "factor": factor,
        "factor_qr": _qr(factor.uri) if factor is not None and factor.uri else "",
        "code_form": CodeForm(),
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
def begin_factor(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Make a key for one's device."""

    def do(_values: dict[str, Any], at: datetime) -> None:
        account_services.begin_factor(by=viewer, at=at)

    done = _("Read the code with your device, then type what it shows.")
    return act(request, viewer, PAGE, Deed(do, done))


@sensitive_post_parameters("code")
@require_POST
@for_people
def confirm_factor(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Take the second factor into use; show the recovery codes this once."""
    form, codes, status = CodeForm(request.POST), list[str](), 400
    if form.is_valid():
        try:
            codes = account_services.confirm_factor(
                **form.cleaned_data, by=viewer, at=timezone.now().astimezone(UTC)
            )
            status = 200
        except DomainError as refusal:
            form.add_error("code", refusal.message)
    context = PAGE.view(viewer, look_of(request, {})) | {"recovery_codes": codes}
    if not codes:
        context["code_form"] = form
    answer = draw_page(request, PAGE, context, status)
    answer["Cache-Control"] = "no-store"
    return answer


@sensitive_post_parameters("code")
@require_POST
@for_people
def remove_factor(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Give one's second factor up."""

    def do(values: dict[str, Any], at: datetime) -> None:
        account_services.remove_factor(**values, by=viewer, at=at)

    deed = Deed(do, _("Your second factor is gone."), CodeForm(request.POST), "code_form")
    return act(request, viewer, PAGE, deed)


def _qr(uri: str) -> SafeString:
    """Return the address as an image that devices read."""
    drawn = segno.make(uri, micro=False).svg_inline(scale=4, border=2, omitsize=False)
    return mark_safe(drawn)  # noqa: S308 - drawn here, of an address with nothing typed in it


@require_POST
@for_people
def end(request: HttpRequest, viewer: Actor, session_id: UUID) -> HttpResponse:
    """End one session of an API client."""

    def do(_values: dict[str, Any], at: datetime) -> None:
        account_services.end_session(session_id=session_id, by=viewer, at=at)

    return act(request, viewer, PAGE, Deed(do, _("The session has ended.")))
