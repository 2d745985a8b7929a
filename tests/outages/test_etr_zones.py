"""What is said of a whole zone: for what is out there, and for what goes out there."""

from datetime import timedelta

import pytest

from apps.audit.models import AuditEntry
from apps.core.errors import Forbidden, Unprocessable
from apps.core.models import OutboxRow
from apps.outages import selectors, services
from apps.outages.models import ZoneEstimate
from apps.outages.rules import EtrSource, ZoneKind
from apps.outages.services.etr import EtrOutranked, ZoneEstimateNotFound


@pytest.fixture
def say(clock, operator):
    """Say when power is back on a feeder, or in a region."""

    def speak(kind=ZoneKind.FEEDER, code="F1", hours=4, by=operator, **more):
        return services.set_zone_estimate(
            zone_kind=kind,
            zone_code=code,
            estimate_at=clock.at + timedelta(hours=hours),
            by=by,
            at=clock.at,
            **more,
        )

    return speak


def test_a_zone_speaks_for_what_is_out_and_what_goes_out(
    past, open_outage, clock, renew, operator, say
):
    for _ in range(20):
        past(40)
    first, elsewhere = open_outage("T-1"), open_outage("T-5")
    renew()
    row = say()
    later = open_outage("T-3")
    renew()
    for outage in (first, later):
        outage.refresh_from_db()
        assert (outage.etr_source, outage.estimated_restoration_at) == (
            "zone",
            row.estimate_at,
        )
        told = outage.timeline.filter(kind="etr").last()
        assert told.actor_label == operator.label
        assert "feeder F1" in told.text
    elsewhere.refresh_from_db()
    assert elsewhere.etr_source == "statistics"
    trail = AuditEntry.objects.get(action="zone_etr")
    assert (trail.resource_id, trail.before) == ("feeder:F1", None)
    assert OutboxRow.objects.filter(name="outages.zone_estimate_changed").count() == 1


def test_a_feeder_speaks_before_its_region(open_outage, clock, say):
    outage = open_outage()
    say(ZoneKind.REGION, "north", hours=9)
    outage.refresh_from_db()
    assert outage.estimated_restoration_at == clock.at + timedelta(hours=9)
    say(hours=4)
    outage.refresh_from_db()
    assert outage.estimated_restoration_at == clock.at + timedelta(hours=4)


def test_the_latest_word_of_a_zone_counts(open_outage, clock, operator, say):
    outage = open_outage()
    first = say()
    clock.forward(minutes=5)
    second = say(hours=2)
    outage.refresh_from_db()
    assert outage.estimated_restoration_at == second.estimate_at
    first.refresh_from_db()
    assert (first.ended_at, first.ended_by) == (clock.at, operator.label)
    in_force = selectors.zone_estimates_of(outage=outage, at=clock.at)
    assert list(in_force) == [second]


def test_what_was_said_of_one_outage_stands_against_its_zone(
    open_outage, clock, operator, say
):
    outage = open_outage()
    said = clock.at + timedelta(hours=1)
    services.publish_etr(
        outage_id=outage.id,
        estimate_at=said,
        source=EtrSource.OPERATOR,
        by=operator,
        at=clock.at,
    )
    say()
    outage.refresh_from_db()
    assert (outage.etr_source, outage.estimated_restoration_at) == ("operator", said)


def test_a_zone_overrules_the_simulation_of_a_storm(open_outage, clock, operator, say):
    outage = open_outage()
    services.publish_etr(
        outage_id=outage.id,
        estimate_at=clock.at + timedelta(hours=8),
        source=EtrSource.STORM,
        by=operator,
        at=clock.at,
    )
    say()
    outage.refresh_from_db()
    assert outage.etr_source == "zone"
    with pytest.raises(EtrOutranked):
        services.publish_etr(
            outage_id=outage.id,
            estimate_at=clock.at + timedelta(hours=8),
            source=EtrSource.STORM,
            by=operator,
            at=clock.at,
        )


@pytest.mark.parametrize("how", ["withdrawn", "over"])
def test_when_a_zone_is_silent_again_the_portal_estimates(
    past, open_outage, clock, how, renew, operator, say
):
    for _ in range(20):
        past(40)
    outage = open_outage()
    row = say(hours=4, until=clock.at + timedelta(minutes=10))
    if how == "withdrawn":
        services.withdraw_zone_estimate(zone_estimate_id=row.id, by=operator, at=clock.at)
        assert AuditEntry.objects.filter(action="zone_etr_withdraw").count() == 1
    else:
        clock.forward(minutes=11)
        renew()
    outage.refresh_from_db()
    assert outage.etr_source == "statistics"


def test_a_zone_estimate_looks_ahead_and_is_refused_otherwise(
    open_outage, clock, operator, say
):
    open_outage()
    before = ZoneEstimate.objects.count(), AuditEntry.objects.count()
    for wrong in ({"hours": -1}, {"until": clock.at}, {"code": ""}):
        with pytest.raises(Unprocessable):
            say(**wrong)
    with pytest.raises(ZoneEstimateNotFound):
        services.withdraw_zone_estimate(zone_estimate_id=99, by=operator, at=clock.at)
    assert (ZoneEstimate.objects.count(), AuditEntry.objects.count()) == before


@pytest.mark.django_db(transaction=True)
def test_who_may_not_speaks_of_no_zone(clock, nobody, say):
    with pytest.raises(Forbidden):
        say(by=nobody)
    with pytest.raises(Forbidden):
        services.withdraw_zone_estimate(zone_estimate_id=1, by=nobody, at=clock.at)
    assert not ZoneEstimate.objects.exists()
