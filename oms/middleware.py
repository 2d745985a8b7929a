"""What every request passes: its id, its actor, and a looser policy for three foreign pages."""

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.decorators import sync_and_async_middleware
from django.utils.functional import SimpleLazyObject

from apps.accounts.selectors import actor_of_user, confirmed_in
from apps.api.callers import origin_of, settle_request_id
from apps.api.limits import RateClass, count, headers_of
from apps.core.actor import Actor
from apps.core.errors import ConfirmationRequired
from apps.portal.pages import actor_of
from apps.portal.second import ask_to_confirm

POLICY: dict[str, dict[str, list[str]]] = {
    "/docs": {"script-src": ["'self'"], "style-src": ["'self'", "'unsafe-inline'"]},
    "/redoc": {"script-src": ["'self'"], "style-src": ["'self'", "'unsafe-inline'"]},
    "/admin/": {
        "script-src": ["'self'", "'unsafe-inline'", "'unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],
    },
}


@sync_and_async_middleware
def request_id(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Give every request its id, and say it in the answer."""

    def after(found: str, response: HttpResponseBase) -> HttpResponseBase:
        response["X-Request-ID"] = found
        return response

    if iscoroutinefunction(get_response):

        async def passing(request: HttpRequest) -> HttpResponseBase:
            found = settle_request_id(request)
            return after(found, await get_response(request))

        return passing

    def passing_sync(request: HttpRequest) -> HttpResponseBase:
        found = settle_request_id(request)
        return after(found, get_response(request))

    return passing_sync


@sync_and_async_middleware
def actor(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Put `request.actor` (None for a stranger) and `request.at` where pages and admin look."""

    def before(request: HttpRequest) -> None:
        request.actor = SimpleLazyObject(lambda: _actor(request))  # type: ignore[attr-defined]
        request.at = timezone.now()  # type: ignore[attr-defined]

    if iscoroutinefunction(get_response):

        async def passing(request: HttpRequest) -> HttpResponseBase:
            before(request)
            response: HttpResponseBase = await get_response(request)
            return response

        return passing

    def passing_sync(request: HttpRequest) -> HttpResponseBase:
        before(request)
        response: HttpResponseBase = get_response(request)
        return response

    return passing_sync


@sync_and_async_middleware
def relaxed_policy(
    get_response: Callable[[HttpRequest], Any],
) -> Callable[[HttpRequest], Any]:
    """Let Swagger, ReDoc and the Django admin do what our own pages may not."""

    def after(request: HttpRequest, response: Any) -> HttpResponseBase:
        for place, policy in POLICY.items():
            if request.path == place or (
                place.endswith("/") and request.path.startswith(place)
            ):
                response._csp_replace = policy
        found: HttpResponseBase = response
        return found

    if iscoroutinefunction(get_response):

        async def passing(request: HttpRequest) -> HttpResponseBase:
            return after(request, await get_response(request))

        return passing

    def passing_sync(request: HttpRequest) -> HttpResponseBase:
        return after(request, get_response(request))

    return passing_sync


def _actor(request: HttpRequest) -> Actor | None:
    user: Any = request.user
    if not user.is_authenticated:
        return None
    confirmed_at = confirmed_in(request.session)
    return actor_of_user(
        user, **origin_of(request), confirmed_at=confirmed_at, must_confirm=True
    )


class Confirmation:
    """Ask who acts to show that it is them, where an act of consequence wants that."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """Answer with the question; None for everything else."""
        if not isinstance(exception, ConfirmationRequired):
            return None
        return ask_to_confirm(request, actor_of(request))


def rate_limits(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Say on every answer under `/api` what is left of the caller's limit."""

    def passing(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not request.path.startswith("/api"):
            return response
        if hasattr(request, "allowance"):
            allowance = request.allowance
        else:
            address, now = origin_of(request)["address"], timezone.now().timestamp()
            allowance = count(None, address, RateClass.ANONYMOUS, at=now)
        for name, text in headers_of(allowance).items():
            response[name] = text
        return response

    return passing
