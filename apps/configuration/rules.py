"""Declared settings: each with a key, a default, a kind and bounds.

An app declares its settings at module level in its own rules; what is in force is a row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Generic, TypeVar

from apps.core.errors import Invalid

TEXT_LENGTH = 1_000


class Kind(StrEnum):
    """What values a setting takes."""

    INTEGER = "integer"
    NUMBER = "number"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    TEXT = "text"


KIND_OF_TYPE: Mapping[type, Kind] = {
    int: Kind.INTEGER,
    float: Kind.NUMBER,
    Decimal: Kind.DECIMAL,
    bool: Kind.BOOLEAN,
    str: Kind.TEXT,
}

T = TypeVar("T", int, float, Decimal, bool, str)


@dataclass(frozen=True, slots=True)
class Definition(Generic[T]):
    """One setting that an app reads. Bounds are inclusive."""

    key: str
    default: T
    kind: Kind
    minimum: T | None
    maximum: T | None
    help: str


class UnknownSetting(Invalid):
    """Nothing declares this setting."""


_declared: dict[str, Definition[Any]] = {}


def declare(
    key: str,
    default: T,
    kind: Kind | str | None = None,
    *,
    minimum: T | None = None,
    maximum: T | None = None,
    help: str = "",
) -> Definition[T]:
    """Declare a setting and return its definition; the kind follows from the default."""
    if key in _declared:
        raise ValueError(f"The setting {key} is declared twice.")
    found = Kind(kind) if kind is not None else KIND_OF_TYPE[type(default)]
    definition = Definition(key, default, found, minimum, maximum, help)
    check(definition, default)
    _declared[key] = definition
    return definition


def definitions() -> list[Definition[Any]]:
    """Return every declared setting, by key."""
    return [_declared[key] for key in sorted(_declared)]


def definition(key: str) -> Definition[Any]:
    """Return the setting of that key. Raises UnknownSetting."""
    try:
        return _declared[key]
    except KeyError:
        raise UnknownSetting(f"There is no setting {key!r}.") from None


def check(definition: Definition[T], value: Any) -> T:
    """Return the value in the setting's type. Raises Invalid for a wrong type or bound."""
    found: Any = _typed(definition, value)
    low, high = definition.minimum, definition.maximum
    if low is not None and found < low:
        raise _refusal(definition, f"must be at least {low}")
    if high is not None and found > high:
        raise _refusal(definition, f"must be at most {high}")
    return found  # type: ignore[no-any-return]


def parse(definition: Definition[T], text: str) -> T:
    """Return the value that a person typed. Raises Invalid."""
    word = text.strip()
    match definition.kind:
        case Kind.BOOLEAN:
            words = {"true": True, "on": True, "yes": True, "false": False, "off": False}
            return check(definition, {**words, "no": False}.get(word.lower(), word))
        case Kind.INTEGER:
            digits = word.removeprefix("-")
            plain = digits.isascii() and digits.isdigit() and len(digits) <= 18
            return check(definition, int(word) if plain else word)
        case Kind.NUMBER | Kind.DECIMAL:
            return check(definition, _decimal(definition, word))
    return check(definition, word)


def plain(value: Any) -> Any:
    """Return the value as it is stored."""
    return str(value) if isinstance(value, Decimal) else value


def _typed(definition: Definition[Any], value: Any) -> Any:
    if definition.kind is Kind.BOOLEAN:
        if isinstance(value, bool):
            return value
        raise _refusal(definition, "must be true or false")
    if definition.kind is Kind.INTEGER:
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
            return value
        raise _refusal(definition, "must be a whole number")
    if definition.kind is Kind.TEXT:
        if isinstance(value, str) and len(value) <= TEXT_LENGTH and "\0" not in value:
            return value
        raise _refusal(definition, f"must be a text of at most {TEXT_LENGTH} characters")
    amount = _decimal(definition, value)
    return amount if definition.kind is Kind.DECIMAL else float(amount)


def _decimal(definition: Definition[Any], value: Any) -> Decimal:
    if isinstance(value, int | float | str | Decimal) and not isinstance(value, bool):
        try:
            amount = Decimal(str(value))
        except InvalidOperation:
            raise _refusal(definition, "must be a number") from None
        if amount.is_finite() and abs(amount) < Decimal("1e15"):
            return amount
    raise _refusal(definition, "must be a number")


def _refusal(definition: Definition[Any], why: str) -> Invalid:
    return Invalid(f"{definition.key} {why}.", fields={"field": definition.key})
