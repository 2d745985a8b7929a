"""Whether events pour in: what is judged meanwhile is soon to be judged again."""

from datetime import datetime, timedelta

from django.db import connection

from apps.outages.models import SourceEvent

LATELY, FEW, MANY = timedelta(seconds=1), 20, 200
BATCH_LOCK = 7_103
"""What a large batch holds, together with all others, as long as it is taken in."""

LARGE_BATCH = 100


def is_calm(*, at: datetime) -> bool:
    """Return whether few events came in during the last second, and no batch is on its way."""
    return _came_in_less_than(MANY, at) and not _is_taking_in()


def is_quiet(*, at: datetime) -> bool:
    """Return whether hardly anything came in during the last second, and no batch is coming."""
    return _came_in_less_than(FEW, at) and not _is_taking_in()


def _came_in_less_than(most: int, at: datetime) -> bool:
    found = SourceEvent.objects.filter(accepted_at__gt=at - LATELY)
    return found.order_by()[:most].count() < most


def _is_taking_in() -> bool:
    """Return whether a large batch is being taken in, or waits for what others hold."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = %s "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
            [BATCH_LOCK],
        )
        return bool(cursor.fetchone()[0])
