"""The judgement of a feeder: merges, restorations, momentaries, interruptions."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.actor import system
from apps.core.models import OutboxRow
from apps.network import selectors as network
from apps.network.models import Feeder, Meter
from apps.outages.models import CorrelationWork, Interruption, Outage, SourceEvent
from apps.outages.rules import Status, read_report
from apps.outages.services import change_status, judge, take_reports

pytestmark = pytest.mark.django_db

SENDER = system("test")
_count = iter(range(1, 1_000_000))


def take(clock, *meters, seconds=0, kind="last_gasp", source="smart_meter", device=""):
    places = [{"device_id": device}] if device else [{"meter_id": m} for m in meters]
    events = [
        {
            "event_type": kind,
            "source_type": source,
            "source_event_id": f"j{next(_count)}",
            "timestamp": (clock.at + timedelta(seconds=seconds)).isoformat(),
            **place,
        }
        for place in places
    ]
    reports = [(SENDER, read_report(e, at=clock.at + timedelta(days=1))) for e in events]
    return take_reports(reports=reports, at=clock.at)


def judge_all(clock):
    for key in CorrelationWork.objects.values_list("key", flat=True):
        judge(key=key, at=clock.at)
    return list(Outage.objects.standing().order_by("number"))


def test_two_dark_transformers_below_one_fuse_are_one_outage_at_the_fuse(town, clock):
    take(clock, "m1", "m2", "m4", "m5")
    (outage,) = judge_all(clock)
    assert (outage.device_code, outage.device_kind, outage.customers_count) == (
        "FU-1", "fuse", 6,
    )  # fmt: skip
    merged = Outage.objects.exclude(merged_into=None).get()
    assert merged.merged_into == outage
    assert set(SourceEvent.objects.values_list("outage", flat=True)) == {outage.id}
    assert Interruption.objects.filter(outage=outage).count() == 6


def test_a_feeder_that_is_dark_on_both_laterals_is_its_breaker(town, clock):
    take(clock, "m1", "m2", "m4", "m7", "m8", "m10")
    (outage,) = judge_all(clock)
    assert (outage.device_code, outage.customers_count) == ("CB-1", 12)
    assert outage.critical_customers
    assert outage.severity == "critical"


def test_a_further_report_does_not_make_it_less_grave(town, clock):
    take(clock, "m10", "m12")
    (outage,) = judge_all(clock)
    assert outage.severity == "critical"
    take(clock, "m11")
    outage.refresh_from_db()
    assert (outage.severity, outage.sources) == ("critical", {"smart_meter": 3})


def test_where_nothing_is_to_be_written_the_work_is_closed_all_the_same(town, clock):
    take(clock, "m1", "m2")
    judge_all(clock)
    take(clock, "m3")
    before = Outage.objects.values().get()
    judge_all(clock)
    assert Outage.objects.values().get() == before
    work = CorrelationWork.objects.get()
    assert (work.state, work.waiting) == ("done", 0)
    told = OutboxRow.objects.filter(name="outages.rejudged").order_by("id").last()
    assert told.payload["changed"] == [str(before["id"])]


def test_far_apart_in_time_they_stay_two(town, clock):
    take(clock, "m1", "m2")
    take(clock, "m4", "m5", seconds=3600)
    assert [o.device_code for o in judge_all(clock)] == ["T-1", "T-2"]


def test_judging_twice_changes_nothing(town, clock):
    take(clock, "m1", "m2", "m4", "m5")
    first = [(o.id, o.facts(), o.updated_at) for o in judge_all(clock)]
    clock.forward(minutes=1)
    assert [(o.id, o.facts(), o.updated_at) for o in judge_all(clock)] == first


def test_a_confirmed_outage_never_moves_but_takes_in_what_it_explains(town, clock):
    take(clock, "m1", "m2")
    outage = Outage.objects.get()
    change_status(
        outage_id=outage.id, status=Status.CONFIRMED, notes="", by=SENDER, at=clock.at
    )
    take(clock, "m4", "m5")
    rows = judge_all(clock)
    assert [(o.device_code, o.status) for o in rows] == [
        ("T-1", "confirmed"), ("T-2", "detected"),
    ]  # fmt: skip


def test_outages_that_came_in_before_the_trip_was_told_are_absorbed_by_it(town, clock):
    take(clock, "m1", "m7", seconds=5)
    take(clock, device="CB-1", kind="breaker_trip", source="scada")
    (outage,) = judge_all(clock)
    assert (outage.device_code, outage.sources) == ("CB-1", {"scada": 1, "smart_meter": 2})
    assert outage.number == max(Outage.objects.values_list("number", flat=True))
    assert Interruption.objects.filter(outage=outage).count() == 12
    assert Interruption.objects.count() == 12


def test_when_every_reporting_meter_is_back_it_restores_itself(town, clock):
    take(clock, "m1", "m2")
    judge_all(clock)
    take(clock, "m1", kind="power_up", seconds=3600)
    (outage,) = judge_all(clock)
    assert outage.status == "detected"
    take(clock, "m2", kind="power_up", seconds=3700)
    (outage,) = judge_all(clock)
    assert (outage.status, outage.is_momentary) == ("restored", False)
    assert outage.restored_at == clock.at + timedelta(seconds=3700)
    ended = dict(Interruption.objects.values_list("meter_code", "ended_at"))
    assert ended == {
        "m1": clock.at + timedelta(seconds=3600),
        "m2": clock.at + timedelta(seconds=3700),
        "m3": clock.at + timedelta(seconds=3700),
    }


def test_a_power_up_that_came_in_before_its_loss_counts(town, clock):
    take(clock, "m1", kind="power_up", seconds=50)
    assert SourceEvent.objects.get().outage is None
    take(clock, "m1", seconds=30)
    (outage,) = judge_all(clock)
    assert (outage.status, outage.is_momentary) == ("restored", True)
    assert outage.restored_at == clock.at + timedelta(seconds=50)
    assert set(SourceEvent.objects.values_list("outage", flat=True)) == {outage.id}


def test_a_power_up_before_the_loss_or_of_another_meter_does_not_count(town, clock):
    take(clock, "m1", kind="power_up", seconds=20)
    take(clock, "m2", kind="power_up", seconds=50)
    take(clock, "m1", seconds=30)
    (outage,) = judge_all(clock)
    assert outage.status == "detected"
    assert SourceEvent.objects.filter(outage=None).count() == 2


def test_one_early_power_up_of_two_ends_one_interruption(town, clock):
    take(clock, "m1", kind="power_up", seconds=900)
    take(clock, "m1", "m2", seconds=30)
    (outage,) = judge_all(clock)
    assert (outage.status, outage.device_code) == ("detected", "T-1")
    back = Interruption.objects.exclude(ended_at=None).get()
    assert (back.meter_code, back.ended_at) == ("m1", clock.at + timedelta(seconds=900))
    take(clock, "m2", kind="power_up", seconds=950)
    (outage,) = judge_all(clock)
    assert outage.restored_at == clock.at + timedelta(seconds=950)


def test_a_feeder_costs_as_many_questions_for_many_events_as_for_few(
    town, clock, long_second
):
    take(clock, "m1", "m2")
    judge_all(clock)
    take(clock, "m1", seconds=1)
    with CaptureQueriesContext(connection) as few:
        judge_all(clock)
    take(clock, *(f"m{n}" for n in range(1, 13)), seconds=2)
    judge_all(clock)
    take(clock, "m1", seconds=3)
    with CaptureQueriesContext(connection) as many:
        judge_all(clock)
    assert len(many) <= len(few)


def test_back_within_five_minutes_is_momentary(town, clock):
    take(clock, "m1", "m2")
    take(clock, "m1", "m2", kind="power_up", seconds=280)
    (outage,) = judge_all(clock)
    assert (outage.status, outage.is_momentary) == ("restored", True)
    kinds = SourceEvent.objects.order_by("occurred_at").values_list(
        "disposition", flat=True
    )
    assert list(kinds) == ["momentary", "momentary", "restoration", "restoration"]


def test_a_device_that_scada_holds_open_makes_it_a_candidate_only(town, clock):
    take(clock, device="FU-1", kind="trip", source="scada")
    take(clock, "m1", "m2", seconds=2)
    take(clock, "m1", "m2", kind="power_up", seconds=900)
    (outage,) = judge_all(clock)
    assert outage.status == "detected"
    assert outage.restoration_candidate_at == clock.at + timedelta(seconds=900)
    take(clock, device="FU-1", kind="breaker_close", source="scada", seconds=901)
    (outage,) = judge_all(clock)
    assert outage.status == "restored"


def test_a_device_that_opened_again_does_not_hold_its_first_outage_open(town, clock):
    everybody = ("m1", "m2", "m4", "m5")
    take(clock, device="FU-1", kind="trip", source="scada")
    take(clock, *everybody, seconds=2)
    take(clock, device="FU-1", kind="breaker_close", source="scada", seconds=900)
    take(clock, *everybody, kind="power_up", seconds=901)
    take(clock, device="FU-1", kind="trip", source="scada", seconds=1800)
    take(clock, *everybody, seconds=1802)
    first, second = judge_all(clock)
    assert (first.device_code, second.device_code) == ("FU-1", "FU-1")
    assert (first.status, second.status) == ("restored", "detected")
    assert first.restored_at == clock.at + timedelta(seconds=900)
    assert not Interruption.objects.filter(outage=first, ended_at=None).exists()


@pytest.mark.parametrize("status", [Status.RESTORED, Status.CANCELLED])
def test_whoever_ends_an_outage_closes_its_device(town, clock, status):
    take(clock, device="FU-1", kind="trip", source="scada")
    (outage,) = judge_all(clock)
    assert not is_closed("FU-1")
    change_status(
        outage_id=outage.id, status=status, notes="", by=SENDER, at=clock.forward(minutes=9)
    )
    assert is_closed("FU-1")
    (last, _) = network.switchings("FU-1")
    assert (last.label, last.reason) == ("outages", f"{status.value}: {outage.label}")
    take(clock, "m1", "m2", "m4", "m5", seconds=3600)
    judge_all(clock)
    take(clock, "m1", "m2", "m4", "m5", kind="power_up", seconds=7200)
    *_, later = judge_all(clock)
    assert (later.device_code, later.status) == ("FU-1", "restored")


def test_power_that_is_back_joins_what_began_last_until_it_is_judged(town, clock):
    own, _ = take(clock, "m1", "m2")
    (trip,) = take(clock, device="CB-1", kind="trip", source="scada", seconds=1800)
    (before,) = take(clock, "m2", kind="power_restored", seconds=1200)
    (back,) = take(clock, "m1", kind="power_restored", seconds=2400)
    assert own.outage_id != trip.outage_id
    assert (before.outage_id, back.outage_id) == (own.outage_id, trip.outage_id)


def test_a_step_that_does_not_end_it_leaves_the_device_open(town, clock):
    take(clock, device="FU-1", kind="trip", source="scada")
    (outage,) = judge_all(clock)
    change_status(
        outage_id=outage.id, status=Status.CONFIRMED, notes="", by=SENDER, at=clock.at
    )
    assert not is_closed("FU-1")


def test_a_device_that_is_normally_open_stays_open(town, clock):
    take(clock, device="TIE-1", kind="trip", source="scada")
    for outage in judge_all(clock):
        change_status(
            outage_id=outage.id, status=Status.CANCELLED, notes="", by=SENDER, at=clock.at
        )
    assert not is_closed("TIE-1")


def is_closed(code):
    grid = network.grid(fresh=True)
    return bool(grid.closed[grid.edge_index(code)])


def test_a_recloser_restores_itself(town, clock):
    take(clock, device="R-1", kind="recloser_lockout", source="scada")
    take(clock, device="R-1", kind="recloser_close", source="scada", seconds=1200)
    (outage,) = judge_all(clock)
    assert (outage.status, outage.device_code) == ("restored", "R-1")


def test_interruptions_of_one_meter_never_overlap(town, clock):
    take(clock, device="T-1", kind="outage", source="operator")
    judge_all(clock)
    take(clock, device="CB-1", kind="trip", source="scada", seconds=600)
    outages = judge_all(clock)
    assert [o.device_code for o in outages] == ["T-1", "CB-1"]
    rows = Interruption.objects.values_list("meter_code", "outage__device_code")
    assert dict(rows)["m1"] == "T-1"
    assert len(rows) == 12


def test_what_another_outage_holds_stays_its_own_and_the_rest_is_written(town, clock):
    take(clock, "m14")
    (elsewhere,) = judge_all(clock)
    Interruption.objects.create(
        outage=elsewhere,
        meter_number=Meter.objects.get(code="m1").pk,
        meter_code="m1",
        started_at=clock.at - timedelta(hours=1),
    )
    take(clock, device="T-1", kind="outage", source="operator", seconds=60)
    judge(key=f"feeder:{Feeder.objects.get(code='F1').pk}", at=clock.at)
    rows = dict(Interruption.objects.values_list("meter_code", "outage__device_code"))
    assert rows == {"m1": "m14", "m14": "m14", "m2": "T-1", "m3": "T-1"}


def test_cancelling_takes_the_interruptions_away(town, clock):
    take(clock, "m1", "m2")
    (outage,) = judge_all(clock)
    change_status(
        outage_id=outage.id, status=Status.CANCELLED, notes="false", by=SENDER, at=clock.at
    )
    assert not Interruption.objects.exists()


def test_outages_off_the_network_are_judged_with_as_many_questions_for_one_as_for_many(
    clock, django_assert_max_num_queries
):
    for number in range(30):
        event = {
            "event_type": "outage",
            "source_type": "call_center",
            "source_event_id": f"s{number}",
            "timestamp": clock.at.isoformat(),
            "latitude": 10.0 + number,
            "longitude": 20.0,
        }
        take_reports(reports=[(SENDER, read_report(event, at=clock.at))], at=clock.at)
    with django_assert_max_num_queries(20):
        judge(key="space", at=clock.at)
    assert Outage.objects.open().count() == 30
