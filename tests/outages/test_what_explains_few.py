"""Of few events, what the database leaves out would not have been chosen among all outages."""

import random
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction

from apps.core.actor import system
from apps.core.bulk import together
from apps.network import selectors as network
from apps.outages.correlation.matching import Matcher
from apps.outages.models import Outage
from apps.outages.rules import read_report
from apps.outages.services import reading, take_reports
from apps.outages.services.batch import Batch
from apps.outages.services.spots import places_of

SENDER = system("test")
MOST = 6


@pytest.fixture
def told(town, clock):
    """Return somebody who tells of something, somewhere in the town, in the last hours."""
    dice = random.Random(11)
    devices = [edge["id"] for edge in town["edges"]]
    clock.forward(hours=12)

    def tell(window):
        place = {"meter_id": f"m{dice.randrange(1, 16)}"}
        if dice.random() < 0.2:
            place = {"device_id": dice.choice(devices)}
        kind = dice.choice(["outage"] * 4 + ["power_restored", "ping_dark"])
        return read_report(
            {
                "event_type": kind,
                "source_type": "smart_meter",
                "source_event_id": uuid4().hex,
                "timestamp": (
                    clock.at - timedelta(seconds=dice.randrange(12 * 3600))
                ).isoformat(),
                "temporal_window_minutes": window,
                **place,
            },
            at=clock.at,
        )

    return tell, dice


def _batch(reports, at):
    held = network.snapshot()
    return Batch(reports, places_of(held, reports), held, at)


def _placed(batch, among):
    """Return which outage each event joins, and which new one it opens."""
    matcher = Matcher(batch.grid, among)
    opened, found = {}, []
    for index in range(len(batch.reports)):
        outcome = batch.place(matcher, index)
        key = outcome.candidate and outcome.candidate.id
        if outcome.created:
            opened[key] = f"new {index}"
        found.append((opened.get(key, key), outcome.how, outcome.disposition))
    return found


def _every(batch):
    rows = reading._ask_where("true")
    return [reading._candidate(batch.grid, reading._Seats(None), row) for row in rows]


def test_the_outages_that_are_asked_for_hold_those_that_fit(told, clock):
    tell, dice = told
    for _ in range(120):
        take_reports(reports=[(SENDER, tell(2))], at=clock.at)
    some = Outage.objects.order_by("?")[:10].values("id")
    Outage.objects.filter(id__in=some).update(status="confirmed", confirmed_at=clock.at)
    joined = fewer = 0
    for _ in range(120):
        reports = [tell(dice.choice([5, 60])) for _ in range(dice.randrange(1, MOST))]
        asked, among_all = _batch(reports, clock.at), _batch(reports, clock.at)
        with transaction.atomic():
            with together():
                asked.ask()
            asked.hear()
            every = _every(among_all)
        fewer += len(every) - len(asked.candidates)
        placed = _placed(asked, asked.candidates)
        assert placed == _placed(among_all, every)
        joined += sum(str(where).startswith("new") is False for where, _, _ in placed)
    assert joined > 100
    assert fewer > 120 * 20, "nearly all outages are read"
