"""The acts of accounts that may need two people, as the app `approvals` knows them."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.accounts.models import User
from apps.accounts.rules import TwoPeople
from apps.accounts.selectors import permissions_of
from apps.accounts.services.access import MANAGE, locked
from apps.accounts.services.machines import Draft, add_token
from apps.accounts.services.people import give_role
from apps.approvals.rules import Act, Asked, register
from apps.core.actor import Actor
from apps.core.errors import Conflict

LIVES = timedelta(hours=24)


def register_acts() -> None:
    """Make the acts known. Raises ImproperlyConfigured for an unknown one in FOUR_EYES."""
    if unknown := settings.FOUR_EYES - set(TwoPeople.values):
        raise ImproperlyConfigured(f"FOUR_EYES names unknown acts: {', '.join(unknown)}.")
    register(
        Act(
            kind=TwoPeople.ROLE_CHANGE,
            label=TwoPeople.ROLE_CHANGE.label,
            permission=MANAGE,
            lives=LIVES,
            run=_change_role,
            version=_user_version,
            may=_may_manage,
        )
    )
    register(
        Act(
            kind=TwoPeople.SERVICE_TOKEN,
            label=TwoPeople.SERVICE_TOKEN.label,
            permission=MANAGE,
            lives=LIVES,
            run=_issue_token,
            version=lambda _resource_id: "",
            may=_may_manage,
        )
    )


def _change_role(asked: Asked, by: Actor, at: datetime) -> None:
    give_role(UUID(asked.resource_id), asked.payload["role"], by, at)


def _issue_token(asked: Asked, by: Actor, at: datetime) -> None:
    draft = Draft.of_payload(asked.payload)
    if draft.expires_at is not None and draft.expires_at <= at:
        raise Conflict("The token would have expired already.")
    add_token(draft, by, at)


def _user_version(resource_id: str) -> str:
    """Return in which state the user is; they are held until the transaction ends."""
    user = locked(UUID(resource_id))
    return f"{user.role} {user.is_active} {user.token_version}"


def _may_manage(user_id: UUID) -> bool:
    user = User.objects.filter(pk=user_id).first()
    return user is not None and MANAGE in permissions_of(user)
