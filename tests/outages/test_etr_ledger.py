"""Every published estimate is kept and scored once power is back."""

from datetime import timedelta

import pytest

from apps.core.actor import system
from apps.core.errors import Forbidden
from apps.outages import selectors, services
from apps.outages.models import Outage
from apps.outages.rules import Status

SYSTEM = system("test")


def accuracy(clock):
    selectors.forget_estimates()
    found = selectors.etr_accuracy(viewer=SYSTEM, at=clock.at)
    return {one.source: one for one in found}


def restore(outage, at):
    services.change_status(
        outage_id=outage.id, status=Status.RESTORED, notes="", by=SYSTEM, at=at
    )


def test_every_estimate_is_scored_once_power_is_back(
    past, open_outage, clock, relay_now, renew
):
    for n in range(21):
        past(40 + n)
    outage = open_outage()
    clock.forward(seconds=5)
    renew()
    before = accuracy(clock)
    assert {one.scored for one in before.values()} == {0}
    assert before["statistics"].median_absolute_error is None
    assert before["statistics"].within is None
    restore(outage, outage.first_detected_at + timedelta(minutes=56))
    relay_now()
    errors = dict(outage.estimates.values_list("source", "error_seconds"))
    assert errors == {"default": -124 * 60, "statistics": 6 * 60}
    found = accuracy(clock)
    assert found["statistics"].scored == 1
    assert found["statistics"].median_absolute_error == timedelta(minutes=6)
    assert found["statistics"].within == 1.0
    assert found["default"].bias == timedelta(minutes=-124)
    assert found["default"].within is None
    assert found["crew"].median_absolute_error is None
    ids = [outage.id]
    assert services.score_estimates(outage_ids=ids, by=SYSTEM) == 0


def test_a_merged_outage_is_scored_by_where_it_went(open_outage, clock):
    keeper, other = open_outage("T-1"), open_outage("T-3")
    Outage.objects.filter(id=other.id).update(merged_into=keeper)
    restore(keeper, clock.at + timedelta(minutes=180))
    services.score_estimates(outage_ids=[keeper.id], by=SYSTEM)
    assert other.estimates.get().error_seconds == 0


def test_momentary_planned_and_late_estimates_are_kept_but_not_counted(open_outage, clock):
    planned = open_outage("T-1", event_type="planned_outage")
    brief = open_outage("T-3")
    Outage.objects.filter(id=brief.id).update(is_momentary=True)
    late = open_outage("T-5")
    for outage, minutes in ((planned, 60), (brief, 2), (late, 0)):
        restore(outage, clock.at + timedelta(minutes=minutes))
        services.score_estimates(outage_ids=[outage.id], by=SYSTEM)
        assert outage.estimates.get().error_seconds is not None
    assert accuracy(clock)["default"].scored == 0


def test_a_cancelled_outage_is_never_scored(open_outage, clock, operator):
    outage = open_outage()
    services.change_status(
        outage_id=outage.id, status=Status.CANCELLED, notes="", by=operator, at=clock.at
    )
    assert services.score_estimates(outage_ids=[outage.id], by=SYSTEM) == 0


def test_the_accuracy_is_for_who_sees_outages(clock, db, nobody):
    with pytest.raises(Forbidden):
        selectors.etr_accuracy(viewer=nobody, at=clock.at)
