"""The inference alone: parts that are dark already say nothing, and make no outages."""

import pytest

from apps.network.topology import Grid, Layout
from apps.outages.correlation.live import Live
from apps.outages.correlation.parts import Devices
from tests.outages.test_inference import judged, signal
from tests.outages.test_inference_again import many

BELOW, BESIDE = range(3, 15), range(15, 18)
METERS = 20
FUSE, BREAKER = 1, 0


@pytest.fixture
def devices():
    """A breaker, a fuse below it with twelve transformers, and three transformers beside it.

    e0 is the breaker, e1 the fuse; e2 to e13 hang at the fuse, at the nodes 3 to 14, the others
    at the nodes 15 to 17. Each transformer has twenty meters.
    """
    edges = [
        (0, 1, "breaker"),
        (1, 2, "fuse"),
        *[(2, node, "transformer") for node in BELOW],
        *[(1, node, "transformer") for node in BESIDE],
    ]
    meters = dict.fromkeys([*BELOW, *BESIDE], METERS)
    layout = Layout.simple(
        nodes=18, edges=edges, sources=[0], meters=meters, feeders={0: 1}
    )
    return Devices(Grid.build(layout))


def some(what, at, *nodes, count=12):
    """Return that so many meters at each node say so."""
    return many(what, at, *nodes, count=count)


def told(devices, signals):
    """Return the device of each outage, how many it lost and how many came back."""
    return [(h.edge, len(h.lost), len(h.back)) for h, _ in judged(devices, signals)]


def test_who_is_in_the_dark_does_not_speak_against_a_device_above(devices):
    # One transformer of the fuse's twelve was fed again; then the breaker opens.
    fuse = some("l", 100, *BELOW) + some("u", 1000, 3, count=METERS)
    breaker = some("l", 2000, 3, *BESIDE)
    assert told(devices, fuse + breaker) == [(FUSE, 144, 20), (BREAKER, 48, 0)]


def test_only_where_some_are_back_they_are_known_to_have_power(devices):
    first, last = devices.span(FUSE)
    place = devices.position(3)
    live = Live(devices, [(first, last, [place] * 5)])
    edges = {devices.above(node)[0]: node for node in BELOW}
    known = {node: live.surely(edge) for edge, node in edges.items()}
    assert known == {node: 5 if node == 3 else 0 for node in BELOW}
    assert live.surely(devices.above(15)[0]) == METERS


def test_what_a_device_above_keeps_dark_is_no_part_even_where_some_are_back(devices):
    # The breaker feeds a quarter of them by another way when the fuse closes, and the rest later.
    fuse = [signal("t", 100, edge=FUSE), signal("c", 1000, edge=FUSE)]
    breaker = [signal("t", 200, edge=BREAKER), signal("c", 2000, edge=BREAKER)]
    lost = some("l", 100, *BELOW) + some("l", 200, *BESIDE)
    back = some("u", 1001, *BELOW[:3]) + some("u", 2001, *BELOW[3:], *BESIDE)
    found = told(devices, fuse + breaker + lost + back)
    assert [edge for edge, _, _ in found] == [FUSE, BREAKER]


def ends(devices, signals):
    """Return the device of each outage, its end in whole seconds, who is thought to be back."""
    return [
        (h.edge, o.ended_at and int(o.ended_at), len(o.presumed))
        for h, o in judged(devices, signals)
    ]


def test_who_tells_of_power_later_is_no_longer_in_the_dark(devices):
    # Of one transformer nobody told of the return, until all was dark and fed once more.
    first = some("l", 100, *BELOW) + some("u", 1000, *BELOW[1:])
    assert ends(devices, first) == [(FUSE, None, 0)]
    again = some("l", 5000, *BELOW) + some("u", 9000, *BELOW)
    assert ends(devices, first + again) == [(FUSE, 1000.0, 12), (FUSE, 9000.0, 0)]


def test_one_who_told_of_nothing_more_keeps_the_outage_open(devices):
    first = some("l", 100, *BELOW) + some("u", 1000, *BELOW[1:])
    again = some("l", 5000, *BELOW, count=11) + some("u", 9000, *BELOW, count=11)
    assert ends(devices, first + again)[0] == (FUSE, None, 11)


def test_a_single_report_is_over_once_its_meter_tells_of_another_outage(devices):
    alone = many("l", 100, 3, count=1)
    again = some("l", 5000, *BELOW) + some("u", 9000, *BELOW)
    assert ends(devices, alone + again) == [(-1, 5000.0, 1), (FUSE, 9000.0, 0)]


@pytest.mark.parametrize(
    ("back", "ended"), [(1, None), (3, None), (4, 1000.0), (12, 1000.0)]
)
def test_a_third_of_a_transformers_reporters_say_that_it_is_fed(devices, back, ended):
    lost = some("l", 100, *BELOW)
    returned = some("u", 1000, *BELOW[1:]) + some("u", 1000, BELOW[0], count=back)
    assert [at for _, at, _ in ends(devices, lost + returned)] == [ended]
