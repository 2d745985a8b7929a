"""The explanation of an outage: candidates with what is for, silent, against."""

from datetime import timedelta

import pytest

from apps.core.actor import system
from apps.outages import selectors
from apps.outages.models import CorrelationWork, Outage
from apps.outages.rules import read_report
from apps.outages.services import judge, take_reports

pytestmark = pytest.mark.django_db
SENDER = system("test")


def take(clock, word, *meters, seconds=0):
    events = [
        {
            "event_type": word,
            "source_type": "smart_meter",
            "source_event_id": f"x-{word}-{meter}-{seconds}",
            "timestamp": (clock.at + timedelta(seconds=seconds)).isoformat(),
            "meter_id": meter,
        }
        for meter in meters
    ]
    reports = [(SENDER, read_report(e, at=clock.at + timedelta(days=1))) for e in events]
    take_reports(reports=reports, at=clock.at)
    for key in CorrelationWork.objects.values_list("key", flat=True):
        judge(key=key, at=clock.at)


def test_the_chosen_device_explains_best_and_others_are_shown_beside_it(town, clock):
    take(clock, "last_gasp", "m1", "m2", "m4", "m5")
    outage = Outage.objects.standing().get()
    told = selectors.explanation_of(outage_id=outage.id, viewer=SENDER, at=clock.at)
    best = told.candidates[0]
    assert (best.device_id, best.chosen, best.reports_for, best.silent) == (
        "FU-1",
        True,
        4,
        2,
    )
    others = {c.device_id: c for c in told.candidates[1:]}
    assert others["T-1"].reports_for == 2
    assert others["CB-1"].silent == 8
    assert all(c.score <= best.score for c in told.candidates)
    assert (told.basis, told.meters_reporting) == ("topology", 4)


def test_a_meter_that_says_it_has_power_speaks_against(town, clock):
    take(clock, "last_gasp", "m1", "m2")
    take(clock, "power_up", "m3", seconds=600)
    outage = Outage.objects.standing().order_by("number").first()
    told = selectors.explanation_of(outage_id=outage.id, viewer=SENDER, at=clock.at)
    assert told.candidates[0].against == 1


def test_below_a_device_that_scada_named_silence_is_not_counted(town, clock):
    trip = {
        "event_type": "breaker_trip",
        "source_type": "scada",
        "source_event_id": "trip-1",
        "timestamp": clock.at.isoformat(),
        "device_id": "CB-1",
    }
    report = read_report(trip, at=clock.at + timedelta(days=1))
    take_reports(reports=[(SENDER, report)], at=clock.at)
    take(clock, "last_gasp", "m1", "m2", seconds=3)
    outage = Outage.objects.standing().get()
    told = selectors.explanation_of(outage_id=outage.id, viewer=SENDER, at=clock.at)
    best = told.candidates[0]
    assert (best.device_id, best.named, best.why, best.silent) == (
        "CB-1",
        True,
        "named",
        10,
    )
    assert best.score > 0
    assert {c.why for c in told.candidates[1:]} == {"not_named"}


def test_each_candidate_says_how_it_compares(town, clock):
    take(clock, "last_gasp", "m1", "m2", "m4", "m5")
    outage = Outage.objects.standing().get()
    told = selectors.explanation_of(outage_id=outage.id, viewer=SENDER, at=clock.at)
    assert {c.device_id: (c.why, c.unexplained) for c in told.candidates} == {
        "FU-1": ("best", 0),
        "T-1": ("less", 2),
        "T-2": ("less", 2),
        "CB-1": ("silent", 0),
    }


def test_a_single_report_and_a_place_by_coordinates_say_so(town, clock):
    take(clock, "last_gasp", "m1")
    outage = Outage.objects.standing().get()
    told = selectors.explanation_of(outage_id=outage.id, viewer=SENDER, at=clock.at)
    assert told.basis == "report"
    assert {c.device_id for c in told.candidates} >= {"T-1", "FU-1", "CB-1"}
