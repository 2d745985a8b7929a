"""The inference alone: what follows from signals, whatever their order."""

import random
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.feeds.storms import (
    SETTINGS,
    Answer,
    Declared,
    Directory,
    read_truth,
    score,
    trial,
    world_of,
)
from apps.network.invention.varied import varied
from apps.network.topology import Grid, Layout
from apps.outages.correlation.bursts import cut
from apps.outages.correlation.course import infer
from apps.outages.correlation.evidence import Pin, Signal, What, ordered, what_said
from apps.outages.correlation.outcome import conclude
from apps.outages.correlation.parts import Devices
from apps.outages.rules import Kind
from apps.outages.rules.words import kind_of

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
MOMENTARY = 300.0
LATER = 1e7
WORDS = {"t": What.TRIP, "l": What.LOSS, "h": What.HINT, "c": What.CLOSE, "u": What.UP}


def two_fuses(meters):
    """A breaker, two fuses, two transformers below each, so many meters at each of them.

    Nodes: 0 bus, 1 behind the breaker, 2 and 3 behind the fuses, 4 to 7 at the transformers.
    The edges are e0, e1 and e2, e3 to e6.
    """
    edges = [
        (0, 1, "breaker"),
        (1, 2, "fuse"), (1, 3, "fuse"),
        (2, 4, "transformer"), (2, 5, "transformer"),
        (3, 6, "transformer"), (3, 7, "transformer"),
    ]  # fmt: skip
    layout = Layout.simple(
        nodes=8, edges=edges, sources=[0], meters=dict.fromkeys(range(4, 8), meters),
        feeders={0: 1},
    )  # fmt: skip
    return Devices(Grid.build(layout))


@pytest.fixture(scope="module")
def devices():
    return two_fuses(8)


def signal(what, at, meter=-1, edge=-1, *, exact=True, name=""):
    """Return a signal; meter 41 is the second at node 4."""
    grid_node = meter // 10 if meter >= 0 else -1
    return Signal(
        float(at), WORDS[what], meter, grid_node, edge, what == "h", exact,
        ("x", name or f"{what}{meter}{edge}{at}"),
    )  # fmt: skip


def judged(devices, signals, pins=()):
    found = infer(devices, ordered(signals), pins, 32)
    return list(zip(found, conclude(found, devices, LATER, MOMENTARY), strict=True))


def codes(devices, signals, pins=()):
    return [
        devices.grid.edge_code(h.edge) if h.edge >= 0 else h.meter
        for h, _ in judged(devices, signals, pins)
    ]


def dark(node, at, *numbers):
    return [signal("l", at + n / 10, node * 10 + n) for n in numbers]


def test_one_report_stays_at_its_meter(devices):
    assert codes(devices, dark(4, 100, 1)) == [41]


def test_the_same_transformer_twice_moves_up_to_it(devices):
    assert codes(devices, dark(4, 100, 1) + dark(4, 160, 2)) == ["e3"]


def test_most_of_a_fuse_is_the_fuse_and_all_is_the_breaker(devices):
    half = dark(4, 100, 1, 2, 3, 4, 5) + dark(5, 100, 1, 2, 3, 4)
    assert codes(devices, half) == ["e1"]
    assert codes(devices, half + dark(6, 100, 1, 2, 3, 4) + dark(7, 100, 1, 2, 3)) == ["e0"]


def test_what_went_dark_well_before_the_rest_has_a_cause_of_its_own(devices):
    first = dark(4, 100, 1, 2, 3, 4, 5, 6, 7, 8)
    rest = (
        dark(5, 200, 1, 2, 3, 4, 5, 6) + dark(6, 200, 1, 2, 3, 4, 5) + dark(7, 200, 1, 2, 3)
    )
    assert codes(devices, first + rest) == ["e3", "e0"]


def test_a_trip_takes_what_comes_after_it_and_not_what_came_before(devices):
    early, late = signal("h", 40, 41), signal("h", 140, 42)
    found = judged(devices, [early, late, signal("t", 100, edge=0)])
    assert [(h.edge, sorted(h.lost)) for h, _ in found] == [(-1, [41]), (0, [42])]


