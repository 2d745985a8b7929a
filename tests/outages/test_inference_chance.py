"""The inference alone: what is chance, what is a repetition, and what a closing could not end."""

import pytest

from apps.network.topology import Grid, Layout
from apps.outages.correlation.parts import Devices
from tests.outages.test_inference import codes, dark, judged, signal


@pytest.fixture
def devices():
    """A breaker, a fuse below it with three transformers, and two transformers beside it.

    e0 is the breaker, e1 the fuse, e2 to e4 its transformers with 12 meters each, at the nodes 3
    to 5; e5 and e6 hang at the breaker, with 4 and 40 meters, at the nodes 6 and 7.
    """
    edges = [
        (0, 1, "breaker"),
        (1, 2, "fuse"),
        (2, 3, "transformer"), (2, 4, "transformer"), (2, 5, "transformer"),
        (1, 6, "transformer"), (1, 7, "transformer"),
    ]  # fmt: skip
    meters = {3: 12, 4: 12, 5: 12, 6: 4, 7: 40}
    layout = Layout.simple(nodes=8, edges=edges, sources=[0], meters=meters, feeders={0: 1})
    return Devices(Grid.build(layout))


def loose(node, *times):
    """Return losses of as many meters at the node, without times of their own."""
    return [signal("l", at, node * 10 + n, exact=False) for n, at in enumerate(times)]


def back(node, at, *numbers):
    return [signal("u", at + n / 10, node * 10 + n) for n in numbers]


def test_two_losses_of_a_large_transformer_are_chance_where_nobody_else_speaks(devices):
    assert codes(devices, loose(6, 100, 160)) == ["e5"]
    assert codes(devices, loose(7, 100, 160)) == [70, 71]


def test_two_exact_losses_minutes_apart_have_two_causes(devices):
    apart = dark(6, 100, 1) + dark(6, 400, 2)
    assert codes(devices, apart) == [61, 62]


def test_two_callers_below_one_transformer_have_one_cause_however_large_it_is(devices):
    calls = [signal("h", 200, 71), signal("h", 500, 72)]
    assert codes(devices, calls) == ["e6"]
    assert codes(devices, [signal("l", 100, 70, exact=False), *calls]) == [70, "e6"]


def all_of(said, at, *nodes):
    """Return that eight meters at each node say so."""
    return [x for node in nodes for x in said(node, at, *range(8))]


def test_who_lost_power_again_does_not_repeat_a_return(devices):
    told = [signal("t", 100, edge=0), signal("c", 1000, edge=0)]
    first = all_of(dark, 100, 3, 4, 7) + all_of(back, 1000, 3, 4, 7)
    blink = all_of(dark, 1300, 3) + all_of(back, 1320, 3)
    found = judged(devices, told + first + blink)
    assert [(h.edge, len(h.back), o.momentary) for h, o in found] == [
        (0, 24, False),
        (2, 8, True),
    ]


def test_a_return_after_a_trip_that_the_meter_did_not_report_is_not_a_repetition(devices):
    first = all_of(dark, 100, 3) + all_of(back, 1000, 3)
    told = [signal("t", 1200, edge=0), signal("c", 1500, edge=0)]
    second = all_of(dark, 1200, 4, 7) + all_of(back, 1500, 3, 4, 7)
    found = {h.edge: h for h, _ in judged(devices, first + told + second)}
    assert max(found[2].back.values()) < 1100
    assert len(found[0].back) == 24


def test_a_return_told_twice_is_one(devices):
    twice = all_of(back, 1000, 3) + back(3, 1200, 1)
    ((found, _),) = judged(devices, all_of(dark, 100, 3) + twice)
    assert found.back[31] == 1200.1


def test_a_device_that_closes_below_an_open_one_leaves_no_parts(devices):
    fuse = [signal("t", 100, edge=1), signal("c", 3000, edge=1)]
    breaker = [signal("t", 2000, edge=0), signal("c", 5000, edge=0)]
    signals = all_of(dark, 100, 3, 4, 5) + all_of(back, 1000, 5) + all_of(dark, 2000, 7)
    signals += all_of(back, 5000, 3, 4, 7)
    found = [h for h, _ in judged(devices, fuse + breaker + signals)]
    assert [(h.edge, len(h.back)) for h in found] == [(1, 24), (0, 8)]


def told(devices, signals):
    """Return the device of each outage and how many came back from it."""
    return [(h.edge, len(h.back)) for h, _ in judged(devices, signals)]


def test_who_is_kept_in_the_dark_by_an_open_device_below_is_not_waited_for(devices):
    lost = all_of(dark, 100, 3, 4, 5, 7)
    trips = [signal("t", 100, edge=0), signal("t", 500, edge=1), signal("c", 2000, edge=1)]
    returns = all_of(back, 1000, 7) + all_of(back, 2000, 3, 4, 5)
    assert told(devices, lost + trips + returns) == [(0, 8), (1, 24)]


def test_what_an_open_device_below_keeps_dark_did_not_stay_dark_by_the_upper(devices):
    lost = all_of(dark, 100, 3, 7)
    upper = [signal("t", 100, edge=0), signal("c", 1000, edge=0)]
    lower = [signal("t", 500, edge=2), signal("c", 2000, edge=2)]
    returns = all_of(back, 1000, 7) + all_of(back, 2000, 3)
    assert told(devices, lost + upper + lower + returns) == [(0, 8), (2, 8)]


def test_an_outage_that_ends_as_the_next_begins_takes_the_returns_of_silent_meters(devices):
    again = dark(3, 996, 0, 1, 2) + dark(4, 996, 0, 1, 2) + all_of(dark, 1020, 5, 7)
    heard = back(3, 1001, *range(3, 8)) + back(4, 1001, *range(3, 8))
    silent = [signal("u", 1002, meter) for meter in (38, 39, 48, 49, 58, 59)]
    heard += all_of(back, 1001, 5) + silent
    trip = signal("t", 1020, edge=0)
    found = told(devices, [*all_of(dark, 100, 3, 4, 5), *again, *heard, trip])
    assert found == [(1, 24), (0, 0)]


def test_returns_long_after_a_closing_are_no_prompt_ones(devices):
    fuse = [signal("t", 100, edge=1), signal("c", 3000, edge=1)]
    breaker = [signal("t", 2000, edge=0), signal("c", 3100, edge=0)]
    lost = all_of(dark, 100, 3, 4, 5) + all_of(dark, 2000, 7)
    returns = all_of(back, 3110, 3) + all_of(back, 3125, 4, 5, 7)
    assert told(devices, fuse + breaker + lost + returns) == [(1, 24), (0, 8)]


def test_returns_from_before_a_second_opening_belong_to_the_first(devices):
    fuse = [signal("t", 100, edge=1), signal("c", 1000, edge=1), signal("t", 1320, edge=1)]
    lost = all_of(dark, 100, 3, 4, 5) + dark(3, 1297, 0, 1) + all_of(dark, 1320, 4, 5)
    first = all_of(back, 1301, 4, 5)
    second = [signal("c", 2000, edge=1), *all_of(back, 2000, 4, 5)]
    found = judged(devices, fuse + lost + first + second)
    assert [(h.edge, min(h.back.values())) for h, _ in found] == [(1, 1301), (1, 2000)]
