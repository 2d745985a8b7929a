"""Sign-in and health."""

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import services as accounts
from apps.api.callers import origin_of
from apps.api.shared.contract import SharedView
from apps.api.shared.serializers import (
    DatabaseAnswer,
    HealthAnswer,
    LoginAnswer,
    LoginBody,
    RegisterAnswer,
    RegisterBody,
    TokenAnswer,
    TokenBody,
)
from apps.core import health
from apps.core.actor import Actor, ActorKind

VERSION = "1.0.0"
ADDRESS = ("street", "city", "state", "zip")


class OpenView(SharedView):
    """A call that asks for nobody."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class Login(OpenView):
    """Sign in, with SEGS' and NOCIQ's body in one."""

    secret_answers = True

    @extend_schema(request=LoginBody, responses=LoginAnswer, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Open a session and return its tokens."""
        body = self.read(LoginBody)
        found = accounts.login(**body, origin=_origin(request), at=self.at)
        return self.answer(_both_shapes(found))


class Register(OpenView):
    """Become a user, with SEGS' and NOCIQ's body in one."""

    @extend_schema(request=RegisterBody, responses={201: RegisterAnswer}, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Make a user of the least role; a wished role waits for an admin."""
        body = self.read(RegisterBody)
        stranger = Actor(
            ActorKind.PERSON, body["email"].lower(), **origin_of(request._request)
        )
        applicant = accounts.Applicant(
            email=body["email"],
            full_name=body.get("name") or body.get("full_name") or "",
            phone=body.get("phone", ""),
            address={k: v for k, v in body.get("address", {}).items() if k in ADDRESS},
            wished_role=body.get("role", ""),
        )
        user = accounts.register(
            applicant=applicant,
            password=body["password"],
            site=request._request.build_absolute_uri("/").rstrip("/"),
            by=stranger,
            at=self.at,
        )
        return self.answer(_registered(user, _stamp(self.at)), status=201)


class Token(OpenView):
    """Sign in, with Astra's body."""

    secret_answers = True

    @extend_schema(request=TokenBody, responses=TokenAnswer, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Open a session and return its access token."""
        body = self.read(TokenBody)
        found = accounts.login(
            email=body["username"],
            password=body["password"],
            code=body["code"],
            origin=_origin(request),
            at=self.at,
        )
        return self.answer(
            {
                "access_token": found.access_token,
                "token_type": "bearer",
                "expires_in": found.expires_in,
            }
        )


class Health(OpenView):
    """That the process lives; the database is not asked."""

    @extend_schema(responses=HealthAnswer, tags=["health"])
    def get(self, request: Request) -> Response:
        """Return the state of the process."""
        return self.answer(
            {
                "status": "healthy",
                "service": "oms",
                "version": VERSION,
                "timestamp": _stamp(self.at),
            }
        )


class DatabaseHealth(SharedView):
    """That the database answers, and how busy its connections are."""

    @extend_schema(responses=DatabaseAnswer, tags=["health"])
    def get(self, request: Request) -> Response:
        """Return the state of the database and its connections."""
        accounts.require(self.actor, "core.view_health")
        found = health.connections()
        return self.answer(
            {
                "status": "healthy",
                "database": {
                    "connected": True,
                    "pool_size": found.size,
                    "checked_out": found.working,
                    "overflow": found.waiting,
                },
            }
        )


def _origin(request: Request) -> accounts.Origin:
    return accounts.Origin(**origin_of(request._request))


def _both_shapes(found: accounts.SignIn) -> dict[str, Any]:
    user = found.user
    return {
        "success": True,
        "data": {
            "accessToken": found.access_token,
            "refreshToken": found.refresh_token,
            "expiresIn": found.expires_in,
            "user": {
                "userId": str(user.id),
                "email": user.email,
                "name": user.full_name,
                "role": user.role,
                "meterId": user.meter_code or None,
            },
        },
        "access_token": found.access_token,
        "refresh_token": found.refresh_token,
        "token_type": "bearer",
        "expires_in": found.expires_in,
        "user": {
            "id": str(user.id),
            "email": user.email,
            "role": user.role,
            "stellar_wallet": None,
        },
    }


def _registered(user: Any, made_at: str) -> dict[str, Any]:
    return {
        "success": True,
        "data": {
            "userId": str(user.id),
            "email": user.email,
            "name": user.full_name,
            "role": user.role,
            "createdAt": made_at,
        },
        "message": "Registration successful. Please verify your email.",
        "id": str(user.id),
        "email": user.email,
        "full_name": user.full_name,
        "role": user.role,
        "requested_role": user.requested_role or None,
        "created_at": made_at,
    }


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
