"""What every page shares: who looks, what is looked at, how it is drawn and how it acts.

A page is drawn from parts. The whole page holds them inline; a live update, a poll and the
answer to an htmx form send the same parts again, each swapped in by its id.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.template import loader
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts import selectors as accounts
from apps.accounts.rules import Role
from apps.core.actor import Actor
from apps.core.errors import (
    ConfirmationRequired,
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    NotFound,
    TooMany,
    Unavailable,
    Unprocessable,
)

P = ParamSpec("P")

STATUS_OF: Mapping[type[DomainError], int] = {
    NotFound: 404,
    Conflict: 409,
    Invalid: 400,
    Unprocessable: 422,
    Forbidden: 403,
    Unavailable: 503,
    TooMany: 429,
}
THEMES = ("dark", "light", "system")


@dataclass(frozen=True, slots=True)
class Look:
    """What somebody looks at: the arguments of the path and the query, at a moment."""

    arguments: Mapping[str, Any]
    query: QueryDict
    at: datetime


Composer = Callable[[Actor, Look], dict[str, Any]]


def _always(topic: str) -> Callable[[Mapping[str, Any]], frozenset[str]]:
    return lambda _arguments: frozenset({topic})


@dataclass(frozen=True, slots=True)
class Page:
    """One page: `portal/<name>.html`, its live parts, and what it is composed of.

    `topics` names the hints that make it look again; `every` is how many seconds it may go
    without looking.
    """

    name: str
    permission: str | tuple[str, ...]
    parts: tuple[str, ...]
    compose: Composer
    topics: Callable[[Mapping[str, Any]], frozenset[str]] = field(
        default=_always("outages")
    )
    every: float = 30.0

    @property
    def template(self) -> str:
        """Return the template of the page."""
        return f"portal/{self.name}.html"

    def is_open_to(self, actor: Actor) -> bool:
        """Return whether the actor may look: any one of several permissions is enough.

        A page without a permission is open to everybody who is signed in.
        """
        if not self.permission:
            return True
        needed = (self.permission,) if isinstance(self.permission, str) else self.permission
        return any(actor.may(one) for one in needed)

    def view(self, actor: Actor, look: Look) -> dict[str, Any]:
        """Return the template context; raise Forbidden where the actor may not look."""
        if not self.is_open_to(actor):
            raise Forbidden("Your role does not include this page.")
        return {**self.compose(actor, look), "actor": actor, "look": look, "at": look.at}

    def draw_parts(self, actor: Actor, look: Look) -> dict[str, str]:
        """Return the live parts as HTML to be swapped in by id."""
        context = {**self.view(actor, look), "oob": True}
        return {part: self.draw(part, context) for part in self.parts}

    def draw(self, part: str, context: dict[str, Any]) -> str:
        """Return one part of the page as HTML."""
        return loader.get_template(f"{self.template}#{part}").render(context)


def actor_of(request: HttpRequest) -> Actor:
    """Return the signed-in person as an Actor."""
    found: Actor | None = getattr(request, "oms_actor", None)
    if found is None:
        found = accounts.actor_of_user(
            request.user,  # type: ignore[arg-type]
            address=request.META.get("REMOTE_ADDR", ""),
            agent=request.headers.get("User-Agent", "")[:200],
            request_id=request.headers.get("X-Request-ID", "")[:64],
            confirmed_at=accounts.confirmed_in(request.session),
            must_confirm=True,
        )
        request.oms_actor = found  # type: ignore[attr-defined]
    return found


def is_fragment(request: HttpRequest) -> bool:
    """Return whether htmx asks for fragments and not for a whole page."""
    return (
        request.headers.get("HX-Request") == "true" and "HX-Boosted" not in request.headers
    )


def for_people(
    view: Callable[Concatenate[HttpRequest, Actor, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Let only signed-in people in, hand the view its Actor, and draw refusals.

    Who has to show again that it is them is asked by `oms.middleware.Confirmation`.
    """

    @wraps(view)
    def guarded(
        request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        actor = actor_of(request)
        try:
            return view(request, actor, *args, **kwargs)
        except ConfirmationRequired:
            raise
        except DomainError as refusal:
            if isinstance(refusal, Forbidden) and must_enrol(actor):
                return _to_enrol(request)
            return refuse(request, actor, refusal)

    return guarded


def must_enrol(actor: Actor) -> bool:
    """Return whether the person may do nothing before they have a second factor."""
    return actor.role != Role.USER and not actor.permissions


def _to_enrol(request: HttpRequest) -> HttpResponse:
    messages.warning(request, _("Set up your second factor first: your role asks for it."))
    return HttpResponseRedirect(reverse("portal:profile"))


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    if is_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": reverse("portal:sign-in")})
    return redirect_to_login(request.get_full_path())


def look_of(request: HttpRequest, arguments: Mapping[str, Any]) -> Look:
    """Return what this request looks at, now."""
    return Look(arguments, request.GET, timezone.now().astimezone(UTC))


def show(request: HttpRequest, actor: Actor, page: Page, **arguments: Any) -> HttpResponse:
    """Answer with the whole page, or with its parts where htmx asks."""
    look = look_of(request, arguments)
    if is_fragment(request):
        return HttpResponse("".join(page.draw_parts(actor, look).values()))
    return draw_page(request, page, page.view(actor, look))


def draw_page(
    request: HttpRequest, page: Page, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Answer with the whole page."""
    arguments = context["look"].arguments
    query = context["look"].query.urlencode()
    # A page of which nothing changes by itself opens no socket.
    live = reverse(f"portal:{page.name}-live", kwargs=dict(arguments)) if page.parts else ""
    whole = {
        **context,
        "page": page.name,
        "live_url": f"{live}?{query}" if live and query else live,
        "theme": theme_of(request),
        "zone": getattr(request.user, "time_zone", ""),
    }
    return HttpResponse(
        loader.get_template(page.template).render(whole, request), status=status
    )


def theme_of(request: HttpRequest) -> str:
    """Return the theme that this browser asked for; a control room is dark unless told."""
    wish = request.COOKIES.get("theme", "")
    return wish if wish in THEMES else "dark"


@dataclass(frozen=True, slots=True)
class Deed:
    """Something a person asks for on a page: the form they sent and the service it calls.

    `part` is the partial that holds the form and `name` the form's name in the context; both
    are empty for a bare button. `done` may depend on what the service returned.
    """

    do: Callable[[dict[str, Any], datetime], object]
    done: str | Callable[[Any], str]
    form: Form | None = None
    name: str = ""
    part: str = ""


def act(
    request: HttpRequest, actor: Actor, page: Page, deed: Deed, **arguments: Any
) -> HttpResponse:
    """Carry out a deed and show the page again; what was wrong stands beside its field."""
    if deed.form is not None and not deed.form.is_valid():
        return _again(request, actor, page, deed, arguments, 400)
    values = deed.form.cleaned_data if deed.form is not None else {}
    try:
        found = deed.do(values, timezone.now().astimezone(UTC))
    except DomainError as refusal:
        if deed.form is None or isinstance(refusal, ConfirmationRequired):
            raise
        explain(deed.form, refusal)
        return _again(request, actor, page, deed, arguments, status_of(refusal))
    messages.success(request, deed.done if isinstance(deed.done, str) else deed.done(found))
    if not is_fragment(request):
        return HttpResponseRedirect(reverse(f"portal:{page.name}", kwargs=arguments))
    return _again(request, actor, page, deed, arguments, 200)


def _again(
    request: HttpRequest,
    actor: Actor,
    page: Page,
    deed: Deed,
    arguments: Mapping[str, Any],
    status: int,
) -> HttpResponse:
    context = page.view(actor, Look(arguments, QueryDict(), timezone.now().astimezone(UTC)))
    if deed.name and status != 200:
        context[deed.name] = deed.form
    if not is_fragment(request):
        return draw_page(request, page, context, status)
    context["oob"] = True
    drawn = [page.draw(part, context) for part in page.parts]
    if deed.part:
        form = loader.get_template(f"{page.template}#{deed.part}").render(context, request)
        drawn.append(form)
    drawn.append(draw_messages(request))
    return HttpResponse("".join(drawn), status=status, headers={"HX-Reswap": "none"})


def explain(form: Form, refusal: DomainError) -> None:
    """Put what a refusal says beside the field that it names, or above the form."""
    named = {name: why for name, why in refusal.fields.items() if name in form.fields}
    if (field := refusal.fields.get("field")) in form.fields:
        named = {str(field): refusal.message}
    for name, why in named.items():
        form.add_error(name, str(why))
    if not named:
        form.add_error(None, refusal.message)


def draw_messages(request: HttpRequest) -> str:
    """Return the waiting messages as a fragment that is added to the page."""
    return loader.get_template("components/messages.html").render({"oob": True}, request)


def status_of(refusal: DomainError) -> int:
    """Return the HTTP status of a refusal."""
    kinds = (STATUS_OF[kind] for kind in type(refusal).__mro__ if kind in STATUS_OF)
    return next(kinds, 400)


def refuse(request: HttpRequest, actor: Actor | None, refusal: DomainError) -> HttpResponse:
    """Answer with a calm message: a fragment for htmx, a page otherwise."""
    status = status_of(refusal)
    if is_fragment(request):
        messages.error(request, refusal.message)
        return HttpResponse(
            draw_messages(request), status=status, headers={"HX-Reswap": "none"}
        )
    return draw_problem(request, status, refusal.message, actor)


def draw_problem(
    request: HttpRequest, status: int, message: str, actor: Actor | None = None
) -> HttpResponse:
    """Answer with the page that says what went wrong, inside the frame for who is signed in.

    After a fault of our own the frame stays away: it reads the database.
    """
    context = {
        "framed": actor is not None and status < 500,
        "status": status,
        "message": message,
        "theme": theme_of(request),
        "actor": actor,
        "at": timezone.now().astimezone(UTC),
    }
    drawn = loader.get_template("portal/problem.html").render(context, request)
    return HttpResponse(drawn, status=status)
