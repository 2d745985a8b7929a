"""Actors, a street of customers without power, and a transport that can be broken."""

from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest

from apps.core.actor import Actor, ActorKind
from apps.network.models import (
    Customer,
    Feeder,
    Meter,
    Network,
    Node,
    Region,
    Substation,
)
from apps.notifications import gateways, services
from apps.notifications.gateways import EmbeddedTransport
from apps.notifications.models import NoticeRecipient
from apps.outages.models import Interruption, Outage

OPERATOR = frozenset(
    {"outages.view_outage", "notifications.view_notice", "notifications.send_notice"}
)


@pytest.fixture
def operator():
    return Actor(
        ActorKind.PERSON, "Olga Operator", uuid4(), permissions=OPERATOR, role="operator"
    )


@pytest.fixture
def stranger():
    return Actor(ActorKind.PERSON, "Stan Stranger", uuid4(), role="user")


@pytest.fixture
def region(db, clock):
    """Make a region with a feeder and a node, in a time zone; the value is the feeder."""

    def make(code="north", time_zone="UTC"):
        network, _ = Network.objects.get_or_create(
            name="test", defaults={"imported_at": clock.at}
        )
        area = Region.objects.create(
            code=code, network=network, name=code, capacity_mw=100, time_zone=time_zone
        )
        substation = Substation.objects.create(
            code=f"{code}-S",
            network=network,
            name=code,
            region=area,
            latitude=0,
            longitude=0,
        )
        Node.objects.create(
            code=f"{code}-N", network=network, latitude=0, longitude=0, voltage_kv=0.4
        )
        return Feeder.objects.create(
            code=f"{code}-F", network=network, name=code, substation=substation
        )

    return make


@pytest.fixture
def customers(region):
    """Make customers C0, C1, … with a meter each; keywords override fields."""

    def make(count, feeder=None, start=0, **values):
        feeder = feeder or region()
        node = Node.objects.get(code=f"{feeder.name}-N")
        people = Customer.objects.bulk_create(
            Customer(
                **{
                    "code": f"C{n}",
                    "network": feeder.network,
                    "name": f"Customer {n}",
                    "phone": f"+96270{n:06d}",
                    "email": f"C{n}@Example.com",
                    **values,
                }
            )
            for n in range(start, start + count)
        )
        return Meter.objects.bulk_create(
            Meter(
                code=f"M{person.code}",
                network=feeder.network,
                node=node,
                customer=person,
                feeder=feeder,
                latitude=0,
                longitude=0,
            )
            for person in people
        )

    return make


@pytest.fixture
def outage(db, clock):
    """Write an outage that leaves these meters without power."""

    def make(meters=(), region_code="north", **values):
        at = clock.at - timedelta(minutes=10)
        row = Outage.objects.create(
            **{
                "severity": "medium",
                "confidence": 0.5,
                "place_kind": "coordinates",
                "region_code": region_code,
                "first_detected_at": at,
                "last_event_at": at,
                "opened_at": at,
                "updated_at": at,
                **values,
            }
        )
        Interruption.objects.bulk_create(
            Interruption(
                outage=row, meter_number=meter.pk, meter_code=meter.code, started_at=at
            )
            for meter in meters
        )
        return row

    return make


@pytest.fixture
def notify(operator, clock):
    """Send a notice as the operator does."""

    def send(
        target, message="Power is out.", channel="sms", codes=None, etr=None, by=operator
    ):
        return services.notify(
            outage_id=target.id,
            channel=channel,
            message=message,
            customer_codes=codes,
            estimated_restoration_at=etr,
            by=by,
            at=clock.at,
        )

    return send


class Provider:
    """A provider outside: it logs each call, and does what the test tells it to."""

    name = "embedded"

    def __init__(self):
        self.log = []
        self.before = lambda message: None
        self.after = lambda message: None

    def __call__(self):
        return self

    def send(self, message):
        self.log.append(message.key)
        self.before(message)
        outcome = EmbeddedTransport().send(message)
        self.after(message)
        return outcome

    @property
    def repeats(self):
        return sum(count - 1 for count in Counter(self.log).values())


@pytest.fixture
def provider(monkeypatch):
    found = Provider()
    monkeypatch.setitem(gateways.TRANSPORTS, "embedded", found)
    return found


@pytest.fixture
def work_off(clock):
    """Do what a worker does until nothing is due; the clock stands still."""

    def run(limit=20, owner="worker"):
        done = 0
        while True:
            jobs, claimed = services.take_due(owner=owner, at=clock.at, limit=limit)
            if not claimed:
                break
            for job in jobs:
                done += services.deliver(job=job, at=clock.at)
        services.close_finished(at=clock.at)
        return done

    return run


@pytest.fixture
def states():
    """Return how many recipients are in which delivery."""

    def count():
        return dict(Counter(NoticeRecipient.objects.values_list("delivery", flat=True)))

    return count