def test_a_few_losses_do_not_hide_a_trip_and_another_lateral_is_its_own(devices):
    trip = signal("t", 100, edge=1)
    assert codes(devices, [trip, *dark(4, 100, 1, 2)]) == ["e1"]
    everywhere = [x for n in (4, 5, 6, 7) for x in dark(n, 100, 1, 2, 3, 4, 5, 6)]
    assert codes(devices, [trip, *everywhere]) == ["e1", "e2"]


def test_a_loss_without_a_time_of_its_own_joins_what_is_dark(devices):
    late = signal("l", 2000, 48, exact=False)
    ((found, _),) = judged(devices, [*dark(4, 100, 1, 2, 3, 4), late])
    assert 48 in found.lost


def test_back_within_five_minutes_is_momentary_even_where_one_stays_silent(devices):
    gone = dark(4, 100, 1, 2, 3, 4, 5)
    back = [signal("u", 130, 40 + n) for n in (1, 2, 3, 4)]
    ((_, outcome),) = judged(devices, gone + back)
    assert (outcome.momentary, outcome.ended_at) == (True, 130.0)
    assert set(outcome.presumed) == {45}


def test_who_lost_power_anew_in_what_is_over_had_it_back_before(devices):
    first, again = signal("l", 100, 45), dark(4, 5_000, 1, 2, 3, 4, 5)
    alone, later = judged(devices, [first, *again])
    assert (alone[1].ended_at, later[1].ended_at) == (None, None)
    back = [signal("u", 7_000, 40 + n) for n in (1, 2, 3, 4)]
    alone, later = judged(devices, [first, *again, *back])
    assert (alone[0].meter, later[0].edge) == (45, 3)
    assert (alone[1].ended_at, later[1].ended_at) == (5_000.5, 7_000.0)


def test_a_meter_that_is_not_back_keeps_a_small_outage_open(devices):
    gone = dark(4, 100, 1, 2, 3)
    ((_, outcome),) = judged(devices, [*gone, signal("u", 4000, 41), signal("u", 4000, 42)])
    assert outcome.ended_at is None


def test_what_stays_dark_when_the_device_closes_goes_on_as_a_part_of_it(devices):
    everywhere = [x for n in (4, 5, 6, 7) for x in dark(n, 100, 1, 2, 3, 4, 5, 6)]
    back = [signal("u", 3000, n * 10 + m) for n in (5, 6, 7) for m in range(1, 7)]
    told = [signal("t", 100, edge=0), signal("c", 3000, edge=0)]
    found = [h for h, _ in judged(devices, everywhere + back + told)]
    assert [h.edge for h in found] == [0]
    assert found[0].remains  # a quarter is a step, not a part of its own


def test_a_meter_and_its_modem_that_tell_of_one_loss_have_one_outage(devices):
    told = [signal("l", 100, 41), signal("l", 101.3, 41, name="modem")]
    ((found, _),) = judged(devices, told)
    assert (found.meter, found.since, len(found.events)) == (41, 100.0, 2)
    later = [signal("l", 5_000, 41), signal("l", 5_001, 41, name="modem")]
    found = judged(devices, [*told, signal("u", 900, 41), *later])
    assert [len(h.events) for h, _ in found] == [3, 2]


def test_a_second_outage_of_the_same_device_is_another_one(devices):
    gone = dark(4, 100, 1, 2, 3, 4)
    back = [signal("u", 1000, 40 + n) for n in (1, 2, 3, 4)]
    again = dark(4, 5000, 1, 2, 3, 5)
    assert codes(devices, gone + back + again) == ["e3", "e3"]


