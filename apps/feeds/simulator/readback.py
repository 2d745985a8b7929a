"""Read from a running portal what it made of a storm."""

import time
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from apps.feeds.simulator.client import Away, Portal
from apps.feeds.storms.scoring import Answer, Declared, Name, TruthSheet
from apps.feeds.storms.telling import TRIP_WORDS

PAGE = 5_000
MARGIN = timedelta(hours=3)
"""Events whose meter has no clock are as late as the head-end got them."""
WAIT_SECONDS = 0.5
TRIES = 3


def wait_until_settled(portal: Portal, *, seconds: float) -> bool:
    """Wait until no event waits for inference; return whether that came within the time.

    Raises Away or Refused.
    """
    until = time.monotonic() + seconds
    while portal.statistics().get("backlog") != 0:
        if time.monotonic() >= until:
            return False
        time.sleep(WAIT_SECONDS)
    return True


def answer_of(portal: Portal, truth: TruthSheet) -> Answer:
    """Return what the portal has now of the events of a storm. Raises Away or Refused.

    An outage of which the storm has one event alone is not asked for.
    """
    period, offset, total = _period(truth), 0, 1
    events: dict[Name, str | None] = {}
    while offset < total:
        page = _page(portal, offset, period)
        total, offset = page["total"], offset + PAGE
        for row in page["events"]:
            name = (row["source_type"], row["source_event_id"])
            if name in truth.named:
                events[name] = row["outage_id"]
    return Answer(events, {key: _declared(portal, key) for key in _told_of(truth, events)})


def _told_of(truth: TruthSheet, events: Mapping[Name, str | None]) -> list[str]:
    """Return the outages that hold two events of the storm or more, or a SCADA trip."""
    sizes = Counter(key for key in events.values() if key is not None)
    tripped = {key for name, key in events.items() if truth.named[name].word in TRIP_WORDS}
    return [key for key, size in sizes.items() if size > 1 or key in tripped]


def _page(portal: Portal, offset: int, period: str) -> dict[str, Any]:
    for _ in range(TRIES):
        page = portal.events(offset, PAGE, period)
        if "events" in page:
            return page
    raise Away("the portal gave no page of events")


def _declared(portal: Portal, key: str) -> Declared:
    found = portal.outage(key)["outage"]
    return Declared(found["device_id"] or "", bool(found["is_momentary"]))


def _period(truth: TruthSheet) -> str:
    if not truth.outages:
        return ""
    since = min(outage.period[0] for outage in truth.outages) - MARGIN
    until = max(outage.period[1] for outage in truth.outages) + MARGIN
    return urlencode({"since": since.isoformat(), "until": until.isoformat()})
