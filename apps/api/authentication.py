"""Who calls: a bearer token, or the session of one of our own pages."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from apps.accounts.selectors import (
    actor_of_bearer,
    actor_of_user,
    confirmed_in,
)
from apps.api.callers import origin_of
from apps.core.actor import Actor

REFUSAL = "Could not validate credentials"


@dataclass(frozen=True, slots=True)
class Caller:
    """What the framework calls a user: somebody known. What they may do is in the actor."""

    actor: Actor
    is_authenticated: bool = True
    is_active: bool = True

    @property
    def pk(self) -> object:
        """Return the user's id, where a person calls."""
        return self.actor.user_id


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer …` with an access token or a service token."""

    def authenticate(self, request: Request) -> tuple[Caller, Actor] | None:
        """Return the caller and the actor; None without such a header. Raises 401."""
        token = bearer_of(request._request)
        if token is None:
            return None
        actor = actor_of_bearer(token, at=timezone.now(), **origin_of(request._request))
        if actor is None:
            raise AuthenticationFailed(REFUSAL)
        return Caller(actor), actor

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return 'Bearer realm="api"'


def bearer_of(request: HttpRequest) -> str | None:
    """Return the token that the request bears; None without such a header."""
    kind, _, token = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


class PageAuthentication(SessionAuthentication):
    """The session of a signed-in person whose page calls us, with its CSRF token."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return the caller and the actor; None without a session. Raises 403 on CSRF."""
        found = super().authenticate(request)
        if found is None:
            return None
        actor = actor_of_user(
            found[0],
            **origin_of(request._request),
            confirmed_at=confirmed_in(request._request.session),
            must_confirm=True,
        )
        return Caller(actor), actor
