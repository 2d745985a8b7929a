"""Values on their way into a statement that takes many rows."""

import contextlib
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from apps.configuration.models import Setting
from apps.core.bulk import array, ask, change, copy, planned_by_index, texts, together

INSERT = (
    "INSERT INTO configuration_setting (key, value, updated_at, updated_by) "
    "VALUES (%s, '1', now(), '')"
)
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


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", ["T-1", "", "a b"]),
        (
            "text",
            [
                "T-1",
                "\\N",
                "\\",
                "\\.",
                "a\tb",
                "a\nb",
                "a\r\nb",
                "\\n",
                "é\u2028\U0001f50c",
            ],
        ),
        ("text", [None, "\\N", "", "a\tb"]),
        ("bigint", [1, None, -2, 2**62]),
        ("float8", [1.5, None, 1e-300, 1 / 3]),
        ("bool", [True, False, None]),
        ("uuid", [UUID(int=1), None, UUID(int=1), UUID(int=2**128 - 1)]),
        ("timestamptz", [MOMENT, MOMENT + timedelta(microseconds=1), None]),
        ("jsonb", [{}, {"a": ['"', "\\", "\n", "\t"], "b": {"c": None}}]),
    ],
)
def test_rows_that_are_copied_arrive_as_they_are(db, kind, values):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE told (place int, value {kind}) ON COMMIT DROP"
        )
        copy("told", ("place", "value"), list(enumerate(values)))
        found = ask("SELECT value FROM told ORDER BY place", []).fetchall()
    assert [value for (value,) in found] == values


def test_it_says_how_many_rows_changed(db):
    settings = "UPDATE configuration_setting SET value = value WHERE key = ANY(%s::text[])"
    Setting.objects.create(key="a", value=1)
    with transaction.atomic():
        assert change(settings, [texts(["a", "b"])]) == 1
        assert change(settings, [texts([])]) == 0


def _prepared():
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement, generic_plans FROM pg_prepared_statements")
        return dict(cursor.fetchall())


@pytest.mark.django_db(transaction=True)
def test_a_statement_stays_prepared_only_where_it_is_planned_by_index():
    statement = "SELECT value FROM configuration_setting WHERE key = %s"
    named = statement.replace("%s", "$1")
    with transaction.atomic():
        ask(statement, ["a"]).fetchall()
    assert named not in _prepared()
    for _ in range(2):
        with transaction.atomic(), planned_by_index():
            ask(statement, ["a"]).fetchall()
            plan = ask("EXPLAIN SELECT * FROM configuration_setting", []).fetchall()
            assert "Disabled: true" in str(plan)
    assert _prepared()[named] == 2
    with transaction.atomic():
        assert ask("SHOW enable_seqscan", []).fetchone() == ("on",)


@pytest.mark.django_db(transaction=True)
def test_what_is_asked_together_is_answered_in_its_order():
    with transaction.atomic(), together():
        first = ask("SELECT %s::int", [1])
        change(INSERT, ["a"])
        second = ask("SELECT count(*) FROM configuration_setting WHERE key = 'a'", [])
        assert first.fetchone() == (1,)
        with together():
            third = ask("SELECT %s::text", ["x"])
        assert third.fetchone() == ("x",)
    assert second.fetchone() == (1,)
    assert Setting.objects.filter(key="a").exists()


@pytest.mark.django_db(transaction=True)
def test_a_fault_among_what_is_asked_together_undoes_all_of_it():
    def twice():
        with transaction.atomic(), together():
            for key in ("a", "a", "b"):
                change(INSERT, [key])

    with pytest.raises(IntegrityError):
        twice()
    assert Setting.objects.count() == 0
    with transaction.atomic():
        with pytest.raises(IntegrityError):
            twice()
        change(INSERT, ["c"])
    assert Setting.objects.get().key == "c"


@pytest.mark.django_db(transaction=True)
def test_the_commit_goes_out_with_the_last_statements():
    with contextlib.ExitStack() as last, transaction.atomic():
        last.enter_context(together())
        change(INSERT, ["a"])
    assert connection.get_autocommit()
    assert Setting.objects.filter(key="a").exists()
