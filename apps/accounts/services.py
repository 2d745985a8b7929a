"""Permission at every write."""

from apps.audit import services as audit
from apps.core.actor import Actor


def require(by: Actor, permission: str, /) -> None:
    """Pass where the actor holds the permission; else record the denial and refuse."""
    if not by.may(permission):
        raise audit.refuse(by=by, permission=permission)
