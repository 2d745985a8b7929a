"""What the database says of its connections."""

from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True, slots=True)
class Connections:
    """How many connections there are, how many work, how many callers wait for one."""

    size: int
    working: int
    waiting: int


def connections() -> Connections:
    """Ask the database, and count.

    Of this process' pool where it has one, else of all sessions of this database. Raises
    OperationalError where the database is away.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE state <> 'idle') FROM pg_stat_activity "
            "WHERE datname = current_database() AND backend_type = 'client backend'"
        )
        size, working = cursor.fetchone() or (0, 0)
    pool = getattr(connection, "pool", None)
    if pool is None:
        return Connections(size, working, 0)
    found = pool.get_stats()
    held = found["pool_size"] - found["pool_available"]
    return Connections(found["pool_max"], held, found.get("requests_waiting", 0))
