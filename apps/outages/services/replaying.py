"""Have a past period played again: in the background, one after the other, kept for a week."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from uuid_utils.compat import uuid7

from apps.accounts.services import require
from apps.audit import services as audit
from apps.core import locks, work
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.core.outbox import publish
from apps.core.work import MAX_ATTEMPTS, WorkState
from apps.outages.events import ReplayChanged
from apps.outages.models import ReplayRun
from apps.outages.rules.replaying import packed
from apps.outages.selectors.flood import is_calm
from apps.outages.selectors.replaying import check_period, replay

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
VIEW = "outages.view_outage"
KEPT = timedelta(days=7)
LEASE = timedelta(minutes=2)
MOST_WAITING = 3
"""So many replays may wait that one person asked for."""

TOLD_EVERY = 1.0
LOOK_EVERY = 0.25
RESTS_WHILE_BUSY = 3.0
"""So many times as long as it worked a replay rests while events pour in."""

AGAIN_AFTER = timedelta(seconds=10)
_ALONE = (
    "NOT EXISTS (SELECT FROM outages_replayrun busy "
    "WHERE busy.state = 'leased' AND busy.lease_until >= %s)"
)


@transaction.atomic
def ask_replay(*, start: datetime, end: datetime, by: Actor, at: datetime) -> ReplayRun:
    """Have the events that came in during the period played again; return the row to look at.

    Where the same period waits already, that is it. Raises Forbidden, Invalid for an empty or
    too long period, or Conflict where several of the person's wait already.
    """
    require(by, VIEW)
    check_period(start=start, end=end)
    locks.hold("outages.ask_replay")
    unmade = ReplayRun.objects.unmade()
    same = unmade.filter(starts_at=start, ends_at=end).first()
    if same is not None:
        return same
    if unmade.filter(asker_id=by.user_id).count() >= MOST_WAITING:
        raise Conflict(f"{MOST_WAITING} replays that you asked for wait already.")
    key = uuid7()
    row = ReplayRun.objects.create(
        id=key,
        key=f"replay:{key}",
        run_at=at,
        starts_at=start,
        ends_at=end,
        asked_at=at,
        asked_by=by.label,
        asker_id=by.user_id,
    )
    audit.record(
        by=by,
        action="replay_ask",
        resource="replay",
        resource_id=str(row.id),
        after={"start": start.isoformat(), "end": end.isoformat()},
        at=at,
    )
    publish(ReplayChanged(run_id=row.id, state=row.state, at=at))
    return row


def make_replay(*, by: Actor, at: datetime, clock: Clock) -> bool:
    """Make the replay that waits longest, unless one is being made; return whether there was.

    `clock` tells the time while it is made. One of which the maker died is made again once its
    lease has run out, unless that happened too often. What was asked for a week ago goes.
    """
    ReplayRun.objects.filter(asked_at__lt=at - KEPT).delete()
    alone = (_ALONE, [at])
    rows = work.claim(ReplayRun, owner=by.label, at=at, lease=LEASE, only=alone)
    for row in rows:
        if row.attempts > MAX_ATTEMPTS:
            _give_back(row, RuntimeError("Whoever made it died, each time."), clock())
            continue
        try:
            _make(row, by, clock)
        except _TakenOverError:
            logger.warning("Replay %s is made by somebody else", row.id)
        except Exception as fault:
            logger.exception("Replay %s failed", row.id)
            _give_back(row, fault, clock())
    return bool(rows)


def _make(row: ReplayRun, by: Actor, clock: Clock) -> None:
    pace = _Pace(row, clock)
    found = replay(start=row.starts_at, end=row.ends_at, viewer=by, pace=pace)
    film, now = packed(found), clock()
    with transaction.atomic():
        if not work.finish(row, film=film, events=found.events, made_at=now, share=1.0):
            raise _TakenOverError
        publish(ReplayChanged(run_id=row.id, state=WorkState.DONE.value, at=now))


@transaction.atomic
def _give_back(row: ReplayRun, fault: Exception, now: datetime) -> None:
    """Have it tried again, or leave it where it failed too often."""
    if work.retry(row, error=str(fault), run_at=now + AGAIN_AFTER):
        row.refresh_from_db(fields=["state"])
        publish(ReplayChanged(run_id=row.id, state=row.state, at=now))


class _TakenOverError(Exception):
    """The lease ran out, and somebody else makes the replay now."""


class _Pace:
    """Tells how far a replay is and renews its lease; gives way while events pour in."""

    def __init__(self, row: ReplayRun, clock: Clock) -> None:
        self._row, self._clock = row, clock
        self._told_at = self._looked_at = time.monotonic()

    def __call__(self, share: float) -> None:
        now = time.monotonic()
        if now - self._told_at >= TOLD_EVERY:
            self._told_at = now
            self._tell(share)
        if now - self._looked_at >= LOOK_EVERY:
            if not is_calm(at=self._clock()):
                time.sleep(RESTS_WHILE_BUSY * (now - self._looked_at))
            self._looked_at = time.monotonic()

    def _tell(self, share: float) -> None:
        held = ReplayRun.objects.filter(
            pk=self._row.pk, fence=self._row.fence, state=WorkState.LEASED
        )
        if not held.update(share=share, lease_until=self._clock() + LEASE):
            raise _TakenOverError
