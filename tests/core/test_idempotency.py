"""Kept answers: one effect per key, whatever is retried."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from apps.core import idempotency
from apps.core.errors import Invalid
from apps.core.idempotency import Answer, KeyReused, StillRunning
from apps.core.models import KeptAnswer
from tests.unfinished import unfinished

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SAID = Answer(201, "application/json", b'{"id": 1}')


def tried(**values):
    found = {
        "principal": "user:1",
        "key": "k",
        "method": "POST",
        "path": "/a",
        "body": b"{}",
    }
    return idempotency.attempt(**{**found, **values})


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "a\0b"])
def test_an_impossible_key_is_refused(key):
    with pytest.raises(Invalid):
        tried(key=key)


@pytest.mark.parametrize(
    "change",
    [{"method": "PUT"}, {"path": "/b"}, {"body": b"{ }"}, {"path": "/a{", "body": b"}"}],
)
def test_the_fingerprint_covers_method_path_and_body(change):
    assert tried(**change).fingerprint != tried().fingerprint


def test_the_fingerprint_is_that_of_the_request_and_not_of_who_sends_it():
    assert tried(principal="user:2", key="other").fingerprint == tried().fingerprint


@pytest.mark.django_db
def test_the_first_answer_is_said_again():
    assert idempotency.begin(tried(), at=AT) is None
    idempotency.keep(tried(), SAID, at=AT)
    assert idempotency.begin(tried(), at=AT) == SAID


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"body": b"[]"}, {"path": "/b"}, {"method": "PUT"}])
def test_a_key_of_another_request_is_refused(change):
    idempotency.keep(tried(), SAID, at=AT)
    with pytest.raises(KeyReused):
        idempotency.begin(tried(**change), at=AT)


@pytest.mark.django_db
def test_the_same_key_of_somebody_else_is_another_key():
    idempotency.keep(tried(), SAID, at=AT)
    assert idempotency.begin(tried(principal="user:2"), at=AT) is None


@pytest.mark.django_db
def test_an_answer_is_forgotten_after_a_day_and_may_be_kept_anew():
    idempotency.keep(tried(), SAID, at=AT)
    later = AT + idempotency.KEEP
    assert idempotency.begin(tried(body=b"new"), at=later) is None
    idempotency.keep(tried(body=b"new"), SAID, at=later)
    assert idempotency.begin(tried(body=b"new"), at=later) == SAID
    assert KeptAnswer.objects.count() == 1


@pytest.mark.django_db
def test_prune_deletes_what_has_expired():
    idempotency.keep(tried(), SAID, at=AT)
    idempotency.keep(tried(key="k2"), SAID, at=AT + timedelta(hours=1))
    assert idempotency.prune(at=AT + idempotency.KEEP) == 1
    assert [row.key for row in KeptAnswer.objects.all()] == ["k2"]


@pytest.mark.django_db(transaction=True)
def test_a_key_in_use_is_refused_at_once():
    def first():
        idempotency.begin(tried(), at=AT)
        idempotency.keep(tried(), SAID, at=AT)

    with (
        unfinished(first),
        pytest.raises(StillRunning),
        transaction.atomic(),
    ):
        idempotency.begin(tried(), at=AT)
    with transaction.atomic():
        assert idempotency.begin(tried(), at=AT) == SAID


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_not_kept():
    def undone():
        with transaction.atomic():
            idempotency.begin(tried(), at=AT)
            idempotency.keep(tried(), SAID, at=AT)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        undone()
    with transaction.atomic():
        assert idempotency.begin(tried(), at=AT) is None
