"""Whom to ask: spread over the transformers, the same for the same seed."""

from hypothesis import given
from hypothesis import strategies as st

from apps.outages.rules import Kind
from apps.outages.rules.verification import WORD_OF, PingState, sample, spread
from apps.outages.rules.words import kind_of

GROUPS = st.lists(st.integers(0, 6), max_size=12).map(
    lambda sizes: [[f"{g}-{n}" for n in range(size)] for g, size in enumerate(sizes)]
)


def test_each_answer_says_what_it_means_for_power():
    kinds = {state: kind_of(word) for state, word in WORD_OF.items()}
    assert kinds == {
        PingState.POWERED: Kind.RESTORATION,
        PingState.DARK: Kind.OUTAGE,
        PingState.NO_ANSWER: Kind.IGNORED,
    }
    # What a verification shows is read from the words.
    assert all(word == f"ping_{state.value}" for state, word in WORD_OF.items())


@given(GROUPS, st.integers(1, 30), st.text(max_size=5))
def test_no_group_has_a_second_before_all_have_a_first(groups, most, seed):
    found = spread(groups, most, seed=seed)
    assert found == spread(groups, most, seed=seed)
    everybody = [one for group in groups for one in group]
    assert len(found) == len(set(found)) == min(most, len(everybody))
    counts = [sum(one in found for one in group) for group in groups]
    most_taken = max(counts, default=0)
    for group, count in zip(groups, counts, strict=True):
        assert count >= min(len(group), most_taken - 1)


@given(st.lists(st.integers(-9, 99)), st.integers(1, 20), st.text(max_size=5))
def test_a_sample_is_some_of_them_in_order(keys, most, seed):
    found = sample(keys, most, seed=seed)
    assert found == sample(reversed(keys), most, seed=seed)
    assert found == sorted(set(found))
    assert set(found) <= set(keys)
    assert len(found) == min(most, len(set(keys)))


def test_another_seed_asks_others():
    groups = [[f"{g}-{n}" for n in range(50)] for g in range(3)]
    assert spread(groups, 10, seed="CB-1:0") != spread(groups, 10, seed="CB-1:1")
