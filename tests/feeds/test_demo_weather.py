"""Who decides about storms while the demo runs."""

import pytest

from apps.configuration import selectors
from apps.configuration import services as configuration
from apps.core.actor import system
from apps.feeds.demo import weather
from apps.outages.rules.settings import STORM_AUTOMATIC

DEMO, ADMIN = system("demo"), system("nadia")


@pytest.fixture
def decide(db, clock):
    def change(value):
        configuration.change(
            key=weather.AUTOMATIC, value=value, by=ADMIN, at=clock.forward(minutes=1)
        )

    return change


def automatic():
    selectors.forget()
    return selectors.value(STORM_AUTOMATIC)


def test_the_demo_leaves_storms_to_people_and_takes_that_with_it(db, clock):
    assert automatic()
    weather.leave_storms_to_people(by=DEMO, at=clock.at)
    assert not automatic()
    weather.let_storms_come(by=DEMO, at=clock.forward(minutes=1))
    assert automatic()


def test_what_an_admin_decided_stands(clock, decide):
    weather.leave_storms_to_people(by=DEMO, at=clock.at)
    decide(value=True)
    weather.leave_storms_to_people(by=DEMO, at=clock.forward(minutes=1))
    assert automatic()
    decide(value=False)
    weather.let_storms_come(by=DEMO, at=clock.forward(minutes=1))
    assert not automatic()
