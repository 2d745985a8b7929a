"""What an entry of the trail may hold: caps, clean text, and the stream it belongs to."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any
from uuid import UUID

SHORT = 80
LONG = 300
TEXT = 2_000
DEPTH = 8
ITEMS = 200

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


class Stream(StrEnum):
    """A hash chain of its own, so that a storm of sign-ins does not hold up operations."""

    OPERATIONS = "operations"
    ACCESS = "access"


PROOF_HOLDS = timedelta(hours=3)


class Seal(StrEnum):
    """What is known of the trail: whole, broken, or not proven lately."""

    UNKNOWN = "unknown"
    WHOLE = "whole"
    OLD = "old"
    BROKEN = "broken"
    FORGED = "forged"


def seal_of(faults: int, age: timedelta, *, is_signed: bool) -> Seal:
    """Return what the latest walk along the trail says, `age` ago."""
    if not is_signed or age < timedelta(minutes=-1):
        return Seal.FORGED
    if faults:
        return Seal.BROKEN
    return Seal.OLD if age > PROOF_HOLDS else Seal.WHOLE


ACCESS_ACTIONS = frozenset({"login", "login_failed", "logout", "access_denied"})


def stream_of(action: str) -> Stream:
    """Return the chain that the action's entries belong to."""
    return Stream.ACCESS if action in ACCESS_ACTIONS else Stream.OPERATIONS


def line(text: object, limit: int) -> str:
    """Return the text as one line of printable characters, cut at the limit."""
    found = str(text)[: limit * 4]
    return CONTROL.sub(" ", ESCAPE.sub("", found)).strip()[:limit]


def facts(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the values as plain JSON of bounded size; None stays None."""
    if values is None:
        return None
    return {
        line(key, SHORT): _plain(value, DEPTH)
        for key, value in list(values.items())[:ITEMS]
    }


def _plain(value: Any, depth: int) -> Any:
    match value:
        case None | bool() | int():
            return value if not isinstance(value, int) or abs(value) < 2**63 else str(value)
        case float():
            return value if abs(value) < float("inf") else str(value)
        case Enum():
            return _plain(value.value, depth)
        case datetime() | date():
            return value.isoformat()
        case UUID() | Decimal():
            return str(value)
        case str():
            return _text(value)
    return _nested(value, depth - 1)


def _nested(value: Any, depth: int) -> Any:
    if depth <= 0:
        return _text(str(value))
    if isinstance(value, Mapping):
        found = list(value.items())[:ITEMS]
        return {line(key, SHORT): _plain(item, depth) for key, item in found}
    if isinstance(value, Sequence | set | frozenset):
        return [_plain(item, depth) for item in list(value)[:ITEMS]]
    return _text(str(value))


def _text(value: str) -> str:
    kept = ESCAPE.sub("", value[: TEXT * 4]).replace("\r\n", "\n").split("\n")
    return "\n".join(CONTROL.sub(" ", part) for part in kept)[:TEXT]
