"""Interruptions: nobody is without power twice at once."""

from math import inf
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from apps.outages.correlation.darktimes import Reach, share_out

A, B, C = (UUID(int=n) for n in (1, 2, 3))
NUMBERS = tuple(range(100, 110))
POSITIONS = tuple(range(10))


def rows(*reaches):
    return [tuple(t) for t in share_out(reaches, NUMBERS, POSITIONS)]


def test_an_outage_interrupts_all_below_it_until_it_is_over():
    assert rows(Reach(A, 0, 2, 5.0, 50.0)) == [(A, 100, 5.0, 50.0), (A, 101, 5.0, 50.0)]


def test_who_is_back_earlier_is_counted_until_then():
    reach = Reach(A, 0, 2, 5.0, 50.0, back={100: 20.0})
    assert rows(reach) == [(A, 100, 5.0, 20.0), (A, 101, 5.0, 50.0)]


def test_what_stayed_dark_when_most_were_back_is_counted_longer():
    reach = Reach(A, 0, 3, 5.0, inf, rest=30.0, spans=((1, 2, inf),))
    assert rows(reach) == [(A, 100, 5.0, 30.0), (A, 101, 5.0, inf), (A, 102, 5.0, 30.0)]


def test_the_first_holds_and_the_second_begins_where_it_ends():
    first, second = Reach(A, 0, 1, 5.0, 20.0), Reach(B, 0, 2, 10.0, 40.0)
    assert rows(first, second) == [
        (A, 100, 5.0, 20.0),
        (B, 100, 20.0, 40.0),
        (B, 101, 10.0, 40.0),
    ]


def test_a_part_takes_its_meters_from_the_whole():
    whole = Reach(A, 0, 2, 5.0, 30.0)
    part = Reach(B, 1, 2, 5.0, 90.0, is_part=True)
    assert rows(whole, part) == [(B, 101, 5.0, 90.0), (A, 100, 5.0, 30.0)]


@st.composite
def reaches(draw):
    first = draw(st.integers(0, 9))
    since = draw(st.floats(0, 1000))
    return Reach(
        draw(st.sampled_from([A, B, C])),
        first,
        draw(st.integers(first, 10)),
        since,
        draw(st.one_of(st.just(inf), st.floats(0, 2000))),
        back=draw(st.dictionaries(st.sampled_from(NUMBERS), st.floats(0, 2000), max_size=5)),
        dark=draw(st.frozensets(st.sampled_from(NUMBERS), max_size=3)),
        rest=draw(st.one_of(st.just(inf), st.floats(0, 2000))),
        is_part=draw(st.booleans()),
    )  # fmt: skip


@given(st.lists(reaches(), max_size=8))
def test_the_interruptions_of_one_meter_never_overlap(found):
    busy = {}
    for time in sorted(share_out(found, NUMBERS, POSITIONS), key=lambda t: t.since):
        assert time.since < time.until
        assert time.since >= busy.get(time.meter, -inf)
        busy[time.meter] = time.until
