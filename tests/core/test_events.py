"""Events: what is published is written, and read back as it was."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import pytest
from django.db import connection

from apps.core.events import Event, decode, encode
from apps.core.models import OutboxRow
from apps.core.outbox import publish, publish_all

AT = datetime(2026, 11, 21, 12, 30, 15, 123456, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class Everything(Event):
    name = "test.everything"
    id: UUID
    price: Decimal
    colour: Colour
    ids: tuple[UUID, ...]
    until: datetime | None
    maybe: UUID | None
    count: int
    text: str
    facts: dict[str, int]

    @property
    def subject(self):
        return f"thing:{self.id}"


def thing(**values):
    found = {
        "at": AT,
        "id": UUID(int=7),
        "price": Decimal("10.10"),
        "colour": Colour.RED,
        "ids": (UUID(int=1), UUID(int=2)),
        "until": AT,
        "maybe": None,
        "count": -3,
        "text": "señal ☂",
        "facts": {"a": 1},
    }
    return Everything(**{**found, **values})


def test_an_event_comes_back_as_it_was():
    assert decode(Everything, encode(thing())) == thing()


def test_an_optional_value_comes_back_where_it_is_there_and_where_not():
    there = thing(maybe=UUID(int=9), until=None)
    assert decode(Everything, encode(there)) == there


def test_what_is_encoded_is_plain_json():
    assert encode(thing()) == {
        "at": "2026-11-21T12:30:15.123456+00:00",
        "id": "00000000-0000-0000-0000-000000000007",
        "price": "10.10",
        "colour": "red",
        "ids": [
            "00000000-0000-0000-0000-000000000001",
            "00000000-0000-0000-0000-000000000002",
        ],
        "until": "2026-11-21T12:30:15.123456+00:00",
        "maybe": None,
        "count": -3,
        "text": "señal ☂",
        "facts": {"a": 1},
    }


def test_a_date_is_written_as_a_date():
    assert encode(thing(facts={"day": date(2026, 1, 2)}))["facts"] == {"day": "2026-01-02"}


def test_a_field_that_the_row_lacks_takes_its_default():
    @dataclass(frozen=True, kw_only=True)
    class Grown(Event):
        name = "test.grown"
        added: str = "default"

    assert decode(Grown, {"at": AT.isoformat()}) == Grown(at=AT, added="default")


@pytest.mark.django_db
def test_publish_writes_a_row():
    publish(thing())
    row = OutboxRow.objects.get()
    assert (row.name, row.subject) == ("test.everything", f"thing:{UUID(int=7)}")
    assert (row.published_at, row.delivered_at, row.done) == (AT, None, [])
    assert decode(Everything, row.payload) == thing()


@pytest.mark.django_db
def test_many_events_are_written_in_their_order(db):
    publish_all(thing(count=n) for n in range(50))
    rows = OutboxRow.objects.order_by("id").values_list("payload__count", flat=True)
    assert list(rows) == list(range(50))


@pytest.mark.django_db(transaction=True)
def test_the_relay_is_nudged_once_for_each_statement_at_commit():
    with connection.cursor() as cursor:
        cursor.execute("LISTEN oms_outbox")
        publish_all(thing(count=n) for n in range(5))
        heard = list(connection.connection.notifies(timeout=1, stop_after=2))
        cursor.execute("UNLISTEN *")
    assert [n.channel for n in heard] == ["oms_outbox"]


def test_an_event_that_does_not_say_its_subject_is_a_mistake():
    with pytest.raises(TypeError, match="does not say its subject"):
        _ = Event(at=AT).subject
