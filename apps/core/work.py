"""Work rows: leases with a fence, so that no job has two owners."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import models

from apps.core.bulk import rows_changed

MAX_ATTEMPTS = 5


class WorkState(models.TextChoices):
    """Where a work row stands."""

    PENDING = "pending"
    LEASED = "leased"
    DONE = "done"
    QUARANTINED = "quarantined"


class WorkRow(models.Model):
    """A promise to do something, kept by whichever worker holds its lease.

    A claim raises `fence`; every later write of the job carries the fence and is refused when
    the row was claimed again in between.
    """

    key = models.CharField(max_length=200, unique=True)
    state = models.CharField(
        max_length=12, choices=WorkState.choices, default=WorkState.PENDING
    )
    run_at = models.DateTimeField()
    lease_owner = models.CharField(max_length=80, default="", blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.BigIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(default="", blank=True)

    class Meta:
        abstract = True


R = TypeVar("R", bound=WorkRow)


def claim(
    model: type[R],
    *,
    owner: str,
    at: datetime,
    lease: timedelta,
    limit: int = 1,
    only: tuple[str, Sequence[Any]] = ("true", ()),
    order: str = "run_at",
) -> list[R]:
    """Take up to `limit` rows that are due, or whose lease has run out, for `owner`.

    By `order`, the oldest first; `only` is a condition on them, with its values.
    """
    table, (condition, values) = model._meta.db_table, only
    found = rows_changed(
        model,
        f"WITH due AS MATERIALIZED (SELECT id FROM {table} WHERE "  # noqa: S608 - our own words
        "(state = 'pending' AND run_at <= %s OR state = 'leased' AND lease_until < %s) "
        f"AND ({condition}) ORDER BY {order} LIMIT %s FOR UPDATE SKIP LOCKED) "
        f"UPDATE {table} SET state = 'leased', lease_owner = %s, lease_until = %s, "
        "fence = fence + 1, attempts = attempts + 1 WHERE id IN (SELECT id FROM due)",
        [at, at, *values, limit, owner, at + lease],
    )
    return sorted(found, key=lambda row: row.run_at)


def finish(row: WorkRow, *, state: str = WorkState.DONE, **values: Any) -> bool:
    """Close a claimed row. Returns False where somebody else has claimed it since."""
    return _fenced(row, {"state": state, "last_error": "", **values})


def retry(row: WorkRow, *, error: str, run_at: datetime) -> bool:
    """Give a claimed row back to be tried at `run_at`, or quarantine it after MAX_ATTEMPTS."""
    spent = row.attempts >= MAX_ATTEMPTS
    state = WorkState.QUARANTINED if spent else WorkState.PENDING
    return _fenced(row, {"state": state, "last_error": error[:2000], "run_at": run_at})


def _fenced(row: WorkRow, values: Mapping[str, Any]) -> bool:
    changed = (
        type(row)
        ._default_manager.filter(pk=row.pk, fence=row.fence, state=WorkState.LEASED)
        .update(lease_owner="", lease_until=None, **values)
    )
    return changed == 1
