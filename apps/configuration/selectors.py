"""Read the settings in force."""

import time
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from apps.configuration.models import Setting, SettingChange
from apps.configuration.rules import Definition, T, check, definitions
from apps.core.errors import Invalid

FRESH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class SettingView:
    """A declared setting with the value in force."""

    definition: Definition[Any]
    value: Any
    changed: bool


class _Snapshot:
    """The stored values, read at most once a second in each process."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.read_at = float("-inf")

    def get(self) -> dict[str, Any]:
        """Return the stored values by key."""
        clock = time.monotonic()
        if clock - self.read_at > FRESH_SECONDS:
            stored = Setting.objects.exclude(value=None)
            self.values, self.read_at = dict(stored.values_list("key", "value")), clock
        return self.values


_snapshot = _Snapshot()


def value(definition: Definition[T]) -> T:
    """Return the value in force, at most a second old."""
    stored = _snapshot.get().get(definition.key)
    if stored is None:
        return definition.default
    try:
        return check(definition, stored)
    except Invalid:
        return definition.default


def forget() -> None:
    """Read anew at the next question."""
    _snapshot.read_at = float("-inf")


def declared_keys() -> list[str]:
    """Return the keys of all declared settings."""
    return [known.key for known in definitions()]


def settings() -> list[SettingView]:
    """Return every declared setting with the value in force."""
    changed = set(Setting.objects.exclude(value=None).values_list("key", flat=True))
    return [SettingView(d, value(d), d.key in changed) for d in definitions()]


def history(*, key: str) -> QuerySet[SettingChange]:
    """Return the changes of a setting, newest first."""
    return SettingChange.objects.filter(key=key)
