"""Bring checked columns into the tables: COPY into temporary ones, then what differs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from apps.network.rules import KIND_NUMBERS
from apps.network.services.bulk import filled
from apps.network.services.documents import Column, Columns
from apps.network.topology import CodeTable, Edges, Grid, Layout

CHUNK = 20_000
MANY = 10_000
_NULL = "\a"  # no text of a network file has control characters


@dataclass(frozen=True, slots=True)
class _Target:
    """How a section becomes rows: (column, type, name in the file); `links` are references.

    `held_by` are the live rows (table, column) that keep a vanished row from being retired.
    """

    section: str
    columns: tuple[tuple[str, str, str], ...]
    links: tuple[tuple[str, str, str], ...] = ()
    held_by: tuple[tuple[str, str], ...] = ()

    @property
    def table(self) -> str:
        return f"network_{self.section.removesuffix('s')}"


_PLACE = (("latitude", "float8", "latitude"), ("longitude", "float8", "longitude"))
_TARGETS = (
    _Target(
        "regions",
        (
            ("name", "text", "name"),
            ("capacity_mw", "float8", "capacity_mw"),
            ("time_zone", "text", "time_zone"),
        ),
        held_by=(("network_substation", "region_id"),),
    ),
    _Target(
        "substations",
        (("name", "text", "name"), *_PLACE),
        (("region_id", "region", "regions"),),
        held_by=(("network_feeder", "substation_id"),),
    ),
    _Target(
        "feeders",
        (("name", "text", "name"), ("breaker", "text", "breaker")),
        (("substation_id", "substation", "substations"),),
        held_by=(("network_edge", "feeder_id"), ("network_meter", "feeder_id")),
    ),
    _Target(
        "nodes",
        (
            *_PLACE,
            ("voltage_kv", "float8", "voltage_kv"),
            ("is_source", "bool", "is_source"),
        ),
        held_by=(
            ("network_edge", "from_node_id"),
            ("network_edge", "to_node_id"),
            ("network_meter", "node_id"),
        ),
    ),
    _Target(
        "edges",
        (
            ("kind", "text", "kind"),
            ("normally_closed", "bool", "closed"),
            ("rated_kva", "float8", "rated_kva"),
        ),
        (
            ("from_node_id", "from", "nodes"),
            ("to_node_id", "to", "nodes"),
            ("feeder_id", "feeder", "feeders"),
        ),
    ),
    _Target(
        "customers",
        (
            ("name", "text", "name"),
            ("phone", "text", "phone"),
            ("email", "text", "email"),
            ("address", "text", "address"),
            ("critical", "bool", "critical"),
        ),
        held_by=(("network_meter", "customer_id"),),
    ),
    _Target(
        "meters",
        (
            ("mrid", "text", "mrid"),
            ("onu", "text", "onu"),
            *_PLACE,
            ("load_profile", "text", "load_profile"),
            ("load_kw", "float8", "load_kw"),
        ),
        (
            ("node_id", "node", "nodes"),
            ("customer_id", "customer", "customers"),
            ("feeder_id", "feeder", "feeders"),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Changes:
    """How many rows of each section changed."""

    created: dict[str, int]
    updated: dict[str, int]
    retired: dict[str, int]

    @property
    def total(self) -> int:
        """Return how many rows changed in all."""
        return sum(sum(d.values()) for d in (self.created, self.updated, self.retired))


def bring(columns: Columns) -> None:
    """Copy the columns into temporary tables; the tables of the grid are not touched."""
    is_source = [False] * columns.count("nodes")
    for position in columns.sources:
        is_source[position] = True
    columns.sections["nodes"]["is_source"] = is_source
    columns.references["meters", "feeder"] = _normal_feeders(columns)
    _execute("SET LOCAL statement_timeout = 0")
    _execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    _execute("SET LOCAL work_mem = '256MB'")
    for target in _TARGETS:
        _copy(target, columns)


def merge(columns: Columns, network: int, *, is_new: bool) -> Changes:
    """Make the tables say what the temporary ones do; return what changed."""
    changes = Changes({}, {}, {})
    for target in _TARGETS:
        source = _resolved(target)
        changes.updated[target.section] = _update(target, source, network)
        with filled(target.table, columns.count(target.section)):
            changes.created[target.section] = _insert(target, source, network)
        _execute(
            f"CREATE TEMP TABLE known_{target.section} ON COMMIT DROP AS SELECT s.n, d.id "  # noqa: S608
            f"FROM new_{target.section} s JOIN {target.table} d USING (code)"
        )
        _execute(f"ANALYZE known_{target.section}")
    for target in reversed(_TARGETS):
        gone = 0 if is_new else _retire(target, network)
        changes.retired[target.section] = gone
    for target in _TARGETS:
        _execute(f"DROP TABLE new_{target.section}, known_{target.section}")
    if changes.total > MANY:
        _execute("ANALYZE " + ", ".join(target.table for target in _TARGETS))
    return changes


def _normal_feeders(columns: Columns) -> NDArray[np.int32]:
    """Return the position of the feeder that feeds each meter in the normal state, or -1."""
    edges, links = columns.sections["edges"], columns.references
    count = columns.count("edges")
    order = np.array(sorted(range(count), key=edges["id"].__getitem__), np.int64)
    leads = np.zeros(count, np.int32)
    breakers = links["feeders", "breaker"]
    led = np.flatnonzero(breakers >= 0)
    leads[breakers[led]] = led + 1
    kinds = np.array([KIND_NUMBERS[kind] for kind in edges["kind"]], np.uint8)
    nodes = columns.count("nodes")
    layout = Layout.of(
        node_pk=np.arange(nodes),
        meters=np.zeros(nodes, np.int32),
        sources=np.array(columns.sources, np.int32),
        edges=Edges(
            codes=CodeTable.of(()),
            pk=order,
            start=links["edges", "from"][order],
            end=links["edges", "to"][order],
            kind=kinds[order],
            normally_closed=np.array(edges["closed"], bool)[order],
            feeder=links["edges", "feeder"][order] + np.int32(1),
            leads=leads[order],
        ),
    )
    return Grid.build(layout).feeder_of_node[links["meters", "node"]] - np.int32(1)


def _copy(target: _Target, columns: Columns) -> None:
    section = columns.sections[target.section]
    count = columns.count(target.section)
    fields = ["n int", 'code text COLLATE "C"']
    values: list[Iterable[Any]] = [range(count), section["id"]]
    for name, kind, said in target.columns:
        fields.append(f"{name} {kind}")
        values.append(_nulled(section[said]) if kind == "float8" else section[said])
    for name, said, _ in target.links:
        fields.append(f"{name} int")
        values.append(columns.references[target.section, said].tolist())
    table = f"new_{target.section}"
    _execute(f"CREATE TEMP TABLE {table} ({', '.join(fields)}) ON COMMIT DROP")
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} FROM STDIN (NULL E'\\x07')") as copy,
    ):
        for text in _lines(values):
            copy.write(text)
    _execute(f"ANALYZE {table}")


def _nulled(column: Column) -> Column:
    return [_NULL if value is None else float(value) for value in column]


def _lines(values: Sequence[Iterable[Any]]) -> Iterator[bytes]:
    line = "\t".join(["%s"] * len(values)) + "\n"
    rows = zip(*values, strict=True)
    while chunk := "".join(map(line.__mod__, islice(rows, CHUNK))):
        yield chunk.replace("\\", "\\\\").encode()


def _resolved(target: _Target) -> str:
    """Return the query of the section's new rows with keys instead of positions."""
    chosen = ["s.n", "s.code", *(f"s.{name}" for name, _, _ in target.columns)]
    joins = ""
    for number, (name, _, to) in enumerate(target.links):
        chosen.append(f"k{number}.id AS {name}")
        joins += f" LEFT JOIN known_{to} k{number} ON k{number}.n = s.{name}"
    return f"(SELECT {', '.join(chosen)} FROM new_{target.section} s{joins})"  # noqa: S608


