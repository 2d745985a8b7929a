"""What a browser sees where nothing else answers: 400, 403, 404, 500."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from apps.core.actor import Actor
from apps.portal.pages import actor_of, draw_problem


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what could not be read."""
    return draw_problem(
        request, 400, _("The portal could not read this request."), _who(request)
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what may not be."""
    return draw_problem(request, 403, _("This is not open to you."), _who(request))


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose secret is missing or too old."""
    return draw_problem(
        request, 403, _("This form is too old. Load the page again and send it once more.")
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that leads nowhere."""
    return draw_problem(request, 404, _("There is nothing at this address."), _who(request))


def failed(request: HttpRequest) -> HttpResponse:
    """Answer after a fault of our own."""
    return draw_problem(request, 500, _("Something went wrong on our side."))


def _who(request: HttpRequest) -> Actor | None:
    user = getattr(request, "user", None)
    return actor_of(request) if user is not None and user.is_authenticated else None
