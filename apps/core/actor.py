"""Who acts: the value that every write and every guarded read receives."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


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

    def may(self, permission: str) -> bool:
        """Return whether the actor holds the permission; the portal itself holds all."""
        return self.kind is ActorKind.SYSTEM or permission in self.permissions


def system(label: str = "system") -> Actor:
    """Return the portal itself, acting under the given label."""
    return Actor(kind=ActorKind.SYSTEM, label=label)
