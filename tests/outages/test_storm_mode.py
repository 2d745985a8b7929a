"""Storm mode: by hand and by itself, with its history, its trail and the rule in force."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from apps.audit.models import AuditEntry
from apps.configuration import services as configuration
from apps.core.actor import Actor, ActorKind, system
from apps.core.errors import Forbidden
from apps.core.models import OutboxRow
from apps.outages import selectors, services
from apps.outages.models import Outage, SourceEvent, StormPeriod
from apps.outages.rules import Kind, read_report
from apps.outages.rules.storms import Rule, Turn

SYSTEM = system("test")
MANAGER = Actor(
    kind=ActorKind.PERSON,
    label="rula@example.org",
    permissions=frozenset({"outages.storm_mode", "outages.view_outage"}),
)
STANDARD = Rule(timedelta(minutes=30), 1000.0, "standard")
STORM = Rule(timedelta(minutes=60), 2000.0, "storm")
SCADA = Rule(timedelta(minutes=15), 500.0, "scada")


@pytest.fixture
def come_in(db, clock):
    """Let events have come in so many minutes ago."""

    def make(count, minutes=1, kind=Kind.OUTAGE):
        moment = clock.at - timedelta(minutes=minutes)
        SourceEvent.objects.bulk_create(
            SourceEvent(
                source_type="smart_meter",
                source_event_id=uuid4().hex,
                event_type="last_gasp",
                kind=kind,
                occurred_at=moment - timedelta(days=2),
                received_at=moment,
                accepted_at=moment,
                fingerprint="",
                disposition="unresolved",
            )
            for _ in range(count)
        )

    return make


@pytest.fixture
def go_out(db, clock):
    """Let outages have opened so many minutes ago."""

    def make(count, minutes=1.0, **values):
        moment = clock.at - timedelta(minutes=minutes)
        given = {
            "severity": "low",
            "confidence": 0.5,
            "place_kind": "device",
            "first_detected_at": moment,
            "last_event_at": moment,
            "opened_at": moment,
            "updated_at": moment,
        }
        return [Outage.objects.create(**given | values) for _ in range(count)]

    return make


def watch(clock):
    return services.watch_for_storms(by=SYSTEM, at=clock.at)


def is_on():
    return selectors.storm_mode(fresh=True).on


def told():
    rows = AuditEntry.objects.filter(resource="storm").order_by("at", "id")
    events = OutboxRow.objects.filter(name="outages.storm_mode_changed").order_by("id")
    return [row.action for row in rows], [row.payload["on"] for row in events]


def by_hand(clock, on, by=MANAGER):
    return services.set_storm_mode(on=on, reason="wind", by=by, at=clock.at)


def test_a_person_switches_it_on_and_off(db, clock):
    assert by_hand(clock, on=True)
    assert not by_hand(clock, on=True)
    mode = selectors.storm_mode()
    assert (mode.on, mode.by_hand, mode.by, mode.reason, mode.since) == (
        True,
        True,
        MANAGER.label,
        "wind",
        clock.at,
    )
    clock.forward(hours=30)
    assert watch(clock) is Turn.NOTHING
    assert is_on()
    assert by_hand(clock, on=False)
    assert not by_hand(clock, on=False)
    assert not is_on()
    (row,) = selectors.storm_periods(viewer=MANAGER)
    assert (row.began_by, row.ended_by, row.ended_at) == (
        MANAGER.label,
        MANAGER.label,
        clock.at,
    )
    assert told() == (["storm_mode_on", "storm_mode_off"], [True, False])


@pytest.mark.django_db(transaction=True)
def test_who_may_not_switches_nothing(clock, nobody):
    for call in (
        lambda: by_hand(clock, on=True, by=nobody),
        lambda: services.watch_for_storms(by=nobody, at=clock.at),
    ):
        with pytest.raises(Forbidden):
            call()
    assert not StormPeriod.objects.exists()


def test_a_hundred_events_within_an_hour_are_a_storm(come_in, clock):
    come_in(99)
    come_in(50, minutes=61)
    come_in(50, kind=Kind.IGNORED)
    assert watch(clock) is Turn.NOTHING
    come_in(1)
    assert watch(clock) is Turn.BEGIN
    mode = selectors.storm_mode()
    assert (mode.on, mode.by_hand, mode.reason) == (
        True,
        False,
        "100 events about power or more within an hour",
    )
    assert watch(clock) is Turn.NOTHING
    assert told() == (["storm_mode_on"], [True])


def test_five_new_outages_within_an_hour_are_a_storm(go_out, clock):
    first = go_out(4)[0]
    go_out(2, minutes=61)
    go_out(2, is_planned=True)
    go_out(2, is_momentary=True)
    go_out(2, merged_into=first)
    go_out(2, status="cancelled", cancelled_at=clock.at)
    go_out(2, minutes=0.1)
    assert watch(clock) is Turn.NOTHING
    clock.forward(seconds=30)
    assert watch(clock) is Turn.BEGIN
    assert selectors.storm_mode().reason == "5 new outages or more within an hour"


def test_it_ends_by_itself_after_two_calm_hours(come_in, clock):
    come_in(100)
    watch(clock)
    clock.forward(hours=1)
    assert watch(clock) is Turn.GROW_QUIET
    clock.forward(hours=1)
    come_in(20)
    assert watch(clock) is Turn.STORM_ON
    clock.forward(hours=1)
    assert watch(clock) is Turn.GROW_QUIET
    clock.forward(minutes=119)
    assert watch(clock) is Turn.NOTHING
    clock.forward(minutes=1)
    assert watch(clock) is Turn.END
    assert not is_on()
    assert StormPeriod.objects.get().ended_by == SYSTEM.label
    assert told() == (["storm_mode_on", "storm_mode_off"], [True, False])


def test_what_is_kept_on_by_hand_stays_on(come_in, clock):
    come_in(100)
    watch(clock)
    assert by_hand(clock, on=True)
    clock.forward(days=1)
    assert watch(clock) is Turn.NOTHING
    assert is_on()
    assert StormPeriod.objects.count() == 1


def test_what_is_switched_off_by_hand_comes_back_only_with_another_storm(come_in, clock):
    come_in(150)
    watch(clock)
    clock.forward(minutes=5)
    by_hand(clock, on=False)
    clock.forward(minutes=5)
    assert watch(clock) is Turn.NOTHING
    clock.forward(hours=1)
    assert watch(clock) is Turn.ARM
    come_in(150)
    assert watch(clock) is Turn.BEGIN
    assert StormPeriod.objects.count() == 2


def test_it_never_begins_by_itself_where_that_is_off(come_in, clock):
    configuration.change(
        key="outages.storm_mode_automatic", value=False, by=SYSTEM, at=clock.at
    )
    come_in(500)
    assert watch(clock) is Turn.NOTHING
    assert not is_on()
    assert by_hand(clock, on=True)


def test_two_at_once_are_refused_by_the_database(db, clock):
    by_hand(clock, on=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        StormPeriod.objects.create(began_at=clock.at, began_by="x", by_hand=True)


def test_a_clock_that_goes_back_does_no_harm(db, clock):
    by_hand(clock, on=True)
    clock.forward(hours=1)
    by_hand(clock, on=False)
    clock.forward(minutes=-10)
    assert by_hand(clock, on=True)
    assert is_on()


def test_the_rule_follows_the_mode_and_scada_keeps_its_own(db, clock):
    assert selectors.rule_in_force("smart_meter") == STANDARD
    assert selectors.rule_in_force("scada") == SCADA
    by_hand(clock, on=True)
    assert selectors.rule_in_force("call_center") == STORM
    assert selectors.rule_in_force("scada") == SCADA
    by_hand(clock, on=False)
    assert selectors.rule_in_force("smart_meter") == STANDARD


def test_the_rule_costs_no_query_within_a_second(
    db, clock, long_second, django_assert_num_queries
):
    selectors.rule_in_force("smart_meter")
    with django_assert_num_queries(0):
        for _ in range(100):
            selectors.rule_in_force("smart_meter")


def test_an_admin_moves_the_rule(db, clock):
    for key, value in (("storm_window_minutes", 90), ("storm_radius_meters", 3000)):
        configuration.change(key=f"outages.{key}", value=value, by=SYSTEM, at=clock.at)
    by_hand(clock, on=True)
    found = selectors.rule_in_force("onu")
    assert (found.window, found.radius) == (timedelta(minutes=90), 3000.0)


def test_in_a_storm_what_is_farther_apart_still_belongs_together(db, clock):
    def called(name, minutes, north):
        moment = clock.at + timedelta(minutes=minutes)
        event = {
            "event_type": "no_power",
            "source_type": "call_center",
            "source_event_id": name,
            "timestamp": moment.isoformat(),
            "latitude": 31.0 + north / 111_195,
            "longitude": 35.0,
        }
        report = read_report(event, at=moment)
        (receipt,) = services.take_reports(reports=[(SYSTEM, report)], at=moment)
        return receipt.outage_id

    first = called("a", 0, 0)
    assert called("b", 1, 1500) != first
    by_hand(clock, on=True)
    assert called("c", 45, -1500) == first
    by_hand(clock, on=False)
    assert called("d", 46, -3100) != first
