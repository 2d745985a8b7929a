"""The trail: what an entry holds, who may read it, what the database refuses."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction

from apps.audit import rules, selectors, services
from apps.audit.models import AuditEntry, AuditLink
from apps.core.actor import Actor, ActorKind, system

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ANNA = Actor(
    kind=ActorKind.PERSON,
    label="Anna",
    user_id=UUID(int=5),
    address="203.0.113.7",
    agent="curl/8",
    request_id="r-1",
)


def record(by=ANNA, action="outage_confirm", resource="outage", at=AT, **values):
    return services.record(by=by, action=action, resource=resource, at=at, **values)


class Word(StrEnum):
    ONE = "one"


@pytest.mark.usefixtures("empty_trail")
@pytest.mark.django_db
def test_an_entry_says_who_what_when_where_before_and_after():
    machine = Actor(kind=ActorKind.SERVICE, label="intake", on_behalf_of="operator_john")
    record(
        resource_id=UUID(int=3), before={"status": "detected"}, after={"status": Word.ONE}
    )
    record(by=machine)
    first = AuditEntry.objects.get(actor_label="Anna")
    assert (first.action, first.resource, first.at) == ("outage_confirm", "outage", AT)
    assert first.resource_id == "00000000-0000-0000-0000-000000000003"
    assert (first.before, first.after) == ({"status": "detected"}, {"status": "one"})
    assert (first.user_id, first.actor_kind) == (UUID(int=5), "person")
    assert (first.address, first.agent, first.request_id) == (
        "203.0.113.7",
        "curl/8",
        "r-1",
    )
    assert AuditEntry.objects.get(actor_label="intake").on_behalf_of == "operator_john"


@pytest.mark.django_db
def test_hostile_texts_make_one_capped_line():
    nasty = Actor(
        kind=ActorKind.PERSON,
        label="a\r\nFORGED login ok\x1b[2K\x00\u2028b",
        agent="x" * 1_000_000,
        address="1" * 500,
    )
    entry = record(by=nasty, resource_id="z" * 10_000)
    assert entry.actor_label == "a  FORGED login ok  b"
    assert (len(entry.agent), len(entry.address), len(entry.resource_id)) == (300, 80, 300)
    entry.refresh_from_db()
    assert "\n" not in entry.actor_label


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("a\0b\ud800c", "a b c"),
        ("line\r\nline", "line\nline"),
        ("x" * 5_000, "x" * 2_000),
        (Decimal("1.10"), "1.10"),
        (AT, "2026-11-21T12:00:00+00:00"),
        (2**80, str(2**80)),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        ((1, {"a": None}), [1, {"a": None}]),
        (True, True),
    ],
)
def test_facts_are_plain_json_of_bounded_size(value, kept):
    assert rules.facts({"k": value}) == {"k": kept}


def test_facts_are_bounded_in_number_and_depth():
    deep = value = {}
    for _ in range(50):
        value["d"] = value = {}
    assert str(rules.facts(deep)).count("'d'") < 60
    assert len(rules.facts({str(n): n for n in range(1_000)})) == rules.ITEMS
    assert len(rules.facts({"k": list(range(1_000))})["k"]) == rules.ITEMS
    assert rules.facts(None) is None


@pytest.mark.usefixtures("empty_trail")
@pytest.mark.django_db
def test_entries_are_found_by_action_user_resource_and_time():
    record(resource_id="1")
    record(action="login", resource="user", at=AT + timedelta(hours=1))
    record(
        by=system(), action="setting_change", resource="setting", at=AT + timedelta(days=1)
    )
    found = lambda **asked: [e.action for e in selectors.entries(**asked)]  # noqa: E731
    assert found() == ["setting_change", "login", "outage_confirm"]
    assert found(actions=["login", "outage_confirm"]) == ["login", "outage_confirm"]
    assert found(user_id=UUID(int=5)) == ["login", "outage_confirm"]
    assert found(resource="outage", resource_id="1") == ["outage_confirm"]
    assert found(resource="outage", resource_id="2") == []
    assert found(start=AT + timedelta(hours=1)) == ["setting_change", "login"]
    assert found(end=AT + timedelta(hours=1)) == ["outage_confirm"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["audit_auditentry", "audit_auditlink"])
@pytest.mark.parametrize("role", ["origin", "replica"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {} SET stream = 'x'", "DELETE FROM {}", "TRUNCATE {}"],
)
def test_the_database_refuses_to_change_what_was_written(table, role, statement):
    record()

    def attack():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER audit_keep_all")
            cursor.execute(f"SET LOCAL session_replication_role = {role}")
            cursor.execute(statement.format(table))

    with pytest.raises(DatabaseError, match="append-only"):
        attack()
    assert (AuditEntry.objects.count(), AuditLink.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_leaves_no_entry():

    def undone():
        with transaction.atomic():
            record()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        undone()
    assert not AuditEntry.objects.exists()
    assert not AuditLink.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_denied_access_is_kept_though_the_transaction_is_not():
    def denied():
        with transaction.atomic():
            raise services.refuse(by=ANNA, permission="outages.operate_outage")

    with pytest.raises(services.Forbidden):
        denied()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.resource_id) == ("access_denied", "outages.operate_outage")
    assert (entry.user_id, entry.stream) == (UUID(int=5), "access")
    assert AuditLink.objects.filter(entry_id=entry.id).count() == 1


@pytest.mark.django_db(transaction=True)
def test_access_stays_denied_where_the_trail_cannot_be_written(monkeypatch, caplog):
    def broken(self, **kwargs):
        raise DatabaseError("no space")

    monkeypatch.setattr(AuditEntry, "save", broken)
    refusal = services.refuse(by=ANNA, permission="outages.operate_outage")
    assert isinstance(refusal, services.Forbidden)
    assert "was not recorded" in caplog.text
