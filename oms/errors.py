"""Who words a refusal that no view answers: the contracts under /api, the pages elsewhere."""

from django.http import HttpRequest, HttpResponse

from apps.api import problems as contracts
from apps.portal import problems as pages

CONTRACTS = ("/api/", "/alerts")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400, or 413 for a body too large."""
    if _is_contract(request):
        return contracts.bad_request(request, exception)
    return pages.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403."""
    if _is_contract(request):
        return contracts.permission_denied(request, exception)
    return pages.forbidden(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404."""
    if _is_contract(request):
        return contracts.page_not_found(request, exception)
    return pages.not_found(request, exception)


def failed(request: HttpRequest) -> HttpResponse:
    """Answer 500, or 503 where the database is away."""
    return (
        contracts.server_error(request) if _is_contract(request) else pages.failed(request)
    )


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a request without its CSRF token."""
    if _is_contract(request):
        return contracts.csrf_failure(request, reason)
    return pages.csrf_failed(request, reason)


def _is_contract(request: HttpRequest) -> bool:
    return request.path.startswith(CONTRACTS) or request.path == "/api"
