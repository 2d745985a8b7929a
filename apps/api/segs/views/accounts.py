"""Sessions, the own profile, and the admin's view of people."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import selectors
from apps.accounts import services as accounts
from apps.api.authentication import bearer_of
from apps.api.callers import origin_of
from apps.api.segs.contract import SegsView, stamp
from apps.api.segs.serializers import accounts as bodies
from apps.api.segs.serializers.approvals import ProposedAnswer
from apps.api.segs.views.approvals import proposal_body
from apps.approvals.services import Proposal
from apps.core.errors import NotFound

MANAGE = "accounts.manage_users"
OWN = {"name": "full_name", "phone": "phone", "address": "address", "timeZone": "time_zone"}


class OpenView(SegsView):
    """A call that asks for nobody."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class Refresh(OpenView):
    """A new access token for a refresh token."""

    secret_answers = True

    @extend_schema(
        request=bodies.RefreshBody, responses=bodies.RefreshAnswer, tags=["auth"]
    )
    def post(self, request: Request) -> Response:
        """Return new tokens; the old refresh token is good until the new one is used."""
        body = self.read(bodies.RefreshBody)
        origin = origin_of(request._request)
        found = accounts.refresh(
            refresh_token=body["refreshToken"],
            at=self.at,
            address=origin["address"],
            agent=origin["agent"],
        )
        return self.answer(
            {
                "accessToken": found.access_token,
                "expiresIn": found.expires_in,
                "refreshToken": found.refresh_token,
            }
        )


class Logout(SegsView):
    """The end of a session."""

    @extend_schema(request=bodies.LogoutBody, responses=bodies.DoneAnswer, tags=["auth"])
    def post(self, request: Request) -> Response:
        """End the session that asks, and that of the refresh token."""
        body = self.read(bodies.LogoutBody)
        accounts.log_out(
            by=self.actor,
            at=self.at,
            access_token=bearer_of(request._request) or "",
            refresh_token=body.get("refreshToken", ""),
        )
        return self.told("Logged out successfully")


class VerifyEmail(OpenView):
    """Proof of an address."""

    @extend_schema(request=bodies.TokenOnlyBody, responses=bodies.DoneAnswer, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Take the address of the link as proven."""
        accounts.verify_email(at=self.at, **self.read(bodies.TokenOnlyBody))
        return self.told("Email verified")


class ResetAsk(OpenView):
    """A forgotten password."""

    @extend_schema(request=bodies.ResetAskBody, responses=bodies.DoneAnswer, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Send a link where the address is known; the answer is the same where it is not."""
        body = self.read(bodies.ResetAskBody)
        accounts.ask_to_reset(email=body["email"], site=site_of(request), at=self.at)
        return self.told("If the address is known, a message is on its way.", 202)


class Reset(OpenView):
    """A new password by the link of a message."""

    @extend_schema(request=bodies.ResetBody, responses=bodies.DoneAnswer, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Choose the new password; every session ends."""
        body = self.read(bodies.ResetBody)
        accounts.reset_password(
            token=body["token"], password=body["newPassword"], at=self.at
        )
        return self.told("Password changed")


class Me(SegsView):
    """The own profile."""

    @extend_schema(responses=bodies.ProfileAnswer, tags=["users"])
    def get(self, request: Request) -> Response:
        """Return the own profile."""
        return self.answer(profile_body(_own(self.actor.user_id)))

    @extend_schema(
        request=bodies.ProfileBody, responses=bodies.ProfileAnswer, tags=["users"]
    )
    def put(self, request: Request) -> Response:
        """Change what is given of the own profile."""
        body = self.read(bodies.ProfileBody)
        changes = {OWN[name]: value for name, value in body.items()}
        return self.answer(
            profile_body(
                accounts.update_profile(changes=changes, by=self.actor, at=self.at)
            )
        )


class MyPassword(SegsView):
    """The own password."""

    @extend_schema(request=bodies.PasswordBody, responses=bodies.DoneAnswer, tags=["users"])
    def put(self, request: Request) -> Response:
        """Change the password; every session ends."""
        body = self.read(bodies.PasswordBody)
        accounts.change_password(
            current=body["currentPassword"],
            new=body["newPassword"],
            by=self.actor,
            at=self.at,
        )
        return self.told("Password changed successfully")


class Users(SegsView):
    """Everybody, to an admin."""

    needs = (MANAGE,)

    @extend_schema(
        parameters=[bodies.UsersQuery], responses=bodies.UsersAnswer, tags=["admin"]
    )
    def get(self, request: Request) -> Response:
        """Return a page of users."""
        asked = self.query(bodies.UsersQuery)
        rows = selectors.people(
            viewer=self.actor,
            role=asked.get("role", ""),
            status=asked.get("status", ""),
            search=asked.get("search", ""),
        )
        return self.answer_list("users", rows, user_body)


class UserRole(SegsView):
    """The role of a user."""

    needs = (MANAGE,)

    @extend_schema(
        request=bodies.RoleBody,
        responses={200: bodies.UserAnswer, 202: ProposedAnswer},
        tags=["admin"],
    )
    def post(self, request: Request, user_id: str) -> Response:
        """Give the user that role; their tokens end. 202 where a second person has to agree."""
        body = self.read(bodies.RoleBody)
        found = accounts.change_role(
            user_id=_uuid(user_id), role=body["role"], by=self.actor, at=self.at
        )
        if isinstance(found, Proposal):
            return self.told("Waiting for a second person", 202, data=proposal_body(found))
        return self.told("Role updated successfully", data=user_body(found))


def site_of(request: Request) -> str:
    """Return the address of the portal as the caller knows it."""
    return request._request.build_absolute_uri("/").rstrip("/")


def profile_body(user: Any) -> dict[str, Any]:
    """Return what a person is told of themselves."""
    told = {name: str(user.address.get(name, "")) for name in ("street", "city", "state")}
    return {
        "userId": str(user.id),
        "email": user.email,
        "name": user.full_name,
        "phone": user.phone,
        "role": user.role,
        "meterId": user.meter_code or None,
        "region": user.region or None,
        "address": {**told, "zip": str(user.address.get("zip", ""))},
        "createdAt": stamp(user.created_at),
        "emailVerified": user.email_verified,
        "timeZone": user.time_zone or "UTC",
    }


def user_body(user: Any) -> dict[str, Any]:
    """Return what an admin is told of a person."""
    return {
        **profile_body(user),
        "status": "active" if user.is_active else "inactive",
        "requestedRole": user.requested_role or None,
        "lastLogin": stamp(user.last_login),
    }


def _own(user_id: UUID | None) -> Any:
    user = selectors.users().filter(pk=user_id).first() if user_id else None
    if user is None:
        raise NotFound("There is no user behind this token.")
    return user


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such user.") from None
