"""Switching: rows, trail, event, and what must not change."""

from datetime import timedelta

import pytest
from django.db import transaction

from apps.audit.models import AuditEntry
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Forbidden, NotFound, Unprocessable
from apps.core.models import OutboxRow
from apps.network import selectors, services
from apps.network.models import Edge, NetworkVersion, Node, SwitchingOperation
from tests.network.conftest import AT, bring, nobody

pytestmark = pytest.mark.django_db

OPERATOR = Actor(
    kind=ActorKind.PERSON,
    label="operator@example.org",
    permissions=frozenset({"network.switch_device"}),
)


def switch(code="CB-1", *, closed=False, at=AT, by=OPERATOR):
    return services.set_device_state(code=code, closed=closed, by=by, at=at, reason="trip")


def dark(grid):
    """Return the codes of the nodes without supply."""
    pks = grid.layout.node_pk[~grid.energised_nodes()].tolist()
    return set(Node.objects.filter(pk__in=pks).values_list("code", flat=True))


def test_a_device_opens(city):
    bring(city)
    before = NetworkVersion.objects.get()
    assert switch()
    edge = Edge.objects.get(code="CB-1")
    assert (edge.is_closed, edge.normally_closed, edge.state_at) == (False, True, AT)
    operation = SwitchingOperation.objects.get()
    assert (operation.edge, operation.closed, operation.at) == (edge, False, AT)
    assert (operation.label, operation.reason) == ("operator@example.org", "trip")
    after = NetworkVersion.objects.get()
    assert (after.structure, after.state) == (before.structure, operation.pk)
    entry = AuditEntry.objects.get(action="switch_device")
    assert (entry.resource_id, entry.before, entry.after) == (
        "CB-1",
        {"closed": True},
        {"closed": False, "reason": "trip"},
    )
    row = OutboxRow.objects.get(name="network.device_switched")
    assert row.subject == "device:CB-1"
    assert (row.payload["device"], row.payload["feeder"], row.payload["closed"]) == (
        "CB-1",
        "F1",
        False,
    )
    assert [s.reason for s in selectors.switchings("CB-1")] == ["trip"]


def test_the_grid_of_the_process_follows(city):
    bring(city)
    tree = selectors.grid().tree
    switch()
    grid = selectors.grid()
    assert grid.tree is tree
    assert dark(grid) == {"a", "b", "lv1"}
    switch("TIE", closed=True)
    grid = selectors.grid()
    assert grid.tree is not tree
    assert grid.energised_nodes().all()
    switch("TIE", closed=False, at=AT + timedelta(seconds=1))
    switch(closed=True, at=AT + timedelta(seconds=2))
    assert selectors.grid().energised_nodes().all()


def test_a_change_that_was_rolled_back_leaves_the_grid(city):
    bring(city)
    with transaction.atomic():
        switch()
        assert not selectors.grid().energised_nodes().all()
        transaction.set_rollback(True)
    assert selectors.grid(fresh=True).energised_nodes().all()
    switch("CB-2")
    assert dark(selectors.grid(fresh=True)) == {"c", "lv2"}


def test_the_same_state_again_changes_nothing(city):
    bring(city)
    switch()
    assert not switch(at=AT + timedelta(minutes=1))
    assert SwitchingOperation.objects.count() == 1
    assert OutboxRow.objects.filter(name="network.device_switched").count() == 1


def test_late_news_never_overrules_later_news(city):
    bring(city)
    assert switch(at=AT)
    assert not switch(at=AT + timedelta(minutes=10))
    assert not switch(closed=True, at=AT + timedelta(minutes=5))
    assert not Edge.objects.get(code="CB-1").is_closed
    assert switch(closed=True, at=AT + timedelta(minutes=11))


def test_what_cannot_be_switched_is_refused(city):
    bring(city)
    with pytest.raises(NotFound):
        switch("CB-9")
    with pytest.raises(Unprocessable):
        switch("L-1")
    assert not SwitchingOperation.objects.exists()
    assert Edge.objects.get(code="L-1").is_closed


@pytest.mark.django_db(transaction=True)
def test_without_the_permission_nothing_changes(city):
    bring(city)
    told = OutboxRow.objects.count()
    with pytest.raises(Forbidden):
        switch(by=nobody())
    assert Edge.objects.get(code="CB-1").is_closed
    assert not SwitchingOperation.objects.exists()
    assert OutboxRow.objects.count() == told
    assert AuditEntry.objects.filter(action="access_denied").count() == 1
