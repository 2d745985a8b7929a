"""Prove the trail from within: walk each chain, and see whether its guards are on.

The digest is computed here from the rows, not by the function that the trigger uses, so that
a changed function shows.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

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
TRIGGERS = """
    SELECT c.relname, t.tgname, t.tgenabled::text, p.prosrc FROM pg_trigger t
    JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE NOT t.tgisinternal
    AND c.oid IN ('audit_auditentry'::regclass, 'audit_auditlink'::regclass)
"""
REFUSES = "RAISE EXCEPTION 'the audit trail is append-only"
GUARDS = {
    ("audit_auditentry", "audit_chain"): "INSERT INTO audit_auditlink",
    ("audit_auditentry", "audit_keep"): REFUSES,
    ("audit_auditentry", "audit_keep_all"): REFUSES,
    ("audit_auditlink", "audit_keep"): REFUSES,
    ("audit_auditlink", "audit_keep_all"): REFUSES,
}


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


def guard_faults() -> Iterator[Fault]:
    """Yield the guards of the tables that are gone, switched off or refuse nothing."""
    with connection.cursor() as cursor:
        cursor.execute(TRIGGERS)
        found = {(table, name): row for table, name, *row in cursor.fetchall()}
    for (table, name), body in GUARDS.items():
        enabled, source = found.get((table, name), ("", ""))
        if enabled != "A":
            yield Fault(table, f"guard {name}", "gone or switched off")
        elif body not in source:
            yield Fault(table, f"guard {name}", "does something else")


def heads() -> list[tuple[str, int, str]]:
    """Return the last link of each chain: stream, number and hash in hexadecimal."""
    with connection.cursor() as cursor:
        cursor.execute(HEADS)
        return [
            (stream, seq, bytes(found).hex()) for stream, seq, found in cursor.fetchall()
        ]


def hash_of(stream: str, seq: int) -> str | None:
    """Return the hash of a link in hexadecimal; None where there is no such link."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT hash FROM audit_auditlink WHERE stream = %s AND seq = %s",
            [stream, seq],
        )
        row = cursor.fetchone()
    return bytes(row[0]).hex() if row else None


def _links() -> Iterator[tuple[str, int, bytes, bytes, bool, bytes]]:
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(LINKS)
        while rows := cursor.fetchmany(CHUNK):
            yield from rows
