"""The chain: one line per stream under concurrency, and every tampering is named."""

import hashlib
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from apps.audit import chain, services
from apps.audit.models import AuditEntry, AuditLink
from apps.core.actor import system

pytestmark = pytest.mark.django_db(transaction=True)

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def record(number=0, action="outage_confirm"):
    return services.record(
        by=system(),
        action=action,
        resource="outage",
        resource_id=str(number),
        after={"n": number, "text": "Ünïcode ☂", "nothing": None},
        at=AT + timedelta(seconds=number, microseconds=1),
    )


def ten():
    for number in range(1, 11):
        record(number)


def tamper(*statements):
    """Change the tables as their owner would who first switches the guards off."""
    tables = ("audit_auditentry", "audit_auditlink")
    with transaction.atomic(), connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER audit_keep")
        for statement in statements:
            cursor.execute(statement)
            assert cursor.rowcount != 0, statement
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER audit_keep")


def found():
    return [str(fault) for fault in chain.faults()]


def entry_of(seq):
    return f"(SELECT entry_id FROM audit_auditlink WHERE seq = {seq})"


def test_entries_of_a_transaction_join_at_commit_in_their_order():
    with transaction.atomic():
        first, second = record(1), record(2)
        assert not AuditLink.objects.exists()
    links = list(AuditLink.objects.order_by("seq").values_list("seq", "entry_id"))
    assert links == [(1, first.id), (2, second.id)]


def test_each_link_holds_the_hash_of_the_one_before():
    ten()
    links = list(AuditLink.objects.order_by("seq"))
    assert bytes(links[0].previous) == hashlib.sha256(b"operations").digest()
    for before, after in zip(links, links[1:], strict=False):
        assert bytes(after.previous) == bytes(before.hash)
    assert found() == []


def test_streams_have_chains_of_their_own():
    record(1)
    record(2, action="login")
    record(3)
    assert sorted(AuditLink.objects.values_list("stream", "seq")) == [
        ("access", 1),
        ("operations", 1),
        ("operations", 2),
    ]
    assert found() == []


def test_thirty_two_writers_make_one_line():
    start, faults = threading.Barrier(32), []

    def writer(number):
        try:
            start.wait()
            for step in range(8):
                with transaction.atomic():
                    record(number * 100 + step)
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=writer, args=[n]) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    seqs = AuditLink.objects.order_by("seq").values_list("seq", flat=True)
    assert list(seqs) == list(range(1, 257))
    assert found() == []


EDITS = [
    "action = 'x'",
    "at = at + interval '1 microsecond'",
    "after = '{\"n\": 6}'",
    "before = '{}'",
    "actor_label = 'somebody'",
    "actor_kind = 'person'",
    "user_id = gen_random_uuid()",
    "on_behalf_of = 'x'",
    "resource = 'x'",
    "resource_id = 'x'",
    "address = 'x'",
    "agent = 'x'",
    "request_id = 'x'",
]


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_is_named(edit):
    ten()
    tamper(f"UPDATE audit_auditentry SET {edit} WHERE id = {entry_of(5)}")
    assert found() == ["operations link 5: its entry was changed"]


def test_text_moved_from_one_field_to_the_next_is_named():
    ten()
    tamper(
        "UPDATE audit_auditentry SET action = action || 'o', resource = substr(resource, 2) "
        f"WHERE id = {entry_of(5)}"
    )
    assert found() == ["operations link 5: its entry was changed"]


def test_a_deleted_entry_is_named():
    ten()
    tamper(f"DELETE FROM audit_auditentry WHERE id = {entry_of(5)}")
    assert found() == ["operations link 5: its entry was deleted"]


def test_an_entry_deleted_with_its_link_is_named():
    ten()
    tamper(
        f"DELETE FROM audit_auditentry WHERE id IN {entry_of(5)}",
        "DELETE FROM audit_auditlink WHERE seq = 5",
    )
    assert found() == ["operations links 5 to 5: deleted"]


def test_a_gap_closed_by_renumbering_is_named():
    ten()
    tamper(
        f"DELETE FROM audit_auditentry WHERE id IN {entry_of(10)}",
        f"DELETE FROM audit_auditentry WHERE id IN {entry_of(9)}",
        "DELETE FROM audit_auditlink WHERE seq = 9",
        "UPDATE audit_auditlink SET seq = 9 WHERE seq = 10",
    )
    assert "operations link 9: does not follow link 8: reordered or replaced" in found()


def test_reordered_links_are_named():
    ten()
    tamper(
        "UPDATE audit_auditlink SET seq = -seq WHERE seq IN (4, 5)",
        "UPDATE audit_auditlink SET seq = 9 + seq WHERE seq < 0",
    )
    assert "operations link 4: does not follow link 3: reordered or replaced" in found()


def test_swapped_entries_are_named():
    ten()
    a, b = AuditLink.objects.get(seq=4).entry_id, AuditLink.objects.get(seq=7).entry_id
    unused = "00000000-0000-0000-0000-000000000000"
    tamper(
        f"UPDATE audit_auditlink SET entry_id = '{unused}' WHERE seq = 4",
        f"UPDATE audit_auditlink SET entry_id = '{a}' WHERE seq = 7",
        f"UPDATE audit_auditlink SET entry_id = '{b}' WHERE seq = 4",
    )
    assert found() == [
        "operations link 4: its entry was changed",
        "operations link 7: its entry was changed",
    ]


def test_an_entry_written_past_the_chain_is_named():
    ten()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditentry DISABLE TRIGGER audit_chain")
        forged = record(11)
        cursor.execute("ALTER TABLE audit_auditentry ENABLE ALWAYS TRIGGER audit_chain")
    assert found() == [f"operations entry {forged.id}: was written past the chain"]


def test_a_replica_role_does_not_pass_the_chain_by():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        record(1)
    assert AuditLink.objects.count() == 1


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        (
            "ALTER TABLE audit_auditlink DISABLE TRIGGER audit_keep",
            "audit_auditlink guard audit_keep: gone or switched off",
        ),
        (
            "ALTER TABLE audit_auditentry ENABLE TRIGGER audit_chain",
            "audit_auditentry guard audit_chain: gone or switched off",
        ),
        (
            "DROP TRIGGER audit_keep_all ON audit_auditentry",
            "audit_auditentry guard audit_keep_all: gone or switched off",
        ),
        (
            "CREATE OR REPLACE FUNCTION audit_join_chain() RETURNS trigger "
            "LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "audit_auditentry guard audit_chain: does something else",
        ),
    ],
)
def test_a_guard_that_does_not_guard_is_named(guarded, statement, fault):
    with transaction.atomic(), connection.cursor() as cursor:
        assert list(chain.guard_faults()) == []
        cursor.execute(statement)
        assert [str(found) for found in chain.guard_faults()] == [fault]
        transaction.set_rollback(True)


def test_an_entry_made_without_a_time_takes_that_of_the_database():
    entry = AuditEntry.objects.create(
        stream="access", actor_kind="person", actor_label="a", action="x", resource="y"
    )
    entry.refresh_from_db()
    assert abs(entry.at - datetime.now(UTC)) < timedelta(minutes=1)
    assert found() == []
