"""Words, steps and travel times, without a database."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import Conflict, Invalid, Unprocessable
from apps.crews import rules
from apps.crews.rules import AssignmentStatus as S

ALLOWED = {
    (S.ASSIGNED, S.EN_ROUTE), (S.ASSIGNED, S.ON_SITE), (S.ASSIGNED, S.WORK_COMPLETED),
    (S.EN_ROUTE, S.ON_SITE), (S.EN_ROUTE, S.WORK_COMPLETED), (S.ON_SITE, S.WORK_COMPLETED),
    (S.ASSIGNED, S.CANCELLED), (S.EN_ROUTE, S.CANCELLED), (S.ON_SITE, S.CANCELLED),
}  # fmt: skip


@pytest.mark.parametrize(("now", "then"), list(product(S, S)))
def test_steps_go_forward_with_skips(now, then):
    if (now, then) in ALLOWED:
        rules.check_step(now, then)
    else:
        with pytest.raises(rules.StepRefused):
            rules.check_step(now, then)


def test_a_refused_step_is_a_conflict():
    assert issubclass(rules.StepRefused, Conflict)
    assert issubclass(rules.OutageClosed, Conflict)


@pytest.mark.parametrize("word", ["assigned", "en_route", "on_site", "work_completed"])
def test_status_words(word):
    assert rules.status_of(word) == word


@pytest.mark.parametrize("word", ["cancelled", "flying", "", "ON_SITE"])
def test_an_impossible_status_cannot_be_processed(word):
    with pytest.raises(Unprocessable) as refused:
        rules.status_of(word)
    assert refused.value.fields["allowed_values"] == list(rules.STEPS)


def test_an_unknown_crew_type_is_invalid():
    assert rules.crew_type_of("tree_crew") is rules.CrewType.TREE_CREW
    with pytest.raises(Invalid):
        rules.crew_type_of("boat_crew")


@pytest.mark.parametrize("text", ["", "   ", "x" * 201, "a\0b", "a\x07b"])
def test_impossible_names(text):
    with pytest.raises(Invalid):
        rules.name_of(text)


def test_names_are_trimmed_and_compared_without_case():
    assert rules.name_of("  Line   Crew\tAlpha ") == "Line Crew Alpha"
    assert rules.name_key("  LINE crew  ALPHA") == rules.name_key("Line Crew Alpha")
    assert rules.name_key("Straße") == rules.name_key("STRASSE")


@given(st.text(min_size=1, max_size=60))
def test_a_name_and_its_cleaned_form_are_one_key(text):
    try:
        cleaned = rules.name_of(text)
    except Invalid:
        return
    assert rules.name_key(cleaned) == rules.name_key(text)
    assert rules.name_of(cleaned) == cleaned


def test_notes_have_a_length():
    assert rules.notes_of("  there  ") == "there"
    for text in ("x" * 2001, "a\0"):
        with pytest.raises(Invalid):
            rules.notes_of(text)


def test_words_are_kept_once():
    assert rules.words_of(["Ann", " Ann ", "", "Bob"], "members") == ["Ann", "Bob"]
    with pytest.raises(Invalid):
        rules.words_of([str(n) for n in range(101)], "members")


@pytest.mark.parametrize(
    ("on_shift", "load", "then"),
    [
        (True, 0, "available"),
        (True, 2, "assigned"),
        (False, 0, "off_shift"),
        (False, 1, "off_shift"),
    ],
)
def test_availability(on_shift, load, then):
    assert rules.availability(on_shift=on_shift, open_assignments=load) == then


@pytest.mark.parametrize(
    ("meters", "speed", "minutes"),
    [(0, 30, 0), (500, 30, 1), (501, 30, 2), (15_000, 30, 30), (15_000, 60, 15)],
)
def test_travel_minutes_round_up(meters, speed, minutes):
    assert rules.travel_minutes(meters, speed) == minutes


def test_the_right_type_follows_from_the_severity():
    assert rules.right_types("low") == (rules.CrewType.LINE_CREW,)
    assert rules.CrewType.EMERGENCY_CREW in rules.right_types("critical")


@pytest.mark.parametrize(
    ("latitude", "longitude"), [(91, 0), (0, 181), (float("nan"), 0), (0, float("inf"))]
)
def test_impossible_positions(latitude, longitude):
    with pytest.raises(Invalid):
        rules.check_position(latitude, longitude)
