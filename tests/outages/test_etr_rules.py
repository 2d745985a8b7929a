"""How long like outages lasted, and whose word counts. Exact values."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.outages.rules import ETR_RANK, EtrSource
from apps.outages.rules.etr import (
    Experience,
    Likeness,
    default_minutes,
    is_outranked,
    quantile,
    whole_minute,
)

FUSE, NORTH = Likeness("fuse"), Likeness("fuse", "", "north")
NEW = timedelta(seconds=10)


def minutes(*numbers):
    return [n * 60.0 for n in numbers]


def lasted(likeness, *numbers):
    return [(likeness, minutes(*numbers))]


def test_the_precedence_is_that_of_the_trade():
    order = ["crew", "operator", "zone", "storm", "statistics", "default"]
    assert sorted(ETR_RANK, key=ETR_RANK.__getitem__) == order


@pytest.mark.parametrize("source", EtrSource)
def test_only_the_more_trusted_outranks(source):
    assert not is_outranked(source, by="")
    assert not is_outranked(source, by=source)
    for other in EtrSource:
        assert is_outranked(source, by=other) == (ETR_RANK[other] < ETR_RANK[source])


@pytest.mark.parametrize(
    ("share", "found"), [(0, 10), (0.1, 14), (0.5, 30), (0.9, 46), (1, 50)]
)
def test_a_quantile_lies_between_its_neighbours(share, found):
    assert quantile([10, 20, 30, 40, 50], share) == pytest.approx(found)


def test_one_number_is_every_quantile():
    assert [quantile([7.0], share) for share in (0, 0.5, 1)] == [7.0] * 3


def test_the_median_and_its_interval_come_from_like_outages():
    known = Experience(lasted(NORTH, *range(10, 31)))
    found = known.forecast(NORTH, lasted=NEW, least=20)
    assert found.lasts == timedelta(minutes=20)
    assert (found.low, found.high) == (timedelta(minutes=12), timedelta(minutes=28))
    assert (found.samples, found.likeness) == (21, NORTH)


def test_the_class_is_widened_until_it_is_large_enough():
    south = Likeness("fuse", "", "south")
    known = Experience(lasted(NORTH, *range(10, 29)) + lasted(south, 90))
    found = known.forecast(NORTH, lasted=NEW, least=20)
    assert (found.samples, found.likeness) == (20, FUSE)
    assert known.forecast(NORTH, lasted=NEW, least=21) is None
    assert known.forecast(Likeness("breaker"), lasted=NEW, least=1) is None


def test_the_cause_counts_before_the_region():
    tree = Likeness("fuse", "tree", "south")
    known = Experience(lasted(tree, *[50] * 20) + lasted(NORTH, *[10] * 40))
    asked = Likeness("fuse", "tree", "north")
    found = known.forecast(asked, lasted=NEW, least=20)
    assert (found.likeness, found.lasts) == (
        Likeness("fuse", "tree"),
        timedelta(minutes=50),
    )


def test_who_lasts_longer_is_compared_with_those_that_lasted_longer():
    known = Experience(lasted(FUSE, *range(10, 31)))
    found = known.forecast(FUSE, lasted=timedelta(minutes=20), least=10)
    assert (found.samples, found.lasts) == (10, timedelta(minutes=25.5))
    assert known.forecast(FUSE, lasted=timedelta(minutes=20), least=11) is None


@given(
    st.lists(st.integers(300, 1_000_000), min_size=1, max_size=50),
    st.integers(0, 1_000_000),
)
def test_an_estimate_is_ahead_and_within_its_interval(seconds, so_far):
    known = Experience([(FUSE, seconds)])
    found = known.forecast(FUSE, lasted=timedelta(seconds=so_far), least=1)
    longer = [one for one in seconds if one > so_far]
    assert (found is None) == (not longer)
    if found is not None:
        assert found.low <= found.lasts <= found.high
        assert found.samples == len(longer)


def test_names_of_classes_say_what_they_are():
    assert str(Likeness("fuse", "tree", "north")) == "fuse, tree, north"
    assert str(FUSE) == "fuse"


def test_the_default_is_that_of_the_kind():
    known = {"fuse": 120, "service": 90}
    assert default_minutes(known, "fuse") == 120
    assert default_minutes(known, "") == 90


def test_an_estimate_is_a_whole_minute():
    noon = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    assert whole_minute(noon) == noon
    assert whole_minute(noon + timedelta(seconds=1)) == noon + timedelta(minutes=1)
