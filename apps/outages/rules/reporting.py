"""Read an event as others send it (one item of a batch, one line, one message).

The format is documented in docs/oms.md. Reading is strict, pure and quick: it runs once for
each signal of a storm.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import isfinite
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from apps.core.errors import Invalid
from apps.outages.rules.verification import WORD_OF
from apps.outages.rules.words import SOURCE_ALIASES, Kind, Severity, Source, kind_of

PLACE_FIELDS = (
    "device_id",
    "feeder_id",
    "substation_id",
    "meter_id",
    "asset_mrid",
    "customer_id",
    "phone",
    "onu_id",
)
LONGEST_ID = 200
LONGEST_TEXT = 4_000
LARGEST_METADATA = 64_000
AHEAD = timedelta(minutes=5)
LONGEST_PLAN = timedelta(days=90)
FARTHEST_AHEAD = timedelta(days=1)
LATE = timedelta(hours=24)
ANSWERS = frozenset(WORD_OF.values())
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_SELDOM = frozenset(
    {
        "severity",
        "description",
        "metadata",
        "correlation_params",
        "temporal_window_minutes",
        "spatial_radius_meters",
    }
)
_NOT_CONTENT = {"received_at", "correlation_params"}
_SOURCES = {source.value: source.value for source in Source} | {
    alias: source.value for alias, source in SOURCE_ALIASES.items()
}
_SEVERITIES = {severity.value for severity in Severity}


class Report(NamedTuple):
    """One event as it was sent, checked: what happened where, when, and who says so."""

    source_type: str
    source_event_id: str
    event_type: str
    kind: Kind
    occurred_at: datetime
    received_at: datetime
    place: tuple[str, ...] = ("",) * len(PLACE_FIELDS)
    latitude: float | None = None
    longitude: float | None = None
    severity: str = ""
    description: str = ""
    metadata: Mapping[str, Any] = MappingProxyType({})
    window_minutes: float | None = None
    radius_meters: float | None = None
    clock: str = ""
    fingerprint: str = ""
    planned_until: datetime | None = None

    @property
    def identity(self) -> tuple[str, str]:
        """Return what makes the event the same event when it comes again."""
        return self[:2]

    @property
    def is_answer(self) -> bool:
        """Return whether a meter was asked: the loss may be long ago, and is of that outage."""
        return self.event_type in ANSWERS


class BadReport(Invalid):
    """The event is malformed; `fields` says where."""


def read_report(data: Any, *, at: datetime) -> Report:
    """Return the event in `data`, which came in at `at`. Raise BadReport naming the fields."""
    if not isinstance(data, dict):
        raise BadReport("An event is an object.", fields={"": "An event is an object."})
    return _Reader(data, at).read()


class _Reader:
    """Reads one event, collecting what is wrong with it."""

    def __init__(self, data: dict[str, Any], at: datetime) -> None:
        self.data = data
        self.at = at
        self.wrong: dict[str, str] = {}

    def read(self) -> Report:
        source = self._word("source_type", _SOURCES)
        kind = self._kind()
        identity = self._text("source_event_id", LONGEST_ID, required=True)
        data = self.data
        place = tuple(
            [self._text(n, LONGEST_ID) if n in data else "" for n in PLACE_FIELDS]
        )
        latitude, longitude = self._number("latitude", 90), self._number("longitude", 180)
        self._check_place(place, latitude, longitude)
        occurred_at, clock = self._occurred()
        severity, description, metadata, window, radius = self._said_seldom()
        received_at = self._received()
        until = self._planned_until(occurred_at) if kind is Kind.PLANNED else None
        if self.wrong:
            name, text = next(iter(self.wrong.items()))
            raise BadReport(f"{name}: {text}", fields=self.wrong)
        return Report(
            source_type=source,
            source_event_id=identity,
            event_type=self.data["event_type"],
            kind=kind or Kind.IGNORED,
            occurred_at=occurred_at,
            received_at=received_at,
            place=place,
            latitude=latitude,
            longitude=longitude,
            severity=severity,
            description=description,
            metadata=metadata,
            window_minutes=window,
            radius_meters=radius,
            clock=clock,
            fingerprint=self._fingerprint(source),
            planned_until=until,
        )

    def _said_seldom(
        self,
    ) -> tuple[str, str, Mapping[str, Any], float | None, float | None]:
        """Return severity, description, metadata, window and radius."""
        if _SELDOM.isdisjoint(self.data):
            return "", "", {}, None, None
        severity = self._severity()
        description = self._text("description", LONGEST_TEXT)
        return severity, description, self._metadata(), *self._params()

    def _kind(self) -> Kind | None:
        word = self._text("event_type", 80, required=True)
        kind = kind_of(word) if word else None
        if word and kind is None:
            self.wrong["event_type"] = f"Unknown event type {word[:80]!r}."
        return kind

    def _word(self, name: str, words: Mapping[str, str]) -> str:
        word = self._text(name, LONGEST_ID, required=True)
        if word and word not in words:
            self.wrong[name] = f"{word[:80]!r} is not one of {', '.join(sorted(words))}."
        return words.get(word, "")

    def _text(self, name: str, longest: int, *, required: bool = False) -> str:
        value = self.data.get(name)
        if value is None or value == "":
            if required:
                self.wrong[name] = "This field is required."
            return ""
        if not isinstance(value, str):
            self.wrong[name] = "A string is expected."
            return ""
        if len(value) > longest or not _is_clean(value):
            self.wrong[name] = (
                f"At most {longest} characters, without NUL or lone surrogates."
            )
            return ""
        return value

    def _number(self, name: str, bound: float) -> float | None:
        value = self.data.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong[name] = "A number is expected."
        elif not isfinite(value) or abs(value) > bound:
            self.wrong[name] = f"Must lie between -{bound} and {bound}."
        else:
            return float(value)
        return None

    def _check_place(
        self, place: tuple[str, ...], latitude: float | None, longitude: float | None
    ) -> None:
        if (latitude is None) != (longitude is None):
            missing = "latitude" if latitude is None else "longitude"
            self.wrong.setdefault(missing, "Latitude and longitude go together.")
        if latitude is None and not any(place) and not self.wrong:
            self.wrong["device_id"] = (
                "Name a place: one of " + ", ".join(PLACE_FIELDS) + ", or coordinates."
            )

    def _occurred(self) -> tuple[datetime, str]:
        value = self._time("timestamp", required=True)
        if value is None:
            return self.at, ""
        if value > self.at + FARTHEST_AHEAD or value < EARLIEST:
            self.wrong["timestamp"] = "The time is out of range."
        if value > self.at + AHEAD:
            return self.at, "ahead"
        return value, "late" if value < self.at - LATE else ""

    def _received(self) -> datetime:
        value = self._time("received_at")
        return self.at if value is None or value > self.at or value < EARLIEST else value

    def _planned_until(self, begins_at: datetime) -> datetime | None:
        value = self._time("planned_until")
        if value is not None and not begins_at < value <= begins_at + LONGEST_PLAN:
            self.wrong["planned_until"] = "A plan ends after it begins, within 90 days."
        return value

    def _time(self, name: str, *, required: bool = False) -> datetime | None:
        value = self.data.get(name)
        if value is None:
            if required:
                self.wrong[name] = "This field is required."
            return None
        if not isinstance(value, str) or len(value) > 40:
            self.wrong[name] = "An ISO 8601 time with a zone is expected."
            return None
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise ValueError(name)
            return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            self.wrong[name] = "An ISO 8601 time with a zone is expected."
            return None

    def _severity(self) -> str:
        value = self._text("severity", LONGEST_ID).lower()
        if value and value not in _SEVERITIES:
            self.wrong["severity"] = f"{value[:80]!r} is not one of {sorted(_SEVERITIES)}."
        return value

    def _metadata(self) -> Mapping[str, Any]:
        value = self.data.get("metadata")
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.wrong["metadata"] = "An object is expected."
            return {}
        if value and not _is_storable(value):
            self.wrong["metadata"] = (
                f"At most {LARGEST_METADATA} bytes, without NUL or lone surrogates."
            )
        return value

    def _params(self) -> tuple[float | None, float | None]:
        inner = self.data.get("correlation_params")
        if inner is not None and not isinstance(inner, dict):
            self.wrong["correlation_params"] = "An object is expected."
            return None, None
        given = {**self.data, **inner} if inner else self.data
        return (
            self._bounded(given, "temporal_window_minutes", 1440),
            self._bounded(given, "spatial_radius_meters", 50_000),
        )

    def _bounded(self, given: Mapping[str, Any], name: str, most: float) -> float | None:
        value = given.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong[name] = "A number is expected."
        elif not isfinite(value) or not 0 < value <= most:
            self.wrong[name] = f"Must be above 0 and at most {most}."
        else:
            return float(value)
        return None

    def _fingerprint(self, source: str) -> str:
        """Return a hash of the content, the same for the same event sent again."""
        content = {k: v for k, v in self.data.items() if k not in _NOT_CONTENT}
        content["source_type"] = source
        try:
            packed = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
        except TypeError:
            packed = repr(sorted(content.items())).encode(errors="replace")
        return hashlib.blake2b(packed, digest_size=12).hexdigest()


def _is_clean(text: str) -> bool:
    if "\x00" in text:
        return False
    return text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)


def _is_storable(value: Any) -> bool:
    try:
        packed = orjson.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return len(packed) <= LARGEST_METADATA and b"\\u0000" not in packed
