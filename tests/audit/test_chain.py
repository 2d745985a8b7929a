"""The chain: one line per stream under concurrency, and every tampering is named."""

import hashlib
import json
import threading
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
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


def test_a_deleted_tail_is_named_by_the_checkpoint(tmp_path):
    ten()
    path = tmp_path / "checkpoints"
    assert chain.write_checkpoint(path, at=AT) == 1
    tamper(
        "DELETE FROM audit_auditentry WHERE id IN "
        "(SELECT entry_id FROM audit_auditlink WHERE seq > 8)",
        "DELETE FROM audit_auditlink WHERE seq > 8",
    )
    assert found() == []
    faults = [str(fault) for fault in chain.checkpoint_faults(path)]
    assert faults == ["operations link 10: deleted since its checkpoint"]


def test_a_chain_computed_anew_is_named_by_the_checkpoint(tmp_path):
    ten()
    path = tmp_path / "checkpoints"
    chain.write_checkpoint(path, at=AT)
    tamper(
        f"UPDATE audit_auditentry SET action = 'x' WHERE id = {entry_of(3)}",
        "CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT e.* FROM audit_auditentry e "
        "JOIN audit_auditlink l ON l.entry_id = e.id ORDER BY l.seq",
        "DELETE FROM audit_auditlink",
        "DELETE FROM audit_auditentry",
        "INSERT INTO audit_auditentry SELECT * FROM kept",
        "SET CONSTRAINTS ALL IMMEDIATE",
    )
    assert found() == []
    faults = [str(fault) for fault in chain.checkpoint_faults(path)]
    assert faults == ["operations link 10: not what its checkpoint says"]


def test_a_checkpoint_is_written_only_where_the_chain_moved(tmp_path):
    path = tmp_path / "sub" / "checkpoints"
    ten()
    assert chain.write_checkpoint(path, at=AT) == 1
    assert chain.write_checkpoint(path, at=AT) == 0
    record(11, action="login")
    assert chain.write_checkpoint(path, at=AT) == 1
    heads = [(line["stream"], line["seq"]) for line in map(json.loads, path.open())]
    assert heads == [("operations", 10), ("access", 1)]
    assert list(chain.checkpoint_faults(path)) == []


def test_a_forged_checkpoint_is_named(tmp_path):
    path = tmp_path / "checkpoints"
    ten()
    chain.write_checkpoint(path, at=AT)
    path.write_text(path.read_text().replace('"seq": 10', '"seq": 9'))
    assert [str(fault) for fault in chain.checkpoint_faults(path)] == [
        "operations checkpoint 9: its signature is wrong"
    ]


def test_the_command_proves_a_whole_trail_and_names_a_broken_place(tmp_path):
    ten()
    out, err, path = StringIO(), StringIO(), tmp_path / "checkpoints"
    call_command("audit_verify", "--checkpoint", checkpoints=path, stdout=out)
    assert out.getvalue() == "The trail is complete and unchanged.\n"
    assert path.read_text().count("\n") == 1
    tamper(f"DELETE FROM audit_auditentry WHERE id = {entry_of(2)}")
    with pytest.raises(CommandError, match="1 faults"):
        call_command("audit_verify", checkpoints=path, stderr=err)
    assert err.getvalue() == "operations link 2: its entry was deleted\n"


def test_an_entry_made_without_a_time_takes_that_of_the_database():
    entry = AuditEntry.objects.create(
        stream="access", actor_kind="person", actor_label="a", action="x", resource="y"
    )
    entry.refresh_from_db()
    assert abs(entry.at - datetime.now(UTC)) < timedelta(minutes=1)
    assert found() == []