def test_who_reports_another_loss_had_power_although_the_closing_was_not_told(devices):
    first = [x for n in (4, 5, 6, 7) for x in dark(n, 100, 1, 2, 3, 4, 5, 6)]
    again = [x for n in (4, 5, 6, 7) for x in dark(n, 4000, 1, 2, 3, 4, 5, 6)]
    told = [signal("t", 100, edge=0), signal("t", 4000, edge=0)]
    found = [h for h, _ in judged(devices, first + again + told)]
    assert [(h.edge, h.since, len(h.lost)) for h in found] == [
        (0, 100.0, 24),
        (0, 4000.0, 24),
    ]


def test_a_trip_just_after_a_closing_is_another_outage(devices):
    first = [x for n in (4, 5, 6, 7) for x in dark(n, 100, 1, 2, 3, 4, 5, 6)]
    again = [x for n in (4, 5, 6, 7) for x in dark(n, 1010, 1, 2, 3, 4, 5, 6)]
    told = [signal(w, t, edge=0) for w, t in (("t", 100), ("c", 1000), ("t", 1010))]
    found = [h for h, _ in judged(devices, first + again + told)]
    assert [(h.since, h.closed_at, len(h.lost)) for h in found] == [
        (100.0, 1000.0, 24),
        (1010.0, None, 24),
    ]


def test_two_laterals_that_stay_dark_after_a_closing_have_causes_of_their_own(devices):
    everywhere = [x for n in (4, 5, 6, 7) for x in dark(n, 100, 1, 2, 3, 4, 5, 6)]
    back = [signal("u", 3000, n * 10 + m) for n in (4, 6) for m in range(1, 7)]
    told = [signal("t", 100, edge=0), signal("c", 3000, edge=0)]
    found = [h for h, _ in judged(devices, everywhere + back + told)]
    assert [(h.edge, h.parent is not None) for h in found] == [
        (0, False),
        (4, True),
        (6, True),
    ]


def test_power_ups_of_a_meter_belong_to_the_outage_it_was_in(devices):
    gone = dark(4, 100, 1, 2, 3, 4)
    above = [x for n in (5, 6, 7) for x in dark(n, 900, 1, 2, 3, 4, 5)]
    back = [signal("u", 2000, 41), signal("u", 2000, 51)]
    found = {h.edge: h for h, _ in judged(devices, gone + above + back)}
    assert 41 in found[3].back
    assert 51 in found[0].back


def test_a_confirmed_outage_keeps_its_device_and_takes_what_it_explains(devices):
    pin = Pin(UUID(int=1), 1, 2, -1, 50.0, None)
    found = judged(devices, dark(4, 100, 1, 2, 3) + dark(5, 100, 1, 2), [pin])
    assert [(h.pin, sorted(h.lost)) for h, _ in found] == [(pin.key, [41, 42, 43, 51, 52])]


def test_bursts_end_at_pauses_and_long_ones_where_it_is_quiet():
    assert cut([0.0, 1.0, 100.0]) == [(0, 2), (2, 3)]
    times = [float(t) for t in range(30)] + [60.0, 100.0] + [140.0 + t for t in range(30)]
    bursts = cut(times)
    assert bursts[0][0] == 0
    assert bursts[-1][1] == len(times)
    assert all(times[last - 1] - times[first] <= 150 for first, last in bursts)


def summary(found):
    return sorted(
        (
            h.edge,
            h.meter,
            h.since,
            sorted(h.lost.items()),
            sorted(h.back.items()),
            o.momentary,
        )
        for h, o in found
    )


meters = st.sampled_from([n * 10 + m for n in (4, 5, 6, 7) for m in range(1, 9)])
said = st.one_of(
    st.builds(lambda m, t: signal("l", t, m), meters, st.integers(0, 4000)),
    st.builds(lambda m, t: signal("l", t, m, exact=False), meters, st.integers(0, 4000)),
    st.builds(lambda m, t: signal("h", t, m), meters, st.integers(0, 4000)),
    st.builds(lambda m, t: signal("u", t, m), meters, st.integers(0, 4000)),
    st.builds(lambda e, t: signal("t", t, edge=e), st.integers(0, 6), st.integers(0, 4000)),
    st.builds(lambda e, t: signal("c", t, edge=e), st.integers(0, 6), st.integers(0, 4000)),
)


