"""The OpenAPI document: the errors, the idempotency key and the tokens of every operation."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

WITH_BODY = {"POST", "PUT", "PATCH"}
MEANING = {
    "400": "The request is not valid.",
    "401": "Nobody knows who asks.",
    "403": "The caller may not do this.",
    "404": "There is no such thing, or not for this caller.",
    "405": "The method is not one of this address.",
    "406": "The answer has no such representation.",
    "409": "The thing is in a state that does not allow this.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "422": "Well-formed, but it cannot be done.",
    "429": "Too many requests.",
    "500": "A fault of ours.",
    "503": "Not now; the same call may work later.",
}


class ErrorDetail(serializers.Serializer[Any]):
    """The refusal: its code, its words, what was wrong with which field."""

    code = serializers.CharField()
    message = serializers.CharField()
    details = serializers.DictField()
    timestamp = serializers.DateTimeField()


class ErrorBody(serializers.Serializer[Any]):
    """The one error body under `/api`."""

    success = serializers.BooleanField()
    detail = serializers.CharField()
    error_code = serializers.CharField()
    error = ErrorDetail()


class ContractSchema(AutoSchema):
    """Documents what every operation has in common."""

    def get_override_parameters(self) -> list[Any]:
        """Return the headers that every operation of this method takes."""
        if self.method != "POST" or getattr(self.view, "secret_answers", True):
            return []
        return [
            OpenApiParameter(
                "Idempotency-Key",
                str,
                OpenApiParameter.HEADER,
                description="The same key and body again gives the first answer.",
            )
        ]

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        found = super()._get_response_bodies(direction)
        for code in sorted(self._refusals() - {str(known) for known in found}):
            refusal = self._get_response_for_code(  # type: ignore[no-untyped-call]
                ErrorBody, code
            )
            found[code] = {**refusal, "description": MEANING[code]}
        return found

    def _refusals(self) -> set[str]:
        codes = {"400", "405", "406", "429", "500", "503"}
        if self.get_auth():
            codes |= {"401", "403"}
        if "{" in self.path:
            codes |= {"404"}
        if self.method in {*WITH_BODY, "DELETE"}:
            codes |= {"409", "422"}
        if self.method in WITH_BODY:
            codes |= {"413", "415"}
        return codes


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Access and service tokens."""

    target_class = "apps.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An access token of the login, or a service token `oms_…`.",
        }


class PageScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The session of our own pages."""

    target_class = "apps.api.authentication.PageAuthentication"
    name = "page"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme."""
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
