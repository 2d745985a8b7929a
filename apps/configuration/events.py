"""What configuration publishes."""

from dataclasses import dataclass
from typing import Any, ClassVar

from apps.core.events import Event


@dataclass(frozen=True, kw_only=True)
class SettingChanged(Event):
    """A setting has another value from now on."""

    name: ClassVar[str] = "setting.changed"
    key: str
    value: Any

    @property
    def subject(self) -> str:
        """Return the setting as the key of order."""
        return f"setting:{self.key}"
