"""Read the rows of the grid into arrays, and keep large ones on disk for other processes."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db import connection
from numpy.typing import NDArray

from apps.network.rules import KINDS
from apps.network.topology import CodeTable, Edges, Grid, Layout, Tree

LARGE = 5_000
"""From this many edges on the compiled arrays are kept on disk and shared."""

_HEADER_BYTES, _TRAILER_BYTES = 19, 2
_NODES = "SELECT id, is_source FROM network_node WHERE NOT retired ORDER BY id"
_EDGES = (
    "SELECT id, from_node_id, to_node_id, "  # noqa: S608 - only our own words go in
    f"(array_position(ARRAY{list(KINDS)}, kind::text) - 1)::int2, "
    "normally_closed, is_closed, coalesce(feeder_id, 0) "
    "FROM network_edge WHERE NOT retired ORDER BY code"
)
_CODES = "SELECT code FROM network_edge WHERE NOT retired ORDER BY code"
_METERS = "SELECT node_id FROM network_meter WHERE NOT retired"
_LEADS = (
    "SELECT f.id, e.id FROM network_feeder f JOIN network_edge e ON e.code = f.breaker "
    "WHERE NOT f.retired AND NOT e.retired"
)


def compile_grid() -> Grid:
    """Return the grid in its actual state, from the rows."""
    node = _read(_NODES, "i8", "?")
    edge = _read(_EDGES, "i8", "i8", "i8", "i2", "?", "?", "i8")
    lead = _read(_LEADS, "i8", "i8")
    node_pk = node["f0"].astype(np.int64)
    pk = edge["f0"].astype(np.int64)
    leads = np.zeros(len(pk), np.int32)
    by_pk = np.argsort(pk)
    leads[by_pk[np.searchsorted(pk, lead["f1"], sorter=by_pk)]] = lead["f0"]
    layout = Layout.of(
        node_pk=node_pk,
        meters=_count(node_pk, _read(_METERS, "i8")["f0"]),
        sources=np.flatnonzero(node["f1"]).astype(np.int32),
        edges=Edges(
            codes=_codes(),
            pk=pk,
            start=_positions(node_pk, edge["f1"]),
            end=_positions(node_pk, edge["f2"]),
            kind=edge["f3"].astype(np.uint8),
            normally_closed=edge["f4"].copy(),
            feeder=edge["f6"].astype(np.int32),
            leads=leads,
        ),
    )
    return Grid.build(layout, edge["f5"].copy())


def _read(query: str, *types: str) -> NDArray[Any]:
    """Return the rows of a query without nulls as a structured array: f0, f1 and so on."""
    fields: list[tuple[str, str]] = [("columns", ">i2")]
    for number, kind in enumerate(types):
        fields += [
            (f"size{number}", ">i4"),
            (f"f{number}", kind if kind == "?" else f">{kind}"),
        ]
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)") as copy,
    ):
        data = b"".join(copy)
    return np.frombuffer(data[_HEADER_BYTES:-_TRAILER_BYTES], np.dtype(fields))


def _codes() -> CodeTable:
    with connection.cursor() as cursor, cursor.copy(f"COPY ({_CODES}) TO STDOUT") as copy:
        data = b"".join(copy)
    text = np.frombuffer(data.replace(b"\\\\", b"\\"), np.uint8)
    ends = np.flatnonzero(text == ord("\n"))
    lengths = np.diff(ends, prepend=-1) - 1
    return CodeTable.packed(text[text != ord("\n")].tobytes(), lengths)


def _positions(node_pk: NDArray[np.int64], wanted: NDArray[Any]) -> NDArray[np.int32]:
    return np.searchsorted(node_pk, wanted.astype(np.int64)).astype(np.int32)


def _count(node_pk: NDArray[np.int64], nodes: NDArray[Any]) -> NDArray[np.int32]:
    found = np.bincount(_positions(node_pk, nodes), minlength=len(node_pk))
    return found.astype(np.int32)


# --- On disk --------------------------------------------------------------------------


def save(stamp: str, grid: Grid) -> None:
    """Keep the arrays of a large grid, named by the stamp of its structure; drop older ones."""
    if len(grid.closed) < LARGE:
        return
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix="making-", dir=folder))
    for name, array in _arrays(grid).items():
        np.save(making / f"{name}.npy", array)
    try:
        making.rename(folder / stamp)
    except OSError:  # another process was first
        shutil.rmtree(making, ignore_errors=True)
    for old in folder.iterdir():
        if old.name != stamp and not old.name.startswith("making-"):
            shutil.rmtree(old, ignore_errors=True)


def load(stamp: str) -> Grid | None:
    """Return the grid kept under the stamp, its arrays shared between processes, or None."""
    folder = _folder() / stamp

    def part(kind: type[Any], prefix: str, **given: Any) -> Any:
        names = [name for name in kind.__slots__ if name not in given]
        loaded = {n: _mapped(folder / f"{prefix}{n}.npy") for n in names}
        return kind(**given, **loaded)

    try:
        edges = part(Edges, "edges_", codes=part(CodeTable, "codes_"))
        layout = part(Layout, "layout_", edges=edges)
        return part(Grid, "grid_", layout=layout, tree=part(Tree, "tree_"))  # type: ignore[no-any-return]
    except (FileNotFoundError, ValueError):  # none kept, or just being replaced
        return None


def _mapped(path: Path) -> NDArray[Any]:
    return np.load(path, mmap_mode="r").view(np.ndarray)  # type: ignore[no-any-return]


def _folder() -> Path:
    return Path(settings.VAR_DIR) / "grid"


def _arrays(grid: Grid) -> dict[str, NDArray[Any]]:
    parts: dict[str, Any] = {
        "grid_": grid,
        "tree_": grid.tree,
        "layout_": grid.layout,
        "edges_": grid.layout.edges,
        "codes_": grid.layout.edges.codes,
    }
    return {
        f"{prefix}{name}": value
        for prefix, part in parts.items()
        for name in part.__slots__
        if isinstance(value := getattr(part, name), np.ndarray)
    }
