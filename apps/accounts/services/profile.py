"""What people change of themselves."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.accounts.models import User
from apps.accounts.services.access import end_tokens, locked
from apps.accounts.services.people import check_password, check_profile
from apps.audit import services as audit
from apps.core.actor import Actor
from apps.core.errors import Invalid, NotFound

OWN = ("full_name", "phone", "address", "time_zone")


@transaction.atomic
def update_profile(*, changes: dict[str, Any], by: Actor, at: datetime) -> User:
    """Change one's own name, phone, address or time zone. Raises NotFound or Invalid."""
    user = _own(by)
    wanted = {name: value for name, value in changes.items() if name in OWN}
    before = {name: getattr(user, name) for name in wanted}
    if before == wanted:
        return user
    for name, value in wanted.items():
        setattr(user, name, value)
    check_profile(user)
    user.save(update_fields=list(wanted))
    audit.record(
        by=by,
        action="profile_update",
        resource="user",
        resource_id=user.id,
        before=before,
        after=wanted,
        at=at,
    )
    return user


@transaction.atomic
def change_password(*, current: str, new: str, by: Actor, at: datetime) -> User:
    """Choose another password; every session and token so far ends.

    Raises NotFound, or Invalid where the current one is wrong or the new one is weak.
    """
    user = _own(by)
    if not user.check_password(current):
        raise Invalid("The current password is wrong.", fields={"field": "currentPassword"})
    check_password(user, new)
    user.set_password(new)
    end_tokens(user, at)
    audit.record(
        by=by, action="password_change", resource="user", resource_id=user.id, at=at
    )
    return user


def _own(by: Actor) -> User:
    if by.user_id is None:
        raise NotFound("There is no user behind this token.")
    return locked(UUID(str(by.user_id)))
