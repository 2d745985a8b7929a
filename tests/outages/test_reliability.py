"""What an outage cost its customers, to the minute and by one statement."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.outages import selectors
from apps.outages.models import Interruption
from apps.outages.selectors import RestorationStep


@pytest.fixture
def interrupt(open_outage, clock):
    """Interrupt customers of an outage for so many minutes each; None is still out."""
    outage = open_outage("CB-1")
    Interruption.objects.filter(outage=outage).delete()

    def write(*lasted):
        began = outage.first_detected_at
        Interruption.objects.filter(outage=outage).delete()
        Interruption.objects.bulk_create(
            Interruption(
                outage=outage,
                meter_number=n,
                meter_code=f"m{n}",
                started_at=began,
                ended_at=None if one is None else began + timedelta(minutes=one),
            )
            for n, one in enumerate(lasted)
        )
        return outage

    return write


def figures(outage, at):
    return selectors.reliability_of(outage=outage, at=at)


def test_nobody_interrupted_is_no_figure(interrupt, clock):
    found = figures(interrupt(), clock.at)
    assert (found.customers_interrupted, found.customer_minutes) == (0, 0.0)
    assert (found.longest, found.steps) == (None, [])


def test_minutes_steps_and_the_longest(interrupt, clock):
    outage = interrupt(30, 30.5, 31, 90, 90, 3, None)
    began = outage.first_detected_at
    found = figures(outage, began + timedelta(minutes=120))
    assert found.customers_interrupted == 7
    assert found.customers_still_out == 1
    assert found.momentary_customers == 1
    assert found.customer_minutes == 30 + 30.5 + 31 + 90 + 90 + 3 + 120
    assert found.longest == timedelta(minutes=120)
    assert found.steps == [
        RestorationStep(began + timedelta(minutes=3), 1),
        RestorationStep(began + timedelta(minutes=31), 3),
        RestorationStep(began + timedelta(minutes=90), 2),
    ]


def test_what_begins_later_than_it_is_asked_lasts_nothing(interrupt, clock):
    outage = interrupt(None)
    found = figures(outage, outage.first_detected_at - timedelta(minutes=5))
    assert (found.customer_minutes, found.longest) == (0.0, timedelta(0))


def test_one_statement_counts_it(interrupt, clock):
    outage = interrupt(*range(200), *[None] * 100)
    with CaptureQueriesContext(connection) as queries:
        figures(outage, clock.at)
    assert len(queries) <= 2


MINUTES = st.lists(st.one_of(st.none(), st.integers(0, 300)), max_size=12)


@settings(max_examples=40)
@given(MINUTES)
def test_steps_and_those_still_out_are_all(interrupt, lasted):
    outage = interrupt(*lasted)
    end = outage.first_detected_at + timedelta(minutes=300)
    found = figures(outage, end)
    assert sum(step.customers for step in found.steps) == len(lasted) - lasted.count(None)
    assert found.customers_still_out == lasted.count(None)
    expected = sum(300 if one is None else one for one in lasted)
    assert found.customer_minutes == pytest.approx(expected)
    times = [step.at for step in found.steps]
    assert all(b - a > timedelta(minutes=1) for a, b in zip(times, times[1:], strict=False))
