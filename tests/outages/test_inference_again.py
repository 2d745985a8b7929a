"""The inference alone: a device that opens again within seconds, and what opens just before."""

import pytest

from tests.outages.test_inference import judged, signal, two_fuses

HUNDRED = 100


@pytest.fixture
def devices():
    return two_fuses(HUNDRED)


def said(what, at, node, *numbers, exact=True):
    """Return what these meters at the node say, within a second of one another."""
    return [
        signal(what, at + n / HUNDRED, node * HUNDRED + n, exact=exact)._replace(node=node)
        for n in numbers
    ]


def told(devices, signals):
    """Return of each outage its device, since when, how many it lost and who came back when."""
    return [
        (
            h.edge,
            round(h.since),
            len(h.lost),
            sorted({round(at, -1) for at in h.back.values()}),
        )
        for h, _ in judged(devices, signals)
    ]


def many(what, at, *nodes, count=60):
    """Return that so many of the meters at each node say so."""
    return [s for node in nodes for s in said(what, at, node, *range(count))]


def off(signals):
    """Return the signals by meters whose clocks are up to twenty seconds off."""
    return [s._replace(at=s.at + (-1) ** s.meter * (1 + s.meter % 20)) for s in signals]


def test_a_device_that_opens_again_within_seconds_is_another_outage(devices):
    # The first losses of the second time are heard before most returns of the first.
    first = off(many("l", 100, 4, 5) + many("u", 1000, 4, 5))
    again = off(many("l", 1012, 4, 5) + many("u", 3000, 4, 5))
    found = [
        (h.edge, len(h.lost), max(h.back.values()))
        for h, _ in judged(devices, first + again)
    ]
    assert [(edge, lost, round(at, -2)) for edge, lost, at in found] == [
        (1, 120, 1000),
        (1, 120, 3000),
    ]


def test_a_return_seconds_after_the_loss_is_still_that_of_the_outage_before(devices):
    closing = [signal("c", 1000, edge=0)]
    first = [signal("t", 100, edge=0), *many("l", 100, 4, 5, 6, 7)]
    again = [signal("t", 1004, edge=0), *many("l", 1004.5, 4, 5, 6, 7)]
    back = many("u", 1006, 4, 5, 6, 7) + many("u", 3000, 4, 5, 6, 7)
    found = told(devices, first + closing + again + back)
    assert found == [(0, 100, 240, [1010]), (0, 1004, 240, [3000])]


def test_who_has_no_clock_may_say_a_minute_later_that_power_was_back(devices):
    first = many("l", 100, 4, 5) + said("l", 130, 4, *range(60, 70), exact=False)
    back = many("u", 1000, 4, 5) + said("u", 1090, 4, *range(60, 70), exact=False)
    again = many("l", 1050, 4, 5) + said("l", 1052, 4, *range(60, 70), exact=False)
    later = many("u", 3000, 4, 5) + said("u", 3060, 4, *range(60, 70), exact=False)
    (_, _, _, one), (_, _, _, two) = told(devices, first + back + again + later)
    assert (one, two) == ([1000, 1090], [3000, 3060])


def test_silent_meters_come_back_with_an_outage_that_was_thought_smaller(devices):
    # Below e3 power was back for a minute and lost again; who had reported nothing there comes
    # back when the fuse closes, and not with the outage of an hour before.
    before = [signal("t", 100, edge=1), signal("c", 900, edge=1)]
    before += many("l", 100, 4, 5) + many("u", 900, 4, 5)
    fuse = [signal("t", 4000, edge=1), *many("l", 4000, 4, 5)]
    twice = said("l", 5000, 4, *range(20, 60))
    closes = [signal("c", 6000, edge=1), *many("u", 6000, 5)]
    silent = said("u", 6001, 5, *range(60, 90))
    found = [h for h, _ in judged(devices, before + fuse + twice + closes + silent)]
    assert [len(h.back) for h in found if h.edge == 1] == [120, 90]


def test_a_transformer_that_was_wrongly_thought_dark_has_an_outage_of_its_own(devices):
    # It is a small part of what the breaker lost, but a third of it shows that it had power.
    lost = [signal("t", 100, edge=0), *many("l", 100, 4, 5, 6, 7, count=HUNDRED)]
    closed = [signal("c", 1000, edge=0), *many("u", 1000, 5, 6, 7)]
    own = said("l", 2000, 4, *range(60, 95))
    assert [h.edge for h, _ in judged(devices, lost + closed + own)] == [0, 3]


@pytest.mark.parametrize(
    ("seconds", "found"),
    [(1.0, [0]), (6.0, [0, 3])],
    ids=["at once", "six seconds before"],
)
def test_what_went_dark_seconds_before_the_device_above_has_its_own_cause(
    devices, seconds, found
):
    # Clocks are off by more than that: only all of them together tell the difference.
    trip = signal("t", 100, edge=0)
    first = many("l", 101 - seconds, 4, count=HUNDRED)
    lost = off(first + many("l", 101, 5, 6, 7, count=HUNDRED))
    assert [h.edge for h, _ in judged(devices, [trip, *lost])] == found
