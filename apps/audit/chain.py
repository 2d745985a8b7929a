"""Prove the trail: walk each chain, and compare it with checkpoints kept outside the database.

The digest is computed here from the rows, not by the function that the trigger uses, so that
a changed function shows.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

CHUNK = 5_000
PARTS = (
    "e.user_id::text",
    "e.on_behalf_of",
    "e.action",
    "e.resource",
    "e.resource_id",
    "e.before::text",
    "e.after::text",
    "e.address",
    "e.agent",
    "e.request_id",
)


def _part(column: str) -> str:
    return (
        f"CASE WHEN {column} IS NULL THEN '\\xffffffff'::bytea "
        f"ELSE int4send(octet_length(convert_to({column}, 'UTF8'))) "
        f"|| convert_to({column}, 'UTF8') END"
    )


CANONICAL = " || ".join(
    [
        "uuid_send(e.id)",
        _part("e.stream"),
        "int8send((extract(epoch FROM e.at) * 1000000)::bigint)",
        *map(_part, ("e.actor_kind", "e.actor_label", *PARTS)),
    ]
)
LINKS = f"""
    SELECT l.stream, l.seq, l.previous, l.hash, e.id IS NOT NULL,
        sha256(l.previous || int8send(l.seq) || {CANONICAL})
    FROM audit_auditlink l
    LEFT JOIN audit_auditentry e ON e.id = l.entry_id AND e.stream = l.stream
    ORDER BY l.stream, l.seq
"""  # noqa: S608 - constants only
UNCHAINED = """
    SELECT e.stream, e.id FROM audit_auditentry e
    LEFT JOIN audit_auditlink l ON l.entry_id = e.id WHERE l.id IS NULL ORDER BY e.at LIMIT 100
"""
HEADS = """
    SELECT DISTINCT ON (stream) stream, seq, hash FROM audit_auditlink
    ORDER BY stream, seq DESC
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """Where the trail is not what was written, and how it shows."""

    stream: str
    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.stream} {self.place}: {self.what}"


@dataclass(slots=True)
class _Walk:
    stream: str
    seq: int
    hash: bytes


def faults() -> Iterator[Fault]:
    """Walk every chain and every entry; yield what is wrong, where."""
    walk = _Walk("", 0, b"")
    for stream, seq, previous, found, present, computed in _links():
        if stream != walk.stream:
            walk = _Walk(stream, 0, hashlib.sha256(stream.encode()).digest())
        place = f"link {seq}"
        if seq != walk.seq + 1:
            yield Fault(stream, f"links {walk.seq + 1} to {seq - 1}", "deleted")
        elif bytes(previous) != walk.hash:
            yield Fault(
                stream, place, f"does not follow link {walk.seq}: reordered or replaced"
            )
        if not present:
            yield Fault(stream, place, "its entry was deleted")
        elif bytes(computed) != bytes(found):
            yield Fault(stream, place, "its entry was changed")
        walk = _Walk(stream, seq, bytes(found))
    with connection.cursor() as cursor:
        cursor.execute(UNCHAINED)
        for stream, entry_id in cursor.fetchall():
            yield Fault(stream, f"entry {entry_id}", "was written past the chain")


def write_checkpoint(path: Path, *, at: datetime) -> int:
    """Append the signed head of each chain that has moved; return how many.

    Without a copy of the heads elsewhere, a deleted tail and a chain computed anew as a whole
    cannot be seen.
    """
    known = {line["stream"]: line["seq"] for line in _checkpoints(path)}
    with connection.cursor() as cursor:
        cursor.execute(HEADS)
        heads = [
            (stream, seq, bytes(found).hex()) for stream, seq, found in cursor.fetchall()
        ]
    moved = [head for head in heads if known.get(head[0]) != head[1]]
    lines = []
    for stream, seq, found in moved:
        line: dict[str, Any] = {
            "stream": stream,
            "seq": seq,
            "hash": found,
            "at": at.isoformat(),
        }
        lines.append(json.dumps({**line, "mac": _mac(line)}) + "\n")
    if lines:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.writelines(lines)
    return len(lines)


def checkpoint_faults(path: Path) -> Iterator[Fault]:
    """Compare every checkpoint with the chain; yield what is wrong, where."""
    for line in _checkpoints(path):
        signed = {name: line[name] for name in ("stream", "seq", "hash", "at")}
        if not hmac.compare_digest(str(line.get("mac", "")), _mac(signed)):
            yield Fault(
                line["stream"], f"checkpoint {line['seq']}", "its signature is wrong"
            )
            continue
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT hash FROM audit_auditlink WHERE stream = %s AND seq = %s",
                [line["stream"], line["seq"]],
            )
            row = cursor.fetchone()
        if row is None:
            yield Fault(
                line["stream"], f"link {line['seq']}", "deleted since its checkpoint"
            )
        elif bytes(row[0]).hex() != line["hash"]:
            yield Fault(
                line["stream"], f"link {line['seq']}", "not what its checkpoint says"
            )


def _links() -> Iterator[tuple[str, int, bytes, bytes, bool, bytes]]:
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(LINKS)
        while rows := cursor.fetchmany(CHUNK):
            yield from rows


def _checkpoints(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def _mac(line: dict[str, Any]) -> str:
    told = json.dumps(line, sort_keys=True).encode()
    return hmac.new(settings.AUDIT_KEY.encode(), told, hashlib.sha256).hexdigest()
