"""Kinds of refusal. The faces turn a kind into a status; the domain knows none."""

from collections.abc import Mapping
from typing import Any


class DomainError(Exception):
    """Something that was asked for is refused; `fields` says what was wrong with which."""

    code = "refused"

    def __init__(self, message: str, *, fields: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields: Mapping[str, Any] = fields or {}


class NotFound(DomainError):
    """There is no such thing, or not for this actor."""

    code = "not_found"


class Conflict(DomainError):
    """The thing is in a state that does not allow this."""

    code = "conflict"


class Invalid(DomainError):
    """What was sent is malformed."""

    code = "invalid"


class Unprocessable(DomainError):
    """Well-formed, but it cannot be done."""

    code = "unprocessable_entity"


class Forbidden(DomainError):
    """The actor may not do this."""

    code = "forbidden"


class ConfirmationRequired(Forbidden):
    """The actor may do this once they have shown again that it is them."""

    code = "STEP_UP_REQUIRED"


class Unavailable(DomainError):
    """Not now; the same call may work later."""

    code = "service_unavailable"


class Unauthenticated(DomainError):
    """Nobody knows who asks."""

    code = "unauthorized"


class TooMany(DomainError):
    """Too often; the same call works again after `retry_after` seconds."""

    code = "rate_limit_exceeded"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
