"""Who acts: the value that every write and every guarded read receives."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from apps.core.errors import ConfirmationRequired

CONFIRMED_FOR = timedelta(minutes=10)


class ActorKind(StrEnum):
    """What kind of being acts."""

    PERSON = "person"
    SERVICE = "service"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody or something that acts, with what it may do.

    `permissions` are Django's dotted codes (`outages.operate_outage`); `scopes` are those of
    a service token. `on_behalf_of` names a person for whom a service account says it acts.
    `confirmed_at` is when a person last proved who they are; where `must_confirm` holds, acts
    of consequence want that to be recent.
    """

    kind: ActorKind
    label: str
    user_id: UUID | None = None
    permissions: frozenset[str] = field(default_factory=frozenset)
    scopes: frozenset[str] = field(default_factory=frozenset)
    role: str = ""
    on_behalf_of: str = ""
    address: str = ""
    agent: str = ""
    request_id: str = ""
    confirmed_at: datetime | None = None
    must_confirm: bool = False

    def may(self, permission: str) -> bool:
        """Return whether the actor holds the permission; the portal itself holds all."""
        return self.kind is ActorKind.SYSTEM or permission in self.permissions

    def is_fresh(self, at: datetime) -> bool:
        """Return whether the actor may do acts of consequence without proving themselves."""
        if not self.must_confirm:
            return True
        return self.confirmed_at is not None and at - self.confirmed_at < CONFIRMED_FOR


def check_fresh(by: Actor, at: datetime) -> None:
    """Refuse who has to prove themselves first. Raises ConfirmationRequired."""
    if not by.is_fresh(at):
        raise ConfirmationRequired("Confirm that it is you, then try again.")


def system(label: str = "system") -> Actor:
    """Return the portal itself, acting under the given label."""
    return Actor(kind=ActorKind.SYSTEM, label=label)
