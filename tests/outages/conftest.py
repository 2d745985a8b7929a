"""Outages of the past and of now, and who operates them."""

from datetime import timedelta
from uuid import uuid4

import pytest

from apps.core.actor import Actor, ActorKind, system
from apps.outages import selectors, services
from apps.outages.models import Outage
from apps.outages.rules import Status, read_report

SYSTEM = system("test")


@pytest.fixture
def operator():
    """Return somebody who may operate outages."""
    return Actor(
        kind=ActorKind.PERSON,
        label="olga@example.org",
        permissions=frozenset({"outages.operate_outage", "outages.record_field_work"}),
    )


@pytest.fixture
def nobody():
    """Return somebody who may nothing."""
    return Actor(kind=ActorKind.PERSON, label="nobody")


@pytest.fixture
def past(db, clock):
    """Let like outages be over: `past(minutes, kind="transformer")`."""

    def make(lasted, **values):
        begun = values.pop("began", clock.at - timedelta(days=3))
        ended = begun + timedelta(minutes=lasted)
        given = {
            "id": uuid4(),
            "status": Status.RESTORED,
            "severity": "low",
            "confidence": 0.5,
            "place_kind": "device",
            "device_code": "T-x",
            "device_kind": "transformer",
            "region_code": "north",
            "first_detected_at": begun,
            "last_event_at": ended,
            "opened_at": begun,
            "updated_at": ended,
            "restored_at": ended,
        }
        return Outage.objects.create(**given | values)

    return make


@pytest.fixture
def open_outage(town, clock):
    """Open an outage by one event; its device is the one named."""

    def report(device="T-1", **fields):
        event = {
            "event_type": "outage",
            "source_type": "scada",
            "source_event_id": uuid4().hex,
            "timestamp": clock.at.isoformat(),
            "device_id": device,
        }
        read = read_report(event | fields, at=clock.at)
        (receipt,) = services.take_reports(reports=[(SYSTEM, read)], at=clock.at)
        return Outage.objects.get(id=receipt.outage_id)

    return report


@pytest.fixture
def renew(clock):
    """Estimate what is due now, with all that is over by now."""

    def estimate():
        selectors.forget_estimates()
        return services.renew_estimates(at=clock.at)

    return estimate