def _names(target: _Target) -> list[str]:
    return [name for name, _, _ in target.columns] + [name for name, _, _ in target.links]


def _update(target: _Target, source: str, network: int) -> int:
    names = _names(target)
    sets = [f"{name} = s.{name}" for name in names]
    if target.section == "edges":
        sets.append(
            "is_closed = CASE WHEN d.is_closed = d.normally_closed "
            "THEN s.normally_closed ELSE d.is_closed END"
        )
    now = ", ".join(f"d.{name}" for name in names)
    then = ", ".join(f"s.{name}" for name in names)
    return _execute(
        f"UPDATE {target.table} d SET {', '.join(sets)}, network_id = %s, retired = false "  # noqa: S608
        f"FROM {source} s WHERE d.code = s.code "
        f"AND ({now}, d.network_id, d.retired) IS DISTINCT FROM ({then}, %s, false)",
        [network, network],
    )


def _insert(target: _Target, source: str, network: int) -> int:
    names = _names(target)
    into, values = list(names), [f"s.{name}" for name in names]
    if target.section == "edges":
        into.append("is_closed")
        values.append("s.normally_closed")
    return _execute(
        f"INSERT INTO {target.table} (code, network_id, retired, {', '.join(into)}) "  # noqa: S608
        f"SELECT s.code, %s, false, {', '.join(values)} FROM {source} s WHERE NOT EXISTS "
        f"(SELECT 1 FROM {target.table} d WHERE d.code = s.code) ORDER BY s.code",
        [network],
    )


def _retire(target: _Target, network: int) -> int:
    held = "".join(
        f" AND NOT EXISTS (SELECT 1 FROM {table} h WHERE h.{name} = d.id AND NOT h.retired)"  # noqa: S608
        for table, name in target.held_by
    )
    return _execute(
        f"UPDATE {target.table} d SET retired = true WHERE network_id = %s AND NOT retired "  # noqa: S608
        f"AND NOT EXISTS (SELECT 1 FROM new_{target.section} s WHERE s.code = d.code){held}",
        [network],
    )


def _execute(statement: str, parameters: Sequence[Any] | None = None) -> int:
    """Run a statement made of the names above; return how many rows it concerned."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)
