"""Check a whole network file and turn it into columns; nothing is loaded from a wrong one.

Columns are checked as a whole; only where one is wrong are its values looked at one by one, to
say with JSON paths (`$.edges[3].from`) which.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from zoneinfo import available_timezones

import numpy as np
from numpy.typing import NDArray

from apps.core.errors import Invalid
from apps.network.rules import KINDS, SWITCHABLE, phone_number

LONGEST = 200
MOST_ERRORS = 20
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_ABSENT: Any = object()

Column = list[Any]


@dataclass(frozen=True, slots=True)
class Columns:
    """A checked file: per section its columns by name, all of one length.

    References are positions in the section they point to, -1 for none. Sections are `regions`,
    `substations`, `feeders`, `nodes`, `edges`, `customers`, `meters`.
    """

    name: str
    sections: dict[str, dict[str, Column]]
    references: dict[tuple[str, str], NDArray[np.int32]]
    sources: list[int]

    def count(self, section: str) -> int:
        """Return how many entries the section has."""
        return len(self.sections[section]["id"])


def read_document(document: Mapping[str, Any]) -> Columns:
    """Return the columns of a network file. Raises Invalid, with what is wrong by JSON path."""
    reading = _Reading()
    columns = reading.run(document)
    if reading.errors:
        path, message = next(iter(reading.errors.items()))
        raise Invalid(f"{path}: {message}", fields=reading.errors)
    return columns


Check = Callable[[Column], Iterable[tuple[int, str]]]
"""Yields (index, what is wrong) for the wrong values of a column."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    check: Check
    default: Any = _ABSENT
    to: str = ""


def _text(*, empty: bool = True, longest: int = LONGEST) -> Check:
    def wrong(value: Any) -> str:
        if not isinstance(value, str):
            return "must be a text"
        if not value and not empty:
            return "must not be empty"
        if len(value) > longest:
            return f"must not be longer than {longest}"
        return "" if _is_plain(value) else "must not have control characters"

    def check(column: Column) -> Iterable[tuple[int, str]]:
        fits = (
            set(map(type, column)) <= {str}
            and max(map(len, column), default=0) <= longest
            and (empty or all(column))
            and _is_plain("".join(column))
        )
        return () if fits else _each(column, wrong)

    return check


def _number(
    low: float, high: float, *, optional: bool = False, above: bool = False
) -> Check:
    def wrong(value: Any) -> str:
        if optional and value is None:
            return ""
        if type(value) not in (int, float):
            return "must be a number"
        if above and value <= low:
            return f"must be above {low:g}"
        return "" if low <= value <= high else f"must be from {low:g} to {high:g}"

    def check(column: Column) -> Iterable[tuple[int, str]]:
        if set(map(type, column)) <= {int, float}:
            numbers = np.array(column, object if int in set(map(type, column)) else float)
            inside = (numbers > low) if above else (numbers >= low)
            if bool(np.all(inside & (numbers <= high))):
                return ()
        return _each(column, wrong)

    return check


def _one_of(choices: Iterable[str], message: str) -> Check:
    allowed = frozenset(choices)

    def wrong(value: Any) -> str:
        return "" if isinstance(value, str) and value in allowed else message

    def check(column: Column) -> Iterable[tuple[int, str]]:
        if set(map(type, column)) <= {str} and allowed.issuperset(column):
            return ()
        return _each(column, wrong)

    return check


def _flag(column: Column) -> Iterable[tuple[int, str]]:
    if set(map(type, column)) <= {bool}:
        return ()
    return _each(
        column, lambda value: "" if isinstance(value, bool) else "must be true or false"
    )


def _each(column: Column, wrong: Callable[[Any], str]) -> Iterable[tuple[int, str]]:
    found = ((index, wrong(value)) for index, value in enumerate(column))
    return islice(((index, message) for index, message in found if message), MOST_ERRORS)


def _is_plain(text: str) -> bool:
    """Return whether the text can be stored: no control characters, no half surrogates."""
    return not _CONTROL.search(text)


_ID, _NAME, _TEXT = _text(empty=False), _text(empty=False), _text()
_PLACE = (
    _Field("latitude", _number(-90, 90)),
    _Field("longitude", _number(-180, 180)),
)
_POSITIVE = _number(0, 1e12, optional=True)
_SECTIONS: dict[str, tuple[_Field, ...]] = {
    "regions": (
        _Field("name", _NAME),
        _Field("capacity_mw", _number(0, 1e9)),
        _Field("time_zone", _one_of(available_timezones(), "is not a known time zone")),
    ),
    "substations": (_Field("name", _NAME), _Field("region", _ID, to="regions"), *_PLACE),
    "feeders": (
        _Field("name", _NAME),
        _Field("substation", _ID, to="substations"),
        _Field("breaker", _TEXT, default="", to="edges"),
    ),
    "nodes": (*_PLACE, _Field("voltage_kv", _number(0, 2_000, above=True))),
    "edges": (
        _Field("from", _ID, to="nodes"),
        _Field("to", _ID, to="nodes"),
        _Field("kind", _one_of(KINDS, f"must be one of {', '.join(KINDS)}")),
        _Field("closed", _flag, default=True),
        _Field("feeder", _TEXT, default="", to="feeders"),
        _Field("rated_kva", _POSITIVE, default=None),
    ),
    "customers": (
        _Field("name", _NAME),
        _Field("phone", _text(longest=40), default=""),
        _Field("email", _text(longest=254), default=""),
        _Field("address", _text(longest=300), default=""),
        _Field("critical", _flag, default=False),
    ),
    "meters": (
        _Field("node", _ID, to="nodes"),
        _Field("customer", _TEXT, default="", to="customers"),
        _Field("mrid", _TEXT, default=""),
        _Field("onu", _TEXT, default=""),
        *_PLACE,
        _Field("load_profile", _text(longest=64), default=""),
        _Field("load_kw", _POSITIVE, default=None),
    ),
}


