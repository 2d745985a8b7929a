"""Crews themselves: names, people, shifts, positions."""

from datetime import timedelta
from uuid import uuid4

import pytest

from apps.audit.models import AuditEntry
from apps.core.errors import Forbidden, Invalid, NotFound
from apps.core.models import OutboxRow
from apps.crews import services
from apps.crews.models import Crew
from apps.crews.rules import CrewExists, CrewType, Profile

pytestmark = pytest.mark.django_db


def test_create_writes_row_audit_and_event(crew):
    row = crew(
        "Line Crew Alpha", code="LC-1", leader=" Mike ", members=("Ann", "Ann", "Bob"),
        skills=("hot line",), shift="day",
    )  # fmt: skip
    row.refresh_from_db()
    assert (row.code, row.leader, row.members) == ("LC-1", "Mike", ["Ann", "Bob"])
    assert not row.is_ad_hoc
    assert AuditEntry.objects.get(action="crew_create").resource_id == str(row.id)
    assert OutboxRow.objects.get().name == "crews.changed"


@pytest.mark.parametrize(
    "profile",
    [
        Profile(name="line CREW alpha", crew_type=CrewType.LINE_CREW),
        Profile(name="Other", crew_type=CrewType.LINE_CREW, code="LC-1"),
    ],
)
def test_names_and_codes_are_unique(crew, operator, clock, profile):
    crew("Line Crew Alpha", code="LC-1")
    with pytest.raises(CrewExists):
        services.create_crew(profile=profile, by=operator, at=clock.at)
    assert Crew.objects.count() == 1
    assert AuditEntry.objects.filter(resource="crew").count() == 1


def test_an_ad_hoc_crew_becomes_a_known_one(assigned, operator, clock):
    row = assigned("Emergency Line Crew").crew
    profile = Profile(
        name="Emergency Line Crew", crew_type=CrewType.EMERGENCY_CREW, leader="Eve"
    )
    kept = services.update_crew(crew_id=row.id, profile=profile, by=operator, at=clock.at)
    assert (kept.id, kept.is_ad_hoc, kept.leader, kept.code) == (
        row.id,
        False,
        "Eve",
        row.code,
    )
    entry = AuditEntry.objects.get(action="crew_update")
    assert (entry.before["leader"], entry.after["leader"]) == ("", "Eve")


def test_the_old_name_of_a_renamed_crew_is_free_again(assigned, operator, clock):
    row = assigned("Night Crew").crew
    profile = Profile(name="Day Crew", crew_type=CrewType.LINE_CREW)
    services.update_crew(crew_id=row.id, profile=profile, by=operator, at=clock.at)
    assert assigned("Night Crew").crew_id != row.id
    assert assigned("day crew").crew_id == row.id


def test_shift_begins_and_ends(crew, operator, clock):
    row = crew("A")
    off = services.set_on_shift(crew_id=row.id, on_shift=False, by=operator, at=clock.at)
    services.set_on_shift(crew_id=row.id, on_shift=False, by=operator, at=clock.at)
    assert not off.on_shift
    assert AuditEntry.objects.filter(action="crew_shift").count() == 1


def test_a_member_says_where_the_crew_is(crew, member, operator, clock):
    mike, oscar, row = member("Mike"), member("Oscar"), crew("A")
    services.join_crew(crew_id=row.id, user_id=mike.user_id, by=operator, at=clock.at)
    here = services.place_crew(
        crew_id=row.id, latitude=31.9, longitude=35.9, by=mike, at=clock.at
    )
    assert (here.latitude, here.longitude, here.position_at) == (31.9, 35.9, clock.at)
    old = clock.at - timedelta(minutes=1)
    still = services.place_crew(crew_id=row.id, latitude=0, longitude=0, by=mike, at=old)
    assert still.latitude == 31.9
    with pytest.raises(NotFound):
        services.place_crew(crew_id=row.id, latitude=0, longitude=0, by=oscar, at=clock.at)
    with pytest.raises(Invalid):
        services.place_crew(crew_id=row.id, latitude=99, longitude=0, by=mike, at=clock.at)


@pytest.mark.django_db(transaction=True)
def test_only_who_manages_crews_may(crew, stranger, clock):
    row = crew("A")
    profile = Profile(name="B", crew_type=CrewType.LINE_CREW)
    calls = [
        lambda: services.create_crew(profile=profile, by=stranger, at=clock.at),
        lambda: services.update_crew(
            crew_id=row.id, profile=profile, by=stranger, at=clock.at
        ),
        lambda: services.set_on_shift(
            crew_id=row.id, on_shift=False, by=stranger, at=clock.at
        ),
        lambda: services.join_crew(
            crew_id=row.id, user_id=uuid4(), by=stranger, at=clock.at
        ),
        lambda: services.leave_crew(
            crew_id=row.id, user_id=uuid4(), by=stranger, at=clock.at
        ),
        lambda: services.place_crew(
            crew_id=row.id, latitude=0, longitude=0, by=stranger, at=clock.at
        ),
    ]
    for call in calls:
        with pytest.raises(Forbidden):
            call()
    assert Crew.objects.get().name == "A"


def test_unknown_crews_and_users(crew, operator, clock):
    row = crew("A")
    with pytest.raises(NotFound):
        services.set_on_shift(crew_id=uuid4(), on_shift=True, by=operator, at=clock.at)
    with pytest.raises(Invalid):
        services.join_crew(crew_id=row.id, user_id=uuid4(), by=operator, at=clock.at)
