"""When storm mode begins and ends by itself. Exact values."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.outages.rules.storms import Rates, Standing, Thresholds, Turn, turn

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LIMITS = Thresholds(events=100, outages=5, calm_events=20, calm_for=timedelta(hours=2))
OFF, HELD_BACK = Standing(is_on=False), Standing(is_on=False, is_armed=False)
ON, BY_HAND = Standing(is_on=True), Standing(is_on=True, by_hand=True)


def since(minutes):
    return Standing(is_on=True, quiet_since=NOON - timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("standing", "events", "outages", "done"),
    [
        (OFF, 99, 4, Turn.NOTHING),
        (OFF, 100, 0, Turn.BEGIN),
        (OFF, 0, 5, Turn.BEGIN),
        (ON, 100, 5, Turn.NOTHING),
        (ON, 20, 0, Turn.NOTHING),
        (ON, 19, 0, Turn.GROW_QUIET),
        (ON, 19, 5, Turn.NOTHING),
        (since(119), 19, 0, Turn.NOTHING),
        (since(120), 19, 4, Turn.END),
        (since(119), 20, 0, Turn.STORM_ON),
        (since(500), 0, 5, Turn.STORM_ON),
        (BY_HAND, 0, 0, Turn.NOTHING),
        (BY_HAND, 1000, 50, Turn.NOTHING),
        (HELD_BACK, 100, 0, Turn.NOTHING),
        (HELD_BACK, 0, 5, Turn.NOTHING),
        (HELD_BACK, 99, 4, Turn.ARM),
    ],
)
def test_what_is_done(standing, events, outages, done):
    assert turn(standing, Rates(events, outages), LIMITS, at=NOON) is done
