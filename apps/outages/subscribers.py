"""What outages does when something was published."""

import time
from collections.abc import Sequence
from uuid import UUID

from apps.configuration.selectors import value
from apps.core.actor import system
from apps.core.events import subscribe, subscribe_together
from apps.core.work import WorkState
from apps.outages import services
from apps.outages.events import (
    EventsMatched,
    OutageMoved,
    OutagesRejudged,
    ReplayChanged,
    ZoneEstimateChanged,
)
from apps.outages.rules import Status
from apps.outages.rules.settings import DEBOUNCE_MILLISECONDS, VERIFY_AUTOMATICALLY
from apps.outages.tasks import (
    judge_part,
    judge_waiting,
    make_replays,
    renew_estimates,
    verify_restored,
)

ESTIMATES = system("estimates")
GATHER_SECONDS = 1.0
WAKE_SECONDS = 15.0
"""A meter that has power again answers some seconds later."""
MANY_PARTS = 16
"""Of more parts at once each is found by looking for what is due: a task each costs more."""


class _Nudge:
    """Asks for estimates at most once a second: one asking does all that are due."""

    def __init__(self) -> None:
        self.asked_until = float("-inf")

    def __call__(self) -> None:
        """Ask, unless a task that was asked for has still to begin."""
        now = time.monotonic()
        if now >= self.asked_until:
            self.asked_until = now + GATHER_SECONDS
            renew_estimates.apply_async(countdown=GATHER_SECONDS, expires=30)


_nudge = _Nudge()


@subscribe_together(EventsMatched)
def judge_after_debounce(events: Sequence[EventsMatched]) -> None:
    """Nudge the judge for each part once the debounce of its newly due work is over."""
    wait = value(DEBOUNCE_MILLISECONDS) / 1000 + 0.05
    keys = sorted({key for event in events for key in event.work})
    if len(keys) > MANY_PARTS:
        judge_waiting.apply_async(countdown=wait, expires=30)
        return
    for key in keys:
        judge_part.apply_async([key], countdown=wait, expires=30)


@subscribe_together(EventsMatched)
def estimate_new_outages(events: Sequence[EventsMatched]) -> None:
    """Have it estimated when power is back at outages that have just opened."""
    if any(event.opened for event in events):
        _nudge()


@subscribe_together(OutagesRejudged)
def estimate_changed_outages(events: Sequence[OutagesRejudged]) -> None:
    """Have it estimated anew where a device changed; score where an end has changed."""
    changed = {outage_id for event in events for outage_id in event.changed}
    if changed:
        _nudge()
        services.score_estimates(outage_ids=sorted(changed), by=ESTIMATES)


@subscribe(ZoneEstimateChanged)
def estimate_zone(event: ZoneEstimateChanged) -> None:
    """Have it estimated anew in the zone."""
    _nudge()


@subscribe_together(OutageMoved)
def score_estimates(events: Sequence[OutageMoved]) -> None:
    """Score the estimates of outages once power is back."""
    services.score_estimates(outage_ids=_restored(events), by=ESTIMATES)


@subscribe_together(OutageMoved)
def verify_after_restoration(events: Sequence[OutageMoved]) -> None:
    """Have it verified that power is back, once the meters have had time to wake up."""
    restored = [str(outage_id) for outage_id in _restored(events)]
    if restored and value(VERIFY_AUTOMATICALLY):
        verify_restored.apply_async([restored], countdown=WAKE_SECONDS, expires=300)


def _restored(events: Sequence[OutageMoved]) -> list[UUID]:
    return sorted({e.outage_id for e in events if e.after == Status.RESTORED})


@subscribe(ReplayChanged)
def make_what_was_asked_for(event: ReplayChanged) -> None:
    """Have a replay made that was asked for. One that failed is found once it is due again."""
    if event.state == WorkState.PENDING:
        make_replays.apply_async(expires=30)
