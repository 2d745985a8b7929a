"""Channels, addresses, quiet hours over days of 23 and 25 hours: without a database."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import Invalid
from apps.notifications import rules
from apps.notifications.rules import Channel, Delivery, Progress

ANN = SimpleNamespace(customer_code="C1", phone=" +962 7 1 ", email=" Ann@Example.COM ")
ZONES = ["UTC", "Asia/Amman", "Europe/Berlin", "America/New_York", "Asia/Kathmandu",
         "Australia/Lord_Howe", "Pacific/Apia"]  # fmt: skip


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def disturb(text, zone, quiet_from=22, quiet_until=7):
    return rules.may_disturb_at(
        at(text), zone, quiet_from=quiet_from, quiet_until=quiet_until
    )


@pytest.mark.parametrize(
    ("channel", "address"),
    [("sms", "+96271"), ("phone", "+96271"), ("email", "ann@example.com"), ("push", "C1")],
)
def test_addresses(channel, address):
    assert rules.address_of(Channel(channel), ANN) == address


@pytest.mark.parametrize("word", ["fax", "", "SMS"])
def test_unknown_channels_are_invalid(word):
    with pytest.raises(Invalid) as refused:
        rules.channel_of(word)
    assert refused.value.fields["allowed_values"] == ["sms", "email", "push", "phone"]


@pytest.mark.parametrize("text", ["", "  \n", "x" * 1601, "a\0b"])
def test_impossible_messages(text):
    with pytest.raises(Invalid):
        rules.message_of(text)


def test_messages_are_trimmed_to_a_length():
    assert rules.message_of("  Hello \n") == "Hello"
    assert len(rules.message_of("x" * 1600)) == 1600


def test_codes_are_kept_once_in_order():
    assert rules.codes_of(["B", " A ", "B"]) == ["B", "A"]
    for codes in (["x" * 201], ["a\0"], [str(n) for n in range(10_001)]):
        with pytest.raises(Invalid):
            rules.codes_of(codes)


def test_the_key_is_of_notice_and_address():
    assert rules.recipient_key("n", "a") == rules.recipient_key("n", "a")
    keys = {rules.recipient_key(n, a) for n in "nm" for a in ("a", "b", "A")}
    assert len(keys) == 6
    assert max(map(len, (rules.recipient_key("0" * 36, "x" * 254),))) <= 200


@pytest.mark.parametrize(
    ("now", "zone", "then"),
    [
        ("2026-11-21T12:00", "UTC", "2026-11-21T12:00"),
        ("2026-11-21T21:59:59", "UTC", "2026-11-21T21:59:59"),
        ("2026-11-21T22:00", "UTC", "2026-11-22T07:00"),
        ("2026-11-22T06:59:59", "UTC", "2026-11-22T07:00"),
        ("2026-11-22T07:00", "UTC", "2026-11-22T07:00"),
        ("2026-11-21T19:00", "Asia/Amman", "2026-11-22T04:00"),
        ("2026-11-21T18:59", "Asia/Amman", "2026-11-21T18:59"),
        ("2026-11-21T16:15", "Asia/Kathmandu", "2026-11-22T01:15"),
        ("2026-11-22T03:00", "America/New_York", "2026-11-22T12:00"),
        # The night of 23 hours in Berlin: 7 o'clock comes an hour earlier.
        ("2026-03-28T21:30", "Europe/Berlin", "2026-03-29T05:00"),
        # The night of 25 hours: an hour later.
        ("2026-10-24T20:30", "Europe/Berlin", "2026-10-25T06:00"),
        ("2026-03-07T04:00", "America/New_York", "2026-03-07T12:00"),
        ("2026-03-08T04:00", "America/New_York", "2026-03-08T11:00"),
        # Half an hour of daylight saving.
        ("2026-10-03T12:00", "Australia/Lord_Howe", "2026-10-03T20:00"),
    ],
)
def test_quiet_hours_are_those_of_the_clock_on_the_wall(now, zone, then):
    assert disturb(now, zone) == at(then)


def test_an_end_that_the_clock_skips_comes_with_the_jump():
    # 2 o'clock of 29 March does not exist in Berlin.
    assert disturb("2026-03-28T23:00", "Europe/Berlin", quiet_until=2) == at(
        "2026-03-29T01:00"
    )


def test_an_end_that_comes_twice_is_the_first():
    assert disturb("2026-10-24T22:00", "Europe/Berlin", quiet_until=2) == at(
        "2026-10-25T00:00"
    )
    still = "2026-10-25T01:30"
    assert disturb(still, "Europe/Berlin", quiet_until=2) == at(still)


def test_quiet_hours_within_a_day_and_none():
    assert disturb("2026-11-21T13:30", "UTC", 13, 15) == at("2026-11-21T15:00")
    assert disturb("2026-11-21T15:00", "UTC", 13, 15) == at("2026-11-21T15:00")
    assert disturb("2026-11-21T23:00", "UTC", 7, 7) == at("2026-11-21T23:00")


@given(
    st.integers(0, 4 * 366 * 24 * 60),
    st.sampled_from(ZONES),
    st.integers(0, 23),
    st.integers(0, 23),
)
def test_nobody_is_woken_and_nobody_waits_longer_than_a_night(minutes, zone, start, end):
    now = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    then = rules.may_disturb_at(now, zone, quiet_from=start, quiet_until=end)
    assert now <= then <= now + timedelta(hours=26)
    again = rules.may_disturb_at(then, zone, quiet_from=start, quiet_until=end)
    assert again == then or zone != "UTC"
    hours = {(start + n) % 24 for n in range((end - start) % 24)}
    if now.astimezone(ZoneInfo(zone)).hour not in hours:
        assert then == now
    if zone == "UTC" and start != end:
        assert then.hour not in hours


def test_zones_that_are_none_are_utc():
    assert rules.zone_of("Asia/Amman") == "Asia/Amman"
    for name in ("", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "a\0b"):
        assert rules.zone_of(name) == "UTC"


@pytest.mark.parametrize(
    ("total", "pending", "failed", "then"),
    [
        (0, 0, 0, Progress.SENT), (3, 1, 1, Progress.PENDING), (3, 0, 0, Progress.SENT),
        (3, 0, 1, Progress.PARTLY_FAILED), (3, 0, 3, Progress.FAILED),
    ],
)  # fmt: skip
def test_progress(total, pending, failed, then):
    assert rules.progress(total=total, pending=pending, failed=failed) == then


def test_every_delivery_has_a_word_outside():
    assert {rules.WIRE[state] for state in Delivery} == {
        "pending",
        "sent",
        "delivered",
        "failed",
    }


def test_pauses_grow_to_five_minutes():
    assert [rules.pause(n).total_seconds() for n in (1, 2, 3, 20)] == [4, 8, 16, 300]