@dataclass(slots=True)
class _Reading:
    errors: dict[str, str] = field(default_factory=dict)

    def run(self, document: Mapping[str, Any]) -> Columns:
        if not isinstance(document, Mapping):
            raise Invalid("$: must be an object", fields={"$": "must be an object"})
        name = document.get("name")
        self._note("$.name", _ID([name]))
        sections = {
            section: self._section(section, fields, self._list(document, section))
            for section, fields in _SECTIONS.items()
        }
        sources = self._list(document, "sources")
        if sections["nodes"]["id"] and not sources:
            self._refuse("$.sources", "must name a node, because there are nodes")
        if self.errors:
            return Columns(str(name), sections, {}, [])
        return self._related(str(name), sections, sources)

    def _list(self, document: Mapping[str, Any], key: str) -> list[Any]:
        """Return a list of the file. It may be empty, but to leave it out is a mistake.

        Else a file cut short would take out of service whatever it does not mention.
        """
        found = document.get(key, _ABSENT)
        if isinstance(found, list):
            return found
        self._refuse(f"$.{key}", "is missing" if found is _ABSENT else "must be a list")
        return []

    def _section(
        self, section: str, fields: Sequence[_Field], rows: list[Any]
    ) -> dict[str, Column]:
        for index in islice(
            (i for i, r in enumerate(rows) if type(r) is not dict), MOST_ERRORS
        ):
            self._refuse(f"$.{section}[{index}]", "must be an object")
            rows = []
        columns: dict[str, Column] = {}
        for each in (_Field("id", _ID), *fields):
            columns[each.name] = self._column(section, each, rows)
        ids = columns["id"]
        if not self.errors and len(set(ids)) != len(ids):
            self._repeated(section, ids)
        return columns

    def _column(self, section: str, each: _Field, rows: list[dict[str, Any]]) -> Column:
        name, default = each.name, each.default
        column = [row.get(name, default) for row in rows]
        if default is _ABSENT:
            missing = (i for i, value in enumerate(column) if value is _ABSENT)
            for index in islice(missing, MOST_ERRORS):
                self._refuse(f"$.{section}[{index}].{name}", "is missing")
        elif default is not None and None in column:
            column = [default if value is None else value for value in column]
        for index, message in each.check(column):
            self._refuse(f"$.{section}[{index}].{name}", message)
        return column

    def _related(
        self, name: str, sections: dict[str, dict[str, Column]], sources: Column
    ) -> Columns:
        positions = {
            section: dict(zip(columns["id"], range(len(columns["id"])), strict=True))
            for section, columns in sections.items()
        }
        references = {}
        for section, fields in _SECTIONS.items():
            for each in fields:
                if each.to:
                    references[section, each.name] = self._reference(
                        section, each, sections[section][each.name], positions[each.to]
                    )
        self._check_loops(references["edges", "from"], references["edges", "to"])
        self._check_breakers(references["feeders", "breaker"], sections["edges"]["kind"])
        nodes = positions["nodes"]
        for index, source in enumerate(sources):
            if not isinstance(source, str) or source not in nodes:
                self._refuse(f"$.sources[{index}]", f"names no node: {source!r}")
        phones = sections["customers"]["phone"]
        sections["customers"]["phone"] = list(map(phone_number, phones))
        found = sorted({nodes[source] for source in sources if not self.errors})
        return Columns(name, sections, references, found)

    def _reference(
        self, section: str, each: _Field, column: Column, positions: dict[str, int]
    ) -> NDArray[np.int32]:
        found = [positions.get(code, -1) for code in column]
        array = np.array(found, np.int32)
        optional = each.default is not _ABSENT
        for index in np.flatnonzero(array < 0).tolist():
            if optional and column[index] == "":
                continue
            if len(self.errors) >= MOST_ERRORS:
                break
            message = f"names nothing in {each.to}: {column[index]!r}"
            self._refuse(f"$.{section}[{index}].{each.name}", message)
        return array

    def _check_loops(self, start: NDArray[np.int32], end: NDArray[np.int32]) -> None:
        for index in np.flatnonzero((start == end) & (start >= 0)).tolist()[:MOST_ERRORS]:
            self._refuse(f"$.edges[{index}].to", "is where the edge begins")

    def _check_breakers(self, breakers: NDArray[np.int32], kinds: Column) -> None:
        for index, edge in enumerate(breakers.tolist()):
            if edge >= 0 and kinds[edge] not in SWITCHABLE:
                message = f"must be a device, not a {kinds[edge]}"
                self._refuse(f"$.feeders[{index}].breaker", message)

    def _repeated(self, section: str, ids: Column) -> None:
        seen: set[str] = set()
        for index, code in enumerate(ids):
            if code in seen:
                self._refuse(f"$.{section}[{index}].id", f"is there twice: {code!r}")
            seen.add(code)

    def _note(self, path: str, wrong: Iterable[tuple[int, str]]) -> None:
        for _, message in wrong:
            self._refuse(path, message)

    def _refuse(self, path: str, message: str) -> None:
        if len(self.errors) < MOST_ERRORS:
            self.errors.setdefault(path, message)
