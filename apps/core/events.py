"""Facts that apps publish, written to the outbox in the transaction of the change.

An event is a frozen dataclass of ids and plain values. The outbox keeps it as a row; the relay
hands it to each subscriber at least once, in order per subject. Pure: no rows.
"""

import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact. Subclasses set `name` (`outage.opened`) and say what it is about."""

    name: ClassVar[str]
    at: datetime

    @property
    def subject(self) -> str:
        """Return the key within which events keep their order."""
        raise TypeError(f"{type(self).__name__} does not say its subject")


E = TypeVar("E", bound=Event)
Subscriber = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscriber of one kind of event; `together` where it takes several at once."""

    key: str
    event_type: type[Event]
    call: Subscriber
    together: bool = False


_subscriptions: dict[str, list[Subscription]] = {}


def subscribe(event_type: type[E]) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Register the decorated function for one kind of event. It must be idempotent."""

    def register(call: Callable[[E], None]) -> Callable[[E], None]:
        _register(event_type, call, together=False)
        return call

    return register


def subscribe_together(
    event_type: type[E],
) -> Callable[[Callable[[Sequence[E]], None]], Callable[[Sequence[E]], None]]:
    """Register the decorated function for one kind of event, some of which it takes at once.

    Those that were published one after the other come in one call, in their order, and where
    it fails each by itself. For events of which a storm makes thousands. It must be idempotent.
    """

    def register(call: Callable[[Sequence[E]], None]) -> Callable[[Sequence[E]], None]:
        _register(event_type, call, together=True)
        return call

    return register


def _register(event_type: type[Event], call: Subscriber, *, together: bool) -> None:
    key = f"{call.__module__}.{call.__qualname__}"
    listed = _subscriptions.setdefault(event_type.name, [])
    if all(known.key != key for known in listed):
        listed.append(Subscription(key, event_type, call, together))


def subscriptions(name: str) -> list[Subscription]:
    """Return who hears of events of this name."""
    return _subscriptions.get(name, [])


def encode(event: Event) -> dict[str, Any]:
    """Return the event's fields as JSON values."""
    return {f.name: _plain(getattr(event, f.name)) for f in fields(event)}


def decode(event_type: type[E], payload: dict[str, Any]) -> E:
    """Return the event that `encode` wrote."""
    hints = _hints_of(event_type)
    values = {
        f.name: _typed(hints[f.name], payload[f.name])
        for f in fields(event_type)
        if f.name in payload
    }
    return event_type(**values)


_hints: dict[str, dict[str, Any]] = {}


def _hints_of(event_type: type[Event]) -> dict[str, Any]:
    if event_type.name not in _hints:
        _hints[event_type.name] = get_type_hints(event_type)
    return _hints[event_type.name]


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case datetime() | date():
            return value.isoformat()
        case UUID() | Decimal():
            return str(value)
        case tuple() | list() | frozenset():
            return [_plain(item) for item in value]
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    return value


def _typed(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        hint = next(arg for arg in get_args(hint) if arg is not type(None))
        origin = get_origin(hint)
    if origin in (tuple, list, frozenset):
        return origin(_typed(get_args(hint)[0], item) for item in value)
    if hint is datetime:
        return datetime.fromisoformat(value)
    if isinstance(hint, type) and issubclass(hint, UUID | Decimal | Enum):
        return hint(value)
    return value
