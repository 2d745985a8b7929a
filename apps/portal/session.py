"""Sign-in, sign-out and the theme: what belongs to the browser, not to the operation."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.template import loader
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts import services as accounts
from apps.accounts.selectors import CONFIRMED
from apps.audit import services as audit
from apps.core.errors import DomainError, TooMany
from apps.portal.pages import THEMES, actor_of, theme_of

YEAR = 365 * 24 * 3600
MONTH = 30 * 24 * 3600
DEVICE = "device"
SECOND = "second_step"
SECOND_WITHIN = timedelta(minutes=5)


class SignInForm(forms.Form):
    """An e-mail address and a password."""

    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput(
            {"class": "form-control", "autocomplete": "username", "autofocus": True}
        ),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(
            {"class": "form-control", "autocomplete": "current-password"}
        ),
    )


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the form; open a session where the password is right."""
    target = safe_target(request)
    if request.method != "POST":
        if request.user.is_authenticated:
            return redirect(target)
        return _form(request, SignInForm(), target)
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _form(request, form, target, 400)
    origin = origin_of(request)
    now = timezone.now().astimezone(UTC)
    try:
        user = accounts.verify_credentials(
            email=form.cleaned_data["email"],
            password=form.cleaned_data["password"],
            origin=origin,
            at=now,
        )
    except accounts.FactorWanted as wanted:
        request.session[SECOND] = {
            "user": str(wanted.user.pk),
            "until": (now + SECOND_WITHIN).timestamp(),
            "next": target,
        }
        return redirect("portal:sign-in-code")
    except DomainError as refusal:
        return _refused(request, form, target, refusal)
    return enter(request, user, target, now)


def _refused(
    request: HttpRequest, form: SignInForm, target: str, refusal: DomainError
) -> HttpResponse:
    if isinstance(refusal, TooMany):
        form.add_error(None, _("Too many attempts. Wait a few minutes and try again."))
        answer = _form(request, form, target, 429)
        answer["Retry-After"] = str(refusal.retry_after)
        return answer
    form.add_error(None, _("This e-mail and password do not belong together."))
    return _form(request, form, target, 401)


def origin_of(request: HttpRequest) -> accounts.Origin:
    """Return where somebody signs in from."""
    return accounts.Origin(
        address=request.META.get("REMOTE_ADDR", ""),
        agent=request.headers.get("User-Agent", "")[:200],
        request_id=request.headers.get("X-Request-ID", "")[:64],
        device=request.COOKIES.get(DEVICE, ""),
    )


def enter(request: HttpRequest, user: Any, target: str, at: datetime) -> HttpResponse:
    """Open a session for somebody who has shown who they are."""
    request.session.pop(SECOND, None)
    auth.login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    request.session[CONFIRMED] = at.timestamp()
    return _known(redirect(target), user.email)


def _known(answer: HttpResponse, email: str) -> HttpResponse:
    """Let the browser be recognised: strangers' attempts then never lock its owner out."""
    answer.set_cookie(
        DEVICE,
        accounts.device_of(email=email),
        max_age=MONTH,
        samesite="Lax",
        secure=settings.HTTPS,
        httponly=True,
    )
    return answer


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; its open live pages close within seconds."""
    if request.user.is_authenticated:
        actor, now = actor_of(request), timezone.now().astimezone(UTC)
        audit.record(
            by=actor, action="logout", resource="user", resource_id=actor.user_id, at=now
        )
    auth.logout(request)
    return redirect(settings.LOGOUT_REDIRECT_URL)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember the theme in this browser."""
    answer = redirect(safe_target(request))
    wish = request.POST.get("theme", "")
    if wish in THEMES:
        answer.set_cookie(
            "theme",
            wish,
            max_age=YEAR,
            samesite="Lax",
            secure=settings.HTTPS,
            httponly=True,
        )
    return answer


def safe_target(request: HttpRequest) -> str:
    """Return where to go next: an address of ours, or the first page."""
    wish = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(
        wish, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wish
    return resolve_url(settings.LOGIN_REDIRECT_URL)


def _form(
    request: HttpRequest, form: SignInForm, target: str, status: int = 200
) -> HttpResponse:
    context = {"form": form, "next": target, "theme": theme_of(request)}
    drawn = loader.get_template("portal/sign_in.html").render(context, request)
    return HttpResponse(drawn, status=status)
