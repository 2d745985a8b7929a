"""Storm mode: switched by hand, or by what comes in; and the wish for a practice storm."""

from datetime import datetime

from django.db import connection, transaction

from apps.accounts.services import require
from apps.audit import services as audit
from apps.configuration.selectors import value
from apps.core.actor import Actor
from apps.core.errors import Invalid
from apps.core.outbox import publish
from apps.outages.events import StormModeChanged, StormRequested
from apps.outages.models import StormPeriod
from apps.outages.rules import settings as declared
from apps.outages.rules.storms import Rates, Standing, Turn, turn
from apps.outages.selectors import storms as selectors

STORM_MODE = "outages.storm_mode"
FAULTS = 12
MOST_FAULTS = 100
LONGEST_REASON = 300


@transaction.atomic
def set_storm_mode(*, on: bool, reason: str = "", by: Actor, at: datetime) -> bool:
    """Switch storm mode by hand; return whether that changed anything.

    Switched on by hand, also where it was on by itself, it stays on until it is switched off by
    hand. Switched off by hand, it does not come on by itself before what comes in is no storm
    any more. Raises Forbidden.
    """
    require(by, STORM_MODE)
    _hold()
    row = _in_force()
    if on:
        return _claim(row, reason, by, at) if row else _begin(reason, by, at, by_hand=True)
    if row is None:
        return False
    row.is_armed = False
    _end(row, reason, by, at, by_hand=True)
    return True


@transaction.atomic
def watch_for_storms(*, by: Actor, at: datetime) -> Turn:
    """Switch storm mode on or off by what comes in; return what was done. Raises Forbidden."""
    require(by, STORM_MODE)
    limits = selectors.thresholds()
    found = selectors.rates(limits, at=at)
    if turn(_standing(_latest()), found, limits, at=at) is Turn.NOTHING:
        return Turn.NOTHING
    _hold()
    row = _latest()
    done = turn(_standing(row), found, limits, at=at)
    return done if _take(done, row, found, by, at) else Turn.NOTHING


def _take(
    done: Turn, row: StormPeriod | None, rates: Rates, by: Actor, at: datetime
) -> bool:
    """Do it; return whether it was."""
    if done is Turn.BEGIN:
        automatic = value(declared.STORM_AUTOMATIC)
        return automatic and _begin(_why(rates), by, at, by_hand=False)
    if row is None:
        return False
    match done:
        case Turn.END:
            _end(row, "calm again", by, at, by_hand=False)
        case Turn.GROW_QUIET:
            row.quiet_since = at
        case Turn.STORM_ON:
            row.quiet_since = None
        case Turn.ARM:
            row.is_armed = True
    row.save()
    return True


def _why(rates: Rates) -> str:
    """Return what made it a storm."""
    limits = selectors.thresholds()
    told = (
        (rates.events, limits.events, "events about power"),
        (rates.outages, limits.outages, "new outages"),
    )
    reached = [f"{limit} {what}" for n, limit, what in told if n >= limit]
    return f"{' and '.join(reached)} or more within an hour"


@transaction.atomic
def request_storm(*, faults: int = FAULTS, by: Actor, at: datetime) -> None:
    """Ask for a storm of so many faults on the simulated grid. Raises Forbidden or Invalid."""
    require(by, STORM_MODE)
    if not 1 <= faults <= MOST_FAULTS:
        raise Invalid(f"A storm has 1 to {MOST_FAULTS} faults.", fields={"field": "faults"})
    audit.record(
        by=by, action="storm_request", resource="storm", after={"faults": faults}, at=at
    )
    publish(StormRequested(faults=faults, by=by.label, at=at))


def _hold() -> None:
    """Let one at a time decide about storm mode."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE outages_stormperiod IN SHARE ROW EXCLUSIVE MODE")


def _in_force() -> StormPeriod | None:
    return StormPeriod.objects.filter(ended_at=None).first()


def _latest() -> StormPeriod | None:
    return StormPeriod.objects.order_by("-began_at", "-id").first()


def _standing(row: StormPeriod | None) -> Standing:
    if row is None:
        return Standing(is_on=False)
    return Standing(
        is_on=row.ended_at is None,
        by_hand=row.by_hand,
        quiet_since=row.quiet_since,
        is_armed=row.is_armed,
    )


def _begin(reason: str, by: Actor, at: datetime, *, by_hand: bool) -> bool:
    last = _latest()
    row = StormPeriod.objects.create(
        began_at=max(at, last.ended_at) if last and last.ended_at else at,
        began_by=by.label[:200],
        by_hand=by_hand,
        reason=reason[:LONGEST_REASON],
    )
    _tell(row, None, reason, by, at, by_hand=by_hand)
    return True


def _claim(row: StormPeriod, reason: str, by: Actor, at: datetime) -> bool:
    """Make what is on stay on until somebody switches it off."""
    if row.by_hand:
        return False
    before = row.facts()
    row.by_hand, row.began_by, row.quiet_since = True, by.label[:200], None
    row.reason = reason[:LONGEST_REASON] or row.reason
    row.save()
    _tell(row, before, row.reason, by, at, by_hand=True)
    return True


def _end(row: StormPeriod, reason: str, by: Actor, at: datetime, *, by_hand: bool) -> None:
    before = row.facts()
    row.ended_at, row.ended_by = max(at, row.began_at), by.label[:200]
    row.save()
    _tell(row, before, reason, by, at, by_hand=by_hand)


def _tell(
    row: StormPeriod,
    before: dict[str, object] | None,
    reason: str,
    by: Actor,
    at: datetime,
    *,
    by_hand: bool,
) -> None:
    on = row.ended_at is None
    audit.record(
        by=by,
        action="storm_mode_on" if on else "storm_mode_off",
        resource="storm",
        resource_id=row.pk,
        before=before,
        after={**row.facts(), "reason": reason, "by_hand": by_hand},
        at=at,
    )
    publish(StormModeChanged(on=on, by_hand=by_hand, reason=reason, by=by.label, at=at))
    selectors.forget_storm_mode()
    transaction.on_commit(selectors.forget_storm_mode)
