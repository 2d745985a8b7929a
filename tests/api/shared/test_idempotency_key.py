"""Idempotency-Key on any POST: one effect, the first answer again."""

import json
import threading
import time

import pytest
from django.db import connection

from apps.audit.models import AuditEntry
from apps.core import idempotency
from apps.core.models import KeptAnswer, OutboxRow
from tests.api.shared import probe

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.api.shared.probe"),
]

PATH = "/api/v1/notes"


def post(client, text="a", key="key-1", path=PATH, **values):
    headers = {"Idempotency-Key": key} if key is not None else {}
    body = json.dumps({"text": text, **values})
    return client.post(path, body, content_type="application/json", headers=headers)


def notes():
    return AuditEntry.objects.filter(action="note").count()


def test_the_same_key_and_body_gives_the_first_answer(operator):
    first, again = post(operator), post(operator)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert first.headers["Content-Type"] == again.headers["Content-Type"]
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert notes() == 1


def test_without_a_key_each_call_counts(operator):
    assert post(operator, key=None).json() != post(operator, key=None).json()
    assert notes() == 2
    assert not KeptAnswer.objects.exists()


def test_another_body_is_422(operator):
    post(operator)
    response = post(operator, "b")
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "UNPROCESSABLE_ENTITY"
    assert notes() == 1


@pytest.mark.parametrize("path", [f"{PATH}?a=1", "/api/v1/notes?"])
def test_another_path_is_422_and_the_same_is_not(operator, path):
    post(operator)
    assert post(operator, path=path).status_code == (422 if "a=1" in path else 201)
    assert notes() == 1


def test_a_key_belongs_to_who_sent_it(operator, as_role, machine):
    others = [as_role("engineer"), machine("events:write"), machine("events:write")]
    ids = {post(client).json()["id"] for client in [operator, *others]}
    assert len(ids) == 4
    assert notes() == 4


def test_a_stranger_is_refused_before_the_key_is_looked_at(operator, client_of):
    post(operator)
    assert post(client_of()).status_code == 401


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_an_impossible_key_is_400(operator, key):
    assert post(operator, key=key).status_code == 400
    assert notes() == 0


@pytest.mark.parametrize("text", ["conflict", "impossible", "missing"])
def test_a_refusal_is_an_answer_too_and_left_nothing_behind(operator, text):
    first, again = post(operator, text), post(operator, text)
    assert first.content == again.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert notes() == 0


def test_a_malformed_body_is_answered_the_same_again(operator):
    bodies = [
        operator.post(
            PATH, b"{", content_type="application/json", headers={"Idempotency-Key": "k"}
        )
        for _ in range(2)
    ]
    assert [b.status_code for b in bodies] == [400, 400]
    assert bodies[0].content == bodies[1].content


@pytest.mark.parametrize("text", ["fault", "away", "late", "forbidden"])
def test_what_may_go_better_next_time_is_not_kept(operator, text, monkeypatch):
    assert post(operator, text).status_code in (403, 500, 503)
    assert (notes(), KeptAnswer.objects.count()) == (0, 0)
    monkeypatch.setattr(probe, "FAULTS", {})
    assert post(operator, text).status_code == 201
    assert notes() == 1


def test_effect_and_key_commit_together(operator, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("between effect and key")

    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "keep", broken)
        assert post(operator).status_code == 500
    assert (notes(), KeptAnswer.objects.count(), OutboxRow.objects.count()) == (0, 0, 0)
    assert post(operator).status_code == 201
    assert notes() == 1


def together(count, call):
    start, answers = threading.Barrier(count), []

    def run(number):
        try:
            start.wait()
            answers.append(call(number))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[n]) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.parametrize("round_", range(3))
def test_identical_posts_at_once_have_one_effect(operator, round_):
    answers = together(20, lambda _: post(operator, key=f"round-{round_}"))
    said = {a.content for a in answers if a.status_code == 201}
    assert len(said) == 1
    assert {a.status_code for a in answers} <= {201, 409}
    assert notes() == 1
    assert {post(operator, key=f"round-{round_}").content} == said


def test_a_call_still_running_is_409_at_once_with_when_to_come_back(operator, monkeypatch):
    inside, go_on = threading.Event(), threading.Event()
    record = probe.audit.record

    def slow(**values):
        inside.set()
        assert go_on.wait(20)
        return record(**values)

    monkeypatch.setattr(probe.audit, "record", slow)
    first = []

    def run():
        try:
            first.append(post(operator))
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert inside.wait(20)
    started = time.monotonic()
    again = post(operator)
    waited = time.monotonic() - started
    go_on.set()
    thread.join()
    assert again.status_code == 409
    assert again.headers["Retry-After"] == "1"
    assert again.json()["error"]["code"] == "CONFLICT"
    assert waited < 5
    assert first[0].status_code == 201
    assert post(operator).content == first[0].content
    assert notes() == 1


def test_different_keys_at_once_all_count(operator):
    answers = together(8, lambda n: post(operator, key=f"k{n}"))
    assert [a.status_code for a in answers] == [201] * 8
    assert notes() == 8


def test_a_sign_in_is_never_kept(person, client_of):
    person("operator")
    body = {"email": "operator@example.com", "password": "SecurePass123!"}
    answers = [
        client_of().post(
            "/api/v1/auth/login",
            body,
            content_type="application/json",
            headers={"Idempotency-Key": "k"},
        )
        for _ in range(2)
    ]
    assert [a.status_code for a in answers] == [200, 200]
    assert answers[0].json()["access_token"] != ""
    assert not KeptAnswer.objects.exists()
