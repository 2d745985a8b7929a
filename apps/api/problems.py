"""Refusals: what went wrong, before and after it is worded, inside views and outside."""

import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views import csrf, defaults
from rest_framework import exceptions
from rest_framework.response import Response

from apps.core import errors

logger = logging.getLogger(__name__)

API = "/api/"
ASTRA = (
    "/api/v1/auth/token",
    "/api/v1/scanner",
    "/api/v1/agents",
    "/api/v1/twin",
    "/api/v1/health",
    "/api/v1/webhooks",
    "/api/v1/analytics/performance",
    "/api/v1/analytics/failures",
    "/api/v1/analytics/roi",
)
STATUS_OF_KIND: dict[type[errors.DomainError], int] = {
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Invalid: 400,
    errors.Unprocessable: 422,
    errors.Forbidden: 403,
    errors.Unavailable: 503,
    errors.Unauthenticated: 401,
    errors.TooMany: 429,
}
CODE_OF_STATUS = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "UNPROCESSABLE_ENTITY",
    429: "RATE_LIMIT_EXCEEDED",
    500: "INTERNAL_SERVER_ERROR",
    503: "SERVICE_UNAVAILABLE",
}
ASTRA_WORD = {
    "VALIDATION_ERROR": "INVALID_INPUT",
    "INTERNAL_SERVER_ERROR": "INTERNAL_ERROR",
}
RETRY_SECONDS = 5


@dataclass(frozen=True)
class Problem:
    """A refusal, before any contract has worded it."""

    status: int
    message: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    code: str = ""

    @property
    def word(self) -> str:
        """Return the printed code: the domain's own where it has one, else the status'."""
        return self.code or CODE_OF_STATUS.get(self.status, "VALIDATION_ERROR")


FAULT = Problem(500, "Internal server error")
AWAY = Problem(
    503, "Service temporarily unavailable", headers={"Retry-After": str(RETRY_SECONDS)}
)

MEANING: dict[type[BaseException], Problem] = {
    RequestDataTooBig: Problem(413, "The request is too large."),
    RecursionError: Problem(400, "The request is nested too deeply."),
    Http404: Problem(404, "Not found"),
    PermissionDenied: Problem(403, "You do not have permission to do this."),
    SuspiciousOperation: Problem(400, "The request is not valid."),
    OperationalError: AWAY,
    InterfaceError: AWAY,
}


def as_problem(exc: BaseException | None) -> Problem | None:
    """Return what the exception means to a caller, or None where it is our fault."""
    if isinstance(exc, errors.DomainError):
        return _of_domain(exc)
    if isinstance(exc, exceptions.APIException):
        return _of_framework(exc)
    return next((p for kind, p in MEANING.items() if isinstance(exc, kind)), None)


def answer_to(exc: BaseException | None) -> Problem:
    """Return the problem of an exception; what is our fault is logged and says nothing."""
    problem = as_problem(exc)
    if problem is None:
        logger.error("Unhandled fault", exc_info=exc)
        return FAULT
    if problem.status >= 500:
        logger.warning("Not available: %s", exc)
    return problem


def wording(problem: Problem, path: str, at: datetime) -> dict[str, Any]:
    """Return the one error body under `/api`, which every contract there can read."""
    astra = any(path == place or path.startswith(f"{place}/") for place in ASTRA)
    return {
        "success": False,
        "detail": problem.message,
        "error_code": ASTRA_WORD.get(problem.word, problem.word) if astra else problem.word,
        "error": {
            "code": problem.word,
            "message": problem.message,
            "details": dict(problem.fields),
            "timestamp": f"{at.astimezone(UTC).replace(tzinfo=None):%Y-%m-%dT%H:%M:%S}Z",
        },
    }


def handle(exc: Exception, context: Mapping[str, Any]) -> Response:
    """Word an exception of a view that speaks no contract of ours."""
    problem = answer_to(exc)
    body = wording(problem, context["request"].path, timezone.now())
    return Response(body, status=problem.status, headers=dict(problem.headers))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400 (413 for a body too large) outside a view."""
    problem = as_problem(exception) or MEANING[SuspiciousOperation]
    return _outside(request, problem, lambda: defaults.bad_request(request, exception))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403 outside a view."""
    problem = MEANING[PermissionDenied]
    return _outside(
        request, problem, lambda: defaults.permission_denied(request, exception)
    )


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404 outside a view."""
    problem = MEANING[Http404]
    return _outside(request, problem, lambda: defaults.page_not_found(request, exception))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 outside a view, or 503 where the database is away."""
    found = as_problem(sys.exc_info()[1])
    problem = found if found is not None and found.status == 503 else FAULT
    return _outside(request, problem, lambda: defaults.server_error(request))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a request without its CSRF token."""
    problem = Problem(403, "The CSRF token is missing or wrong.")
    return _outside(request, problem, lambda: csrf.csrf_failure(request, reason))


def _outside(
    request: HttpRequest, problem: Problem, page: Callable[[], HttpResponse]
) -> HttpResponse:
    if not request.path.startswith(API) and request.path != API.rstrip("/"):
        response = page()
        if problem.status == 503:
            response.status_code = 503
        return response
    body = wording(problem, request.path, timezone.now())
    return JsonResponse(body, status=problem.status, headers=dict(problem.headers))


def _of_domain(exc: errors.DomainError) -> Problem:
    status = next((s for kind, s in STATUS_OF_KIND.items() if isinstance(exc, kind)), 400)
    wait = getattr(exc, "retry_after", RETRY_SECONDS if status == 503 else None)
    return Problem(
        status,
        exc.message,
        exc.fields,
        {} if wait is None else {"Retry-After": str(wait)},
        exc.code if exc.code.isupper() else "",
    )


def _of_framework(exc: exceptions.APIException) -> Problem:
    if isinstance(exc, exceptions.ValidationError):
        return _of_validation(exc)
    wait = getattr(exc, "wait", None)
    headers = {} if wait is None else {"Retry-After": str(max(1, round(wait)))}
    if isinstance(exc, exceptions.Throttled):
        message = "Rate limit exceeded. Please try again later."
        return Problem(429, message, headers=headers)
    return Problem(exc.status_code, str(exc.detail), headers=headers)


def _of_validation(exc: exceptions.ValidationError) -> Problem:
    detail = exc.detail if isinstance(exc.detail, dict) else {"": exc.detail}
    name, first = next(iter(detail.items()), ("", "The request is not valid."))
    while isinstance(first, dict | list) and first:
        first = next(iter(first.values())) if isinstance(first, dict) else first[0]
    named = name not in ("", "non_field_errors")
    message = f"{name}: {first}" if named else str(first)
    fields = {"field": name, "fields": detail} if named else {"fields": detail}
    return Problem(400, message, fields)
