"""What outages does when something was published."""

from apps.configuration.selectors import value
from apps.core.events import subscribe
from apps.outages.events import EventsMatched
from apps.outages.rules.settings import DEBOUNCE_MILLISECONDS
from apps.outages.tasks import judge_part


@subscribe(EventsMatched)
def judge_after_debounce(event: EventsMatched) -> None:
    """Nudge the judge for each part once the debounce of its newly due work is over."""
    wait = value(DEBOUNCE_MILLISECONDS) / 1000 + 0.05
    for key in event.work:
        judge_part.apply_async([key], countdown=wait, expires=30)
