"""Values on their way into a statement that takes many rows."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from django.db import transaction

from apps.configuration.models import Setting
from apps.core.bulk import array, ask, change, texts

MOMENT = datetime(2026, 11, 27, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bigint", [1, -2, None, 2**62]),
        ("float8", [1.5, -0.0, 1e-300, None]),
        ("bool", [True, False]),
        ("uuid", [UUID(int=1), None, UUID(int=2**128 - 1)]),
        ("timestamptz", [MOMENT, None, MOMENT + timedelta(microseconds=1)]),
        ("timestamptz", [MOMENT.astimezone(timezone(timedelta(hours=5, minutes=30)))]),
        ("bigint", []),
    ],
)
def test_numbers_ids_and_moments_arrive_as_they_are(db, kind, values):
    with transaction.atomic():
        (found,) = ask(f"SELECT %s::{kind}[]", [array(values)]).fetchone()
    assert found == values


@pytest.mark.parametrize(
    "values",
    [
        [],
        [""],
        ["NULL", "null", "{", "}", ",", " a ", "T-1"],
        ['"', "\\", '\\"', "\\\\", "a\nb", "é\u2028\U0001f50c"],
    ],
)
def test_texts_arrive_as_they_are(db, values):
    with transaction.atomic():
        (found,) = ask("SELECT %s::text[]", [texts(values)]).fetchone()
    assert found == values


def test_it_says_how_many_rows_changed(db):
    settings = "UPDATE configuration_setting SET value = value WHERE key = ANY(%s::text[])"
    Setting.objects.create(key="a", value=1)
    with transaction.atomic():
        assert change(settings, [texts(["a", "b"])]) == 1
        assert change(settings, [texts([])]) == 0
