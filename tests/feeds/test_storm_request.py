"""A practice storm: who may ask for one, and that it is played once."""

from datetime import timedelta

import pytest

from apps.accounts.rules import ROLE_PERMISSIONS, Role
from apps.audit.selectors import entries
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Forbidden, Invalid
from apps.core.models import OutboxRow
from apps.feeds import selectors, services
from apps.outages.services import request_storm

pytestmark = pytest.mark.django_db


def person(role):
    permissions = ROLE_PERMISSIONS[role]
    return Actor(ActorKind.PERSON, f"the {role}", permissions=permissions, role=role)


def test_the_ops_manager_asks_and_the_simulator_takes_it_once(clock, relay_now):
    request_storm(faults=7, by=person(Role.OPS_MANAGER), at=clock.at)
    trail = entries().filter(action="storm_request")
    assert [entry.after for entry in trail] == [{"faults": 7}]
    relay_now()
    taken = services.take_storm(at=clock.forward(seconds=1))
    assert (taken.faults, taken.requested_by) == (7, "the ops_manager")
    assert services.take_storm(at=clock.at) is None


def test_a_wish_that_is_delivered_twice_is_one_storm(clock):
    for _ in range(2):
        services.keep_storm(faults=3, requested_by="x", at=clock.at)
    assert selectors.storms().count() == 1


def test_a_stale_wish_is_left_alone(clock):
    services.keep_storm(faults=3, requested_by="x", at=clock.at)
    assert services.take_storm(at=clock.at + timedelta(minutes=11)) is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ENGINEER, Role.CREW, Role.USER])
def test_nobody_else_may(role, clock):
    with pytest.raises(Forbidden):
        request_storm(by=person(role), at=clock.at)
    assert not OutboxRow.objects.filter(name="outages.storm_requested").exists()
    trail = entries()
    assert not trail.filter(action="storm_request").exists()
    assert trail.filter(action="access_denied", resource_id="outages.storm_mode").exists()


@pytest.mark.parametrize("faults", [0, -1, 101])
def test_the_number_of_faults_has_bounds(faults, clock):
    with pytest.raises(Invalid):
        request_storm(faults=faults, by=person(Role.ADMIN), at=clock.at)
    assert not OutboxRow.objects.filter(name="outages.storm_requested").exists()
