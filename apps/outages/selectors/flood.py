"""Whether events pour in: what is judged meanwhile is soon to be judged again."""

from datetime import datetime, timedelta

from apps.core.bulk import ask, planned_by_index, together

LATELY, FEW, MANY = timedelta(seconds=1), 50, 200
BATCH_LOCK = 7_103
"""What a large batch holds, together with all others, as long as it is taken in."""

LARGE_BATCH = 100


def is_calm(*, at: datetime) -> bool:
    """Return whether few events came in during the last second, and no batch is on its way."""
    return _comes_in_less_than(MANY, at)


def is_quiet(*, at: datetime) -> bool:
    """Return whether hardly anything came in during the last second, and no batch is coming."""
    return _comes_in_less_than(FEW, at)


def _comes_in_less_than(most: int, at: datetime) -> bool:
    """Return whether less came in lately, and no large batch is taken in or waits to be."""
    with together(), planned_by_index():
        told = ask(
            "SELECT CASE WHEN (SELECT count(*) FROM (SELECT FROM outages_sourceevent "
            "WHERE accepted_at > %s LIMIT %s) AS lately) >= %s THEN false "
            "ELSE NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' "
            "AND classid = %s AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())) END",
            [at - LATELY, most, most, BATCH_LOCK],
        )
    return told.fetchone() == (True,)
