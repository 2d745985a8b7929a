"""The second step of a sign-in, and the proof again before acts of consequence."""

from datetime import UTC
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template import loader
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.accounts import selectors
from apps.accounts import services as accounts
from apps.accounts.selectors import CONFIRMED
from apps.core.actor import Actor
from apps.core.errors import DomainError, TooMany
from apps.portal.pages import actor_of, is_fragment, theme_of
from apps.portal.session import SECOND, enter, origin_of

OURS = ("csrfmiddlewaretoken", "proof", "confirm_to", "confirm_method")


class CodeForm(forms.Form):
    """A code of the second factor."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=20,
        help_text=gettext_lazy("Six digits of your device, or a recovery code."),
        widget=forms.TextInput(
            {
                "class": "form-control",
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "autofocus": True,
            }
        ),
    )


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Ask for the code; open a session where it is right."""
    waiting = request.session.get(SECOND)
    now = timezone.now().astimezone(UTC)
    if waiting is None or waiting["until"] < now.timestamp():
        request.session.pop(SECOND, None)
        return redirect("portal:sign-in")
    if request.method != "POST":
        return _draw(request, "portal/code.html", {"form": CodeForm()})
    form = CodeForm(request.POST)
    if not form.is_valid():
        return _draw(request, "portal/code.html", {"form": form}, 400)
    try:
        user = accounts.verify_code(
            user_id=UUID(waiting["user"]),
            code=form.cleaned_data["code"],
            origin=origin_of(request),
            at=now,
        )
    except DomainError as refusal:
        form.add_error("code", _why(refusal, _("This code is not valid.")))
        return _draw(request, "portal/code.html", {"form": form}, _status(refusal))
    return enter(request, user, waiting["next"], now)


class ProofForm(forms.Form):
    """The password, or a code where there is a second factor."""

    proof = forms.CharField(
        max_length=1_000,
        strip=False,
        widget=forms.PasswordInput({"class": "form-control", "autofocus": True}),
    )


def ask_to_confirm(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Ask who acts to show that it is them; what they sent is sent again afterwards."""
    if is_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": reverse("portal:confirm")})
    sent = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name not in OURS
    ]
    return _confirm_form(request, viewer, ProofForm(), request.get_full_path(), sent, 200)


@never_cache
@sensitive_post_parameters("proof")
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """Take the proof, then send what was asked for again."""
    if not request.user.is_authenticated:
        return redirect("portal:sign-in")
    viewer, target = actor_of(request), _target(request)
    if request.method != "POST":
        return _confirm_form(request, viewer, ProofForm(), target, [], 200)
    form = ProofForm(request.POST)
    sent = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name not in OURS
    ]
    if not form.is_valid():
        return _confirm_form(request, viewer, form, target, sent, 400)
    now = timezone.now().astimezone(UTC)
    try:
        accounts.prove_again(proof=form.cleaned_data["proof"], by=viewer, at=now)
    except DomainError as refusal:
        form.add_error("proof", _why(refusal, _("This is not right.")))
        return _confirm_form(request, viewer, form, target, sent, _status(refusal))
    request.session[CONFIRMED] = now.timestamp()
    answer = HttpResponse(status=307 if _was_sent(request) else 302)
    answer["Location"] = target
    return answer


def _was_sent(request: HttpRequest) -> bool:
    return request.POST.get("confirm_method") == "post"


def _target(request: HttpRequest) -> str:
    wish = request.POST.get("confirm_to") or request.GET.get("next") or ""
    fits = url_has_allowed_host_and_scheme(
        wish, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wish if fits else reverse("portal:profile")


def _confirm_form(
    request: HttpRequest,
    viewer: Actor,
    form: ProofForm,
    target: str,
    sent: list[tuple[str, Any]],
    status: int,
) -> HttpResponse:
    with_code = selectors.factor_of(viewer)
    by_code = with_code is not None and with_code.is_on
    field = form.fields["proof"]
    field.label = _("Code of your device") if by_code else _("Password")
    field.widget.attrs["autocomplete"] = "one-time-code" if by_code else "current-password"
    was_sent = request.path != reverse("portal:confirm") or _was_sent(request)
    context = {"form": form, "target": target, "sent": sent, "was_sent": was_sent}
    return _draw(request, "portal/confirm.html", context, status)


def _draw(
    request: HttpRequest, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    told = {**context, "theme": theme_of(request)}
    answer = HttpResponse(
        loader.get_template(template).render(told, request), status=status
    )
    answer["Cache-Control"] = "no-store"
    return answer


def _why(refusal: DomainError, wrong: str) -> str:
    if isinstance(refusal, TooMany):
        return _("Too many attempts. Wait a few minutes and try again.")
    return wrong


def _status(refusal: DomainError) -> int:
    return 429 if isinstance(refusal, TooMany) else 401
