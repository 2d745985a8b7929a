"""What meters answer when they are asked is a state and no moment: it moves no end."""

from datetime import timedelta

import pytest

from apps.core.actor import system
from apps.outages import selectors, services
from apps.outages.models import Outage
from apps.outages.rules.verification import PingState

SYSTEM = system("test")
FUSE = [f"M-F3-2-{house}-{flat}" for house in range(1, 7) for flat in range(3)]
ALL = [f"M-F3-2-{house}-{flat}" for house in range(1, 7) for flat in range(4)]


@pytest.fixture
def fuse(city):
    """Let a fuse blow an hour ago; three of four meters below it say so."""
    for meter in FUSE:
        city.report("smart_meter", "last_gasp", 60, meter_id=meter)
    judge(city, 58)
    return Outage.objects.get(merged_into=None)


def judge(city, minutes_ago):
    feeder = Outage.objects.order_by("number").first().feeder_number
    at = city.at - timedelta(minutes=minutes_ago)
    for _ in range(2):
        services.judge(key=f"feeder:{feeder}", at=at)


def back(city, minutes_ago, meters):
    for meter in meters:
        city.report("smart_meter", "power_up", minutes_ago, meter_id=meter)


def ask(city, outage, minutes_ago, dark=()):
    """Ask up to twenty meters; the dark ones say so, the others that they have power."""
    at = city.at - timedelta(minutes=minutes_ago)
    row = services.request_verification(outage_id=outage.id, by=SYSTEM, at=at)
    answers = [
        services.Answer(
            ping.meter_code,
            PingState.DARK if ping.meter_code in dark else PingState.POWERED,
        )
        for ping in row.pings.all()
    ]
    services.answer_verification(verification_id=row.id, answers=answers, by=SYSTEM, at=at)
    judge(city, minutes_ago - 0.2)


def figures(outage):
    found = selectors.reliability_of(outage=outage, at=outage.updated_at)
    return found.customer_minutes, [step.customers for step in found.steps]


@pytest.mark.parametrize("later", [1, 20])
def test_meters_that_have_power_afterwards_move_no_end(city, fuse, later):
    back(city, 30, FUSE)
    judge(city, 29)
    fuse.refresh_from_db()
    ended, before = fuse.restored_at, figures(fuse)
    assert ended == city.at - timedelta(minutes=30)
    ask(city, fuse, 30 - later)
    fuse.refresh_from_db()
    assert (fuse.restored_at, figures(fuse)) == (ended, before)
    assert Outage.objects.filter(merged_into=None).count() == 1


def test_a_meter_that_only_answers_came_back_with_the_others(city, fuse):
    back(city, 30, FUSE[:-2])
    judge(city, 20)
    fuse.refresh_from_db()
    assert fuse.status == "restored"
    ended, before = fuse.restored_at, figures(fuse)
    ask(city, fuse, 15)
    fuse.refresh_from_db()
    assert (fuse.restored_at, figures(fuse)) == (ended, before)


def test_meters_that_are_dark_keep_their_outage_as_it_is(city, fuse):
    assert (fuse.device_code, fuse.status) == ("FU-F3-2", "detected")
    ask(city, fuse, 40, dark=ALL)
    fuse.refresh_from_db()
    (found,) = Outage.objects.filter(merged_into=None)
    assert found == fuse
    assert (fuse.device_code, fuse.status) == ("FU-F3-2", "detected")
    assert fuse.first_detected_at == city.at - timedelta(minutes=60)


def test_a_lone_caller_who_has_power_has_no_outage(city):
    city.report("call_center", "no_power", 60, meter_id="M-F3-2-1-1")
    judge(city, 59)
    outage = Outage.objects.get()
    ask(city, outage, 40)
    outage.refresh_from_db()
    assert outage.status == "restored"
    assert Outage.objects.count() == 1


def test_who_is_dark_after_the_restoration_is_out_again(city, fuse):
    back(city, 30, FUSE)
    judge(city, 29)
    ask(city, fuse, 25, dark=ALL[:4])
    fuse.refresh_from_db()
    assert fuse.restored_at == city.at - timedelta(minutes=30)
    (fresh,) = Outage.objects.open()
    assert fresh.device_code.startswith(("T-F3-2-1", "M-F3-2-1"))
