"""Pages for who is not signed in: register, prove an address, choose a new password."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template import loader
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.accounts import services as accounts
from apps.accounts.rules import Role
from apps.core.actor import Actor, ActorKind
from apps.core.errors import DomainError
from apps.portal.pages import status_of, theme_of

TEXT = {"class": "form-control"}
ROLES = [("", gettext_lazy("Customer")), *(r for r in Role.choices if r[0] != Role.USER)]


def _password(name: str) -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Password")
        if name == "password"
        else gettext_lazy("New password"),
        max_length=1_000,
        strip=False,
        widget=forms.PasswordInput({**TEXT, "autocomplete": "new-password"}),
    )


class RegisterForm(forms.Form):
    """Who becomes a user; a role is wished for."""

    full_name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=200,
        widget=forms.TextInput({**TEXT, "autocomplete": "name"}),
    )
    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        max_length=254,
        widget=forms.EmailInput({**TEXT, "autocomplete": "username"}),
    )
    password = _password("password")
    role = forms.ChoiceField(
        label=gettext_lazy("I work as"),
        required=False,
        choices=ROLES,
        help_text=gettext_lazy(
            "An administrator grants it; until then you are a customer."
        ),
        widget=forms.Select({"class": "form-select"}),
    )


class ForgottenForm(forms.Form):
    """Whose password was forgotten."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        max_length=254,
        widget=forms.EmailInput({**TEXT, "autocomplete": "username"}),
    )


class NewPasswordForm(forms.Form):
    """The next password."""

    token = forms.CharField(max_length=1_000, widget=forms.HiddenInput)
    new = _password("new")


class TokenForm(forms.Form):
    """The token of a link."""

    token = forms.CharField(max_length=1_000, widget=forms.HiddenInput)


@dataclass(frozen=True, slots=True)
class Step:
    """One of these pages: its form, what it does, and what is said when it is done."""

    title: str
    button: str
    form: type[forms.Form]
    do: Callable[[HttpRequest, dict[str, Any], datetime], object]
    done: str


def _register(request: HttpRequest, values: dict[str, Any], at: datetime) -> None:
    stranger = Actor(
        ActorKind.PERSON,
        values["email"].lower(),
        address=request.META.get("REMOTE_ADDR", ""),
        agent=request.headers.get("User-Agent", "")[:200],
    )
    applicant = accounts.Applicant(
        email=values["email"], full_name=values["full_name"], wished_role=values["role"]
    )
    accounts.register(
        applicant=applicant,
        password=values["password"],
        site=_site(request),
        by=stranger,
        at=at,
    )


def _forgotten(request: HttpRequest, values: dict[str, Any], at: datetime) -> None:
    accounts.ask_to_reset(email=values["email"], site=_site(request), at=at)


def _renew(_request: HttpRequest, values: dict[str, Any], at: datetime) -> None:
    accounts.reset_password(token=values["token"], password=values["new"], at=at)


def _prove(_request: HttpRequest, values: dict[str, Any], at: datetime) -> None:
    accounts.verify_email(token=values["token"], at=at)


def _site(request: HttpRequest) -> str:
    return request.build_absolute_uri("/").rstrip("/")


def _walk(request: HttpRequest, step: Step) -> HttpResponse:
    if request.method != "POST":
        return _draw(request, step, step.form(initial=request.GET.dict()))
    form = step.form(request.POST)
    if not form.is_valid():
        return _draw(request, step, form, 400)
    try:
        step.do(request, form.cleaned_data, timezone.now().astimezone(UTC))
    except DomainError as refusal:
        field = refusal.fields.get("field")
        visible = [one.name for one in form.visible_fields()]
        form.add_error(field if field in visible else None, refusal.message)
        return _draw(request, step, form, status_of(refusal))
    messages.success(request, step.done)
    return redirect("portal:sign-in")


def _draw(
    request: HttpRequest, step: Step, form: forms.Form, status: int = 200
) -> HttpResponse:
    context = {"step": step, "form": form, "theme": theme_of(request)}
    drawn = loader.get_template("portal/joining.html").render(context, request)
    return HttpResponse(drawn, status=status)


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Become a user."""
    done = _("You may sign in. A message asks you to confirm your address.")
    return _walk(request, Step(_("Register"), _("Register"), RegisterForm, _register, done))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Ask for a link to choose a new password."""
    done = _("If the address is known, a message is on its way.")
    step = Step(_("Forgotten password"), _("Send a link"), ForgottenForm, _forgotten, done)
    return _walk(request, step)


@never_cache
@sensitive_post_parameters("new")
@require_http_methods(["GET", "HEAD", "POST"])
def new_password(request: HttpRequest) -> HttpResponse:
    """Choose a new password by the link of a message."""
    done = _("Your password is changed. Sign in with the new one.")
    step = Step(_("New password"), _("Change password"), NewPasswordForm, _renew, done)
    return _walk(request, step)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def verify_email(request: HttpRequest) -> HttpResponse:
    """Prove an address by the link of a message; a click more than the link, no scanner's."""
    done = _("Your address is confirmed.")
    step = Step(_("Confirm your address"), _("Confirm"), TokenForm, _prove, done)
    return _walk(request, step)
