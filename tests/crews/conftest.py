"""Actors, outages and crews for the tests of crews."""

from datetime import timedelta
from uuid import uuid4

import pytest

from apps.accounts.models import User
from apps.core.actor import Actor, ActorKind
from apps.crews import services
from apps.crews.rules import CrewType, Profile
from apps.outages.models import Outage

OPERATOR = frozenset(
    {
        "outages.view_outage",
        "outages.operate_outage",
        "outages.record_field_work",
        "crews.view_crew",
        "crews.assign_crew",
        "crews.manage_crew",
    }
)
CREW = frozenset({"crews.work_assignment", "outages.record_field_work"})


@pytest.fixture
def operator():
    return Actor(
        ActorKind.PERSON, "Olga Operator", uuid4(), permissions=OPERATOR, role="operator"
    )


@pytest.fixture
def stranger():
    return Actor(ActorKind.PERSON, "Stan Stranger", uuid4(), role="user")


@pytest.fixture
def member(db):
    """Make a person of the crew role; the value is the actor."""

    def make(name):
        user = User.objects.create_user(f"{name}@example.com", full_name=name, role="crew")
        return Actor(ActorKind.PERSON, name, user.id, permissions=CREW, role="crew")

    return make


@pytest.fixture
def outage(db, clock):
    """Write an outage."""

    def make(status="detected", **values):
        at = clock.at - timedelta(minutes=10)
        given = {
            "status": status,
            "severity": "medium",
            "confidence": 0.5,
            "place_kind": "coordinates",
            "latitude": 31.95,
            "longitude": 35.93,
            "first_detected_at": at,
            "last_event_at": at,
            "opened_at": at,
            "updated_at": at,
            **({"restored_at": at} if status == "restored" else {}),
            **({"cancelled_at": at} if status == "cancelled" else {}),
        }
        return Outage.objects.create(**{**given, **values})

    return make


@pytest.fixture
def crew(db, operator, clock):
    """Make a crew through the service, at a place if one is given."""

    def make(name, crew_type=CrewType.LINE_CREW, place=None, **values):
        profile = Profile(name=name, crew_type=crew_type, **values)
        row = services.create_crew(profile=profile, by=operator, at=clock.at)
        if place:
            row = services.place_crew(
                crew_id=row.id,
                latitude=place[0],
                longitude=place[1],
                by=operator,
                at=clock.at,
            )
        return row

    return make


@pytest.fixture
def assigned(outage, operator, clock):
    """Send a crew to an outage; the value is the assignment."""

    def make(name="Line Crew Alpha", target=None, crew_type="line_crew", **values):
        target = target or outage()
        return services.assign(
            outage_id=target.id,
            crew_name=name,
            crew_type=crew_type,
            by=operator,
            at=clock.at,
            **values,
        )

    return make
