"""However often a feeder is judged, what happened once is one outage."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from apps.core.actor import system
from apps.network import selectors as network
from apps.network import services as network_services
from apps.outages import selectors
from apps.outages.correlation.hypothesis import Hypothesis
from apps.outages.correlation.reconciliation import identify
from apps.outages.models import CorrelationWork, Interruption, Outage, SourceEvent
from tests.fixtures.network import PLACES, town_document
from tests.outages.test_judging import judge_all, take

pytestmark = pytest.mark.django_db

FOUR_WALLS = ("t1", "t2", "t3", "t4")


@pytest.fixture
def large_town(db):
    """Import the town with eight meters more below each transformer of its first feeder."""
    document = town_document()
    for node in FOUR_WALLS:
        for number in range(8):
            document["meters"].append(
                {
                    "id": f"{node}-{number}",
                    "node": node,
                    "customer": "c1",
                    "latitude": PLACES[node][0],
                    "longitude": PLACES[node][1],
                }
            )
    network_services.import_network(
        document=document, by=system("test"), at=datetime(2026, 11, 21, tzinfo=UTC)
    )
    network.grid(fresh=True)


def test_what_was_over_before_anything_that_is_open_began_is_left_alone(town, clock):
    take(clock, "m1")
    take(clock, "m1", seconds=30, kind="power_up")
    judge_all(clock)
    take(clock, "m7", "m8", seconds=100)
    (first, second) = judge_all(clock)
    for hour in (3, 4, 5):
        take(clock, "m9", seconds=hour * 3_600)
        assert judge_all(clock) == [first, second]
    assert SourceEvent.objects.filter(outage=first).count() == 2


def everybody(node):
    return [f"{node}-{number}" for number in range(8)]


def closed_again(clock):
    """Let the breaker trip and close again; behind two of the transformers nobody is back."""
    take(clock, *(m for node in FOUR_WALLS for m in everybody(node)))
    take(clock, device="CB-1", kind="breaker_trip", source="scada")
    take(clock, device="CB-1", kind="breaker_close", source="scada", seconds=3_000)
    take(clock, *everybody("t2"), *everybody("t4"), kind="power_up", seconds=3_005)
    clock.forward(minutes=55)
    return judge_all(clock)


def test_what_stays_dark_is_one_outage_however_often_it_is_judged(large_town, clock):
    breaker, *parts = closed_again(clock)
    assert [(o.device_code, o.parent) for o in parts] == [
        ("T-1", breaker),
        ("T-3", breaker),
    ]
    assert breaker.status == "restored"
    for _ in range(3):
        clock.forward(minutes=5)
        take(clock, "m13", "t2-1")
        again = judge_all(clock)
        assert [o for o in again if o.parent] == parts


def test_a_part_that_stays_dark_is_explained_by_those_who_are_silent(large_town, clock):
    _breaker, first, _second = closed_again(clock)
    told = selectors.explanation_of(outage_id=first.id, viewer=system("test"), at=clock.at)
    assert (told.basis, told.meters_reporting, told.meters_back) == ("part", 8, 0)
    assert next(c.device_id for c in told.candidates if c.chosen) == "T-1"


def test_what_was_only_late_to_tell_goes_into_what_it_was_part_of(large_town, clock):
    breaker, first, second = closed_again(clock)
    take(clock, *everybody("t1"), kind="power_up", seconds=3_004 - 55 * 60)
    assert judge_all(clock) == [breaker, second]
    first.refresh_from_db()
    assert first.merged_into == breaker
    assert Outage.objects.open().get() == second


def half_is_back(clock):
    """Let the breaker trip and close again; behind the fuse nobody is back, an hour later."""
    take(clock, *(m for node in FOUR_WALLS for m in everybody(node)))
    take(clock, device="CB-1", kind="breaker_trip", source="scada")
    judge_all(clock)
    clock.forward(seconds=3_000)
    take(clock, device="CB-1", kind="breaker_close", source="scada")
    take(clock, *everybody("t3"), *everybody("t4"), kind="power_up", seconds=5)
    return judge_all(clock)


def test_a_large_part_of_which_some_are_back_is_open_still(large_town, clock):
    half_is_back(clock)
    clock.forward(seconds=600)
    take(clock, *everybody("t1"), kind="power_up")
    (_, part) = judge_all(clock)
    clock.forward(seconds=600)
    assert judge_all(clock)[1] == part
    assert (part.device_code, part.status) == ("FU-1", "detected")
    dark = Interruption.objects.filter(ended_at=None)
    assert {f"t2-{n}" for n in range(8)} <= set(dark.values_list("meter_code", flat=True))
    take(clock, *everybody("t2"), kind="power_up")
    (_, again) = judge_all(clock)
    assert (again, again.status, again.restored_at) == (part, "restored", clock.at)


def test_a_large_part_is_over_where_its_own_device_was_told_to_close(large_town, clock):
    half_is_back(clock)
    clock.forward(seconds=60)
    (_, part) = judge_all(clock)
    clock.forward(seconds=600)
    take(clock, device="FU-1", kind="breaker_close", source="scada")
    for _ in range(2):
        (_, again) = judge_all(clock)
        assert (again, again.status, again.restored_at) == (part, "restored", clock.at)
        assert SourceEvent.objects.get(device_code="FU-1").outage == part
    assert not Interruption.objects.filter(ended_at=None).exists()


def test_a_large_part_that_is_switched_later_is_open_until_then(large_town, clock):
    begun = clock.at
    (breaker,) = half_is_back(clock)
    assert breaker.status == "restored"
    assert CorrelationWork.objects.get(key__startswith="feeder").run_at == clock.forward(
        seconds=41
    )
    for _ in range(2):
        (_, part, *_) = judge_all(clock)
        assert (part.device_code, part.parent, part.status) == ("FU-1", breaker, "detected")
        assert part.first_detected_at == begun
        dark = Interruption.objects.filter(ended_at=None).exclude(meter_code="m13")
        assert set(dark.values_list("outage", flat=True)) == {part.id}
        assert dark.count() == part.customers_count == 22
        clock.forward(minutes=30)
        take(clock, "m13")
    told = selectors.explanation_of(outage_id=part.id, viewer=system("test"), at=clock.at)
    assert (told.basis, told.meters_reporting, told.meters_back) == ("part", 16, 0)
    fed_at = clock.forward(minutes=10)
    take(clock, *everybody("t1"), *everybody("t2"), kind="power_up")
    clock.forward(minutes=10)
    (_, again, *_) = judge_all(clock)
    assert (again, again.status) == (part, "restored")
    assert abs(again.restored_at - fed_at) < timedelta(seconds=1)
    assert not Interruption.objects.filter(
        outage=breaker, ended_at__gt=breaker.restored_at + timedelta(minutes=1)
    )


def hypothesis(edge, *events, parent=None):
    found = Hypothesis(edge, edge, -1, 0.0, parent=parent)
    found.events = list(events)
    return found


def test_a_part_follows_what_it_is_part_of_where_that_goes_into_another():
    whole, part, other = (UUID(int=n) for n in (1, 2, 3))
    breaker = hypothesis(0, 0, 1, 2)
    found = [breaker, hypothesis(1, parent=breaker)]
    order = {key: (float(key.int), key.int) for key in (whole, part, other)}
    said = identify(found, [whole, other, other], order, frozenset(), {part: (whole, 1)})
    assert (said.kept, said.merged) == ([other, part], {whole: 0})
    said = identify(
        found[:1], [whole, other, other], order, frozenset(), {part: (whole, 1)}
    )
    assert (said.kept, said.merged) == ([other], {whole: 0, part: 0})
