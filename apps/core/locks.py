"""Locks by name, held by the database until the transaction ends (PostgreSQL's advisory locks)."""

import hashlib

from django.db import connection


def hold(name: str) -> None:
    """Wait until nobody else holds the name, and hold it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_number(name)])


def try_hold(name: str) -> bool:
    """Hold the name until the transaction ends; return False where somebody else does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_number(name)])
        row = cursor.fetchone()
    return bool(row and row[0])


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