@settings(max_examples=300, deadline=None)
@given(signals=st.lists(said, max_size=60), seed=st.integers(0, 2**32), twice=st.booleans())
def test_shuffled_and_doubled_signals_give_the_same_outages(devices, signals, seed, twice):
    shuffled = signals * 2 if twice else list(signals)
    random.Random(seed).shuffle(shuffled)
    first, second = judged(devices, signals), judged(devices, shuffled)
    assert summary(first) == summary(second)
    every = [s for s in ordered(signals) if s.what is What.LOSS or s.what is What.HINT]
    claimed = [e for h, _ in first for e in h.events]
    assert len(claimed) == len(set(claimed)), "no signal is in two outages"
    places = {i for i, s in enumerate(ordered(signals)) if s in set(every)}
    assert places <= set(claimed), "every loss is in an outage"


@settings(max_examples=100, deadline=None)
@given(signals=st.lists(said, max_size=60))
def test_nobody_comes_back_before_the_outage_began(devices, signals):
    for found, outcome in judged(devices, signals):
        if outcome.ended_at is not None and found.lost:
            assert outcome.ended_at >= min(found.lost.values()) - 40


@pytest.mark.parametrize(
    ("setting", "ari", "recall", "precision", "device"),
    [
        ("easy", 0.99, 0.95, 0.9, 0.9),
        ("hard", 0.93, 0.85, 0.75, 0.8),
        ("gust", 0.87, 0.7, 0.75, 0.65),
    ],
)  # fmt: skip
def test_storms_become_the_right_outages(setting, ari, recall, precision, device):
    records = world_of(varied(6_000, seed=11))
    storm = trial(records, SETTINGS[setting], seed=5, starts_at=START, faults=40)
    got = score(read_truth(storm.truth_lines()), answer_of(records, storm))
    assert got.ari >= ari
    assert got.recall >= recall
    assert got.precision >= precision
    assert got.right_device >= device


def answer_of(records, storm):
    """Return what the inference makes of the storm, feeder by feeder."""
    grid, directory = records.grid, Directory(records)
    devices, parts = Devices(grid), {}
    first = {told.name: told for told in reversed(storm.signals)}
    for told in storm.signals:
        heard = as_signal(grid, directory, told)
        if heard is not None and first[told.name] is told:
            parts.setdefault(int(grid.feeder_of_node[heard.node]), []).append(heard)
    events, outages = {}, {}
    for feeder, heard in parts.items():
        signals = ordered(heard)
        size = int(grid.layout.meters[grid.feeder_of_node == feeder].sum())
        hypotheses = infer(devices, signals, (), size)
        outcomes = conclude(hypotheses, devices, signals[-1].at + 3600, MOMENTARY)
        for number, (found, outcome) in enumerate(zip(hypotheses, outcomes, strict=True)):
            code = grid.edge_code(found.edge) if found.edge >= 0 else str(found.meter)
            key = f"{feeder}-{number}"
            outages[key] = Declared(code, outcome.momentary)
            events |= {signals[e].name: key for e in found.events}
    return Answer(events, outages)


def as_signal(grid, directory, told):
    event = told.event
    kind = kind_of(event["event_type"])
    node, edge, meter = directory.node(event), directory.edge(event), directory.meter(event)
    if kind in (None, Kind.IGNORED) or node is None:
        return None
    at = datetime.fromisoformat(event["timestamp"])
    call = event["source_type"] == "call_center"
    back = kind is Kind.RESTORATION
    what = what_said(back=back, of_device=edge is not None, noticed=call)
    exact = abs((told.arrives_at - at).total_seconds()) > 0.002
    name = (event["source_type"], event["source_event_id"])
    return Signal(
        at.timestamp(), what, -1 if meter is None else meter, node,
        -1 if edge is None else edge, call, exact, name,
    )  # fmt: skip
