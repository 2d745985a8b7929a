"""Fields that take exactly what the contract says and nothing that merely looks like it."""

from datetime import UTC, datetime
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
LONGEST_NAME = 200
LONGEST_TEXT = 4_000
LONGEST_NOTES = 1_700
LONGEST_TIME = 40


class Text(serializers.CharField):
    """A string; a number or a boolean is not one."""

    default_error_messages = {"invalid": "A string is expected."}

    def to_internal_value(self, data: Any) -> str:
        """Return the string; refuse anything else."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class Remark(Text):
    """Free text that may be left out, empty or null."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", LONGEST_NOTES)
        kwargs.setdefault("default", "")
        super().__init__(allow_blank=True, allow_null=True, **kwargs)


class Known(serializers.CharField):
    """A text of ours that is null where it is empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)

    def to_representation(self, value: Any) -> str | None:  # type: ignore[override]
        """Return the text, or None where there is none."""
        return str(value) if value else None


@extend_schema_field(OpenApiTypes.DATETIME)
class Moment(serializers.Field[datetime, str, str, Any]):
    """An ISO 8601 time that says its zone, answered in UTC."""

    def to_internal_value(self, data: Any) -> datetime:
        """Return the time in UTC."""
        try:
            return read_moment(data)
        except ValueError as wrong:
            raise serializers.ValidationError(str(wrong)) from None

    def to_representation(self, value: datetime) -> str:
        """Return the time as the wire has it."""
        return wire_time(value)


def read_moment(text: Any) -> datetime:
    """Return the time in UTC that the text names; raise ValueError saying what is wrong."""
    moment = _parsed(text)
    if moment is None or moment.tzinfo is None:
        raise ValueError(
            "An ISO 8601 time with a zone is expected, as 2025-09-25T16:30:00Z."
        )
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("The time is out of range.") from None
    if not EARLIEST <= moment <= LATEST:
        raise ValueError("The time is out of range.")
    return moment


def wire_time(value: datetime) -> str:
    """Return the time in UTC with a Z, to the microsecond where it has any."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _parsed(text: Any) -> datetime | None:
    if not isinstance(text, str) or len(text) > LONGEST_TIME:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
