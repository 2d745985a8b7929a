"""One feeder of SimBench's MV1.101 trips: by SCADA and gasps, by gasps alone, and comes back."""

import random
from datetime import timedelta

import pytest

from apps.core.actor import system
from apps.network import selectors as network
from apps.network import services as network_services
from apps.network.gateways import simbench
from apps.outages.models import CorrelationWork, Interruption, Outage
from apps.outages.rules import read_report
from apps.outages.services import judge, take_reports

pytestmark = pytest.mark.django_db
BREAKER, CUSTOMERS = "MV1.101 Switch 7", 666
SENDER = system("test")


@pytest.fixture(scope="module")
def document():
    return simbench.document("MV1.101")


@pytest.fixture
def meters(document, db, clock):
    """Import the grid; return the codes of the meters below the breaker."""
    network_services.import_network(document=document, by=SENDER, at=clock.at)
    network.look_again()
    return [meter.code for meter in network.meters_under(BREAKER)]


def send(clock, events, at):
    reports = [(SENDER, read_report(event, at=at)) for event in events]
    take_reports(reports=reports, at=at)
    for key in CorrelationWork.objects.filter(waiting__gt=0).values_list("key", flat=True):
        judge(key=key, at=at)


def event(word, source, name, at, **place):
    return {
        "event_type": word,
        "source_type": source,
        "source_event_id": name,
        "timestamp": at.isoformat(),
        **place,
    }


def gasps(clock, meters, word="last_gasp", after=0.0, share=0.62, seed=7):
    """Return the messages that arrive: lossy, each meter within some seconds."""
    chance = random.Random(seed)
    return [
        event(
            word,
            "smart_meter",
            f"{word}-{meter}",
            clock.at + timedelta(seconds=after + chance.random() * 20),
            meter_id=meter,
        )
        for meter in meters
        if chance.random() < share
    ]


@pytest.mark.parametrize("by_scada", [True, False], ids=["scada", "gasps alone"])
def test_the_breaker_is_found_with_all_its_customers_and_comes_back(
    meters, clock, by_scada
):
    assert len(meters) == CUSTOMERS
    events = gasps(clock, meters)
    if by_scada:
        events.append(event("breaker_trip", "scada", "trip", clock.at, device_id=BREAKER))
    random.Random(1).shuffle(events)
    send(clock, events, clock.at + timedelta(seconds=40))
    (outage,) = Outage.objects.standing()
    assert (outage.device_code, outage.customers_count) == (BREAKER, CUSTOMERS)
    assert outage.region_code == "north"
    assert Interruption.objects.filter(outage=outage).count() == CUSTOMERS
    back = gasps(clock, meters, "power_up", after=3_600, share=0.9, seed=8)
    if by_scada:
        at = clock.at + timedelta(hours=1)
        back.append(event("breaker_close", "scada", "close", at, device_id=BREAKER))
    send(clock, back, clock.at + timedelta(seconds=3_640))
    outage.refresh_from_db()
    if not by_scada:
        assert outage.status == "detected", "who is silent is waited for"
        work = CorrelationWork.objects.get(key=f"feeder:{outage.feeder_number}")
        assert (work.state, work.waiting) == ("pending", 0)
        assert work.run_at < clock.at + timedelta(seconds=3_640 + 301)
        judge(key=work.key, at=work.run_at)
        work.refresh_from_db()
        assert work.state == "done"
        outage.refresh_from_db()
    assert outage.status == "restored"
    assert not Interruption.objects.filter(ended_at=None).exists()
