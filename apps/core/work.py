"""Work rows: leases with a fence, so that no job has two owners."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import Q, QuerySet

from apps.core.bulk import array, change

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


@transaction.atomic
def claim(
    rows: QuerySet[R], *, owner: str, at: datetime, lease: timedelta, limit: int = 1
) -> list[R]:
    """Take up to `limit` rows that are due, or whose lease has run out, for `owner`."""
    due = Q(state=WorkState.PENDING, run_at__lte=at)
    abandoned = Q(state=WorkState.LEASED, lease_until__lt=at)
    found = list(
        rows.filter(due | abandoned)
        .order_by("run_at")
        .select_for_update(skip_locked=True, of=("self",))[:limit]
    )
    if not found:
        return []
    change(
        f"UPDATE {rows.model._meta.db_table} SET state = 'leased', "  # noqa: S608
        "lease_owner = %s, lease_until = %s, fence = fence + 1, attempts = attempts + 1 "
        "WHERE id = ANY(%s::bigint[])",
        [owner, at + lease, array(row.pk for row in found)],
    )
    for row in found:
        row.state, row.lease_owner, row.lease_until = WorkState.LEASED, owner, at + lease
        row.fence, row.attempts = row.fence + 1, row.attempts + 1
    return found


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
