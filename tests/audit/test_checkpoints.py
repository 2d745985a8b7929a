"""Checkpoints outside the database name what the chain alone cannot."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.audit import chain, checkpoints, selectors, services
from apps.audit.models import Proof
from apps.audit.rules import Seal
from tests.audit.test_chain import AT, entry_of, record, tamper, ten

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def path(tmp_path, settings):
    settings.AUDIT_CHECKPOINTS = tmp_path / "sub" / "checkpoints"
    return settings.AUDIT_CHECKPOINTS


def told(path, **more):
    return [str(fault) for fault in checkpoints.faults(path, at=AT, **more)]


def test_a_deleted_tail_is_named(path):
    ten()
    assert checkpoints.write(path, at=AT) == 1
    tamper(
        "DELETE FROM audit_auditentry WHERE id IN "
        "(SELECT entry_id FROM audit_auditlink WHERE seq > 8)",
        "DELETE FROM audit_auditlink WHERE seq > 8",
    )
    assert list(chain.faults()) == []
    assert told(path) == ["operations link 10: deleted since its checkpoint"]


def test_a_chain_computed_anew_is_named(path):
    ten()
    checkpoints.write(path, at=AT)
    tamper(
        f"UPDATE audit_auditentry SET action = 'x' WHERE id = {entry_of(3)}",
        "CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT e.* FROM audit_auditentry e "
        "JOIN audit_auditlink l ON l.entry_id = e.id ORDER BY l.seq",
        "DELETE FROM audit_auditlink",
        "DELETE FROM audit_auditentry",
        "INSERT INTO audit_auditentry SELECT * FROM kept",
        "SET CONSTRAINTS ALL IMMEDIATE",
    )
    assert list(chain.faults()) == []
    assert told(path) == ["operations link 10: not what its checkpoint says"]


def test_one_is_written_only_where_the_chain_moved(path):
    ten()
    assert checkpoints.write(path, at=AT) == 1
    assert checkpoints.write(path, at=AT) == 0
    record(11, action="login")
    assert checkpoints.write(path, at=AT) == 1
    heads = [(line["stream"], line["seq"]) for line in map(json.loads, path.open())]
    assert heads == [("operations", 10), ("access", 1)]
    assert told(path) == []


def three(path):
    for number in (1, 2, 3):
        record(number)
        checkpoints.write(path, at=AT + timedelta(minutes=number))
    return path.read_text().splitlines(keepends=True)


@pytest.mark.parametrize(
    ("edit", "faults"),
    [
        (
            lambda a, b, c: [a, b.replace('"seq": 2', '"seq": 1'), c],
            ["checkpoints line 2: its signature is wrong"],
        ),
        (lambda a, b, c: [a, c], ["checkpoints line 2: does not follow the line before"]),
        (
            lambda a, b, c: [a, c, b],
            [
                "checkpoints line 2: does not follow the line before",
                "checkpoints line 3: does not follow the line before",
            ],
        ),
        (
            lambda a, b, c: [a, "rubbish\n", b, c],
            ["checkpoints line 2: cannot be read"],
        ),
        (
            lambda a, b, c: [a, b, c[:40]],
            ["checkpoints line 3: cannot be read"],
        ),
        (
            lambda a, b, c: [a, b],
            ["checkpoints line 3: not what it was at an earlier proof"],
        ),
        (lambda a, b, c: [], ["checkpoints line 3: not what it was at an earlier proof"]),
    ],
)
def test_tampering_with_the_file_is_named(path, edit, faults):
    lines = three(path)
    known = (3, json.loads(lines[2])["mac"])
    assert told(path, known=known) == []
    path.write_text("".join(edit(*lines)))
    found = told(path, known=known)
    assert set(faults) <= set(found)
    assert set(found) <= {
        *faults,
        "checkpoints line 3: not what it was at an earlier proof",
    }
    checkpoints.write(path, at=AT)
    assert set(faults) <= set(told(path, known=known))


def test_a_trail_that_began_a_while_ago_has_checkpoints(path):
    record(1)
    assert told(path) == []
    later = [str(f) for f in checkpoints.faults(path, at=AT + timedelta(minutes=6))]
    assert later == [f"checkpoints {path}: missing or empty, though there are entries"]


def test_the_command_proves_a_whole_trail_and_names_a_broken_place(guarded, path):
    ten()
    with pytest.raises(CommandError, match="1 faults"):
        call_command("audit_verify", stderr=StringIO())
    out, err = StringIO(), StringIO()
    call_command("audit_verify", "--begin", checkpoints=path, stdout=out)
    assert out.getvalue() == "The trail is complete and unchanged.\n"
    assert path.read_text().count("\n") == 1
    record(11)
    call_command("audit_verify", "--checkpoint", checkpoints=path, stdout=out)
    assert path.read_text().count("\n") == 2
    tamper(f"DELETE FROM audit_auditentry WHERE id = {entry_of(2)}")
    with pytest.raises(CommandError, match="1 faults"):
        call_command("audit_verify", checkpoints=path, stderr=err)
    assert err.getvalue() == "operations link 2: its entry was deleted\n"


def test_the_seal_is_green_only_by_a_fresh_proof_of_our_own(guarded, path):
    now = timezone.now()
    assert selectors.seal(at=now) == (Seal.UNKNOWN, None)
    ten()
    checkpoints.write(path, at=now)
    proof = services.prove(at=now)
    assert (proof.links, proof.checkpoints, proof.faults) == (10, 1, 0)
    assert selectors.seal(at=now) == (Seal.WHOLE, proof)
    assert selectors.seal(at=now + timedelta(hours=4))[0] is Seal.OLD
    assert selectors.seal(at=now - timedelta(hours=4))[0] is Seal.FORGED
    path.unlink()
    services.prove(at=now + timedelta(minutes=1))
    assert selectors.seal(at=now + timedelta(minutes=2))[0] is Seal.BROKEN
    Proof.objects.update(faults=0, places=[])
    assert selectors.seal(at=now + timedelta(minutes=2))[0] is Seal.FORGED
