"""The strict parser: nothing that is sent is a fault of ours."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError

from apps.api import parsers
from apps.api.parsers import parse, parse_quickly

LOGIN = "/api/v1/auth/login"
GOOD = {"email": "user@example.com", "password": "SecurePass123!"}

CORPUS = {
    "empty": b"",
    "space": b" ",
    "half": b'{"email": ',
    "two documents": b"{}{}",
    "trailing comma": b'{"email": "a@example.com",}',
    "comment": b"{} // x",
    "single quotes": b"{'email': 'a'}",
    "list": b"[]",
    "list of lists": b"[[[]]]",
    "text": b'"x"',
    "number": b"5",
    "null": b"null",
    "true": b"true",
    "nan": b'{"email": NaN, "password": "x"}',
    "infinity": b'{"email": Infinity, "password": "x"}',
    "minus infinity": b'{"email": "a@example.com", "password": -Infinity}',
    "overflow": b'{"email": 1e999, "password": "x"}',
    "huge number": b'{"email": ' + b"9" * 100_000 + b"}",
    "long fraction": b'{"email": 0.' + b"9" * 100_000 + b"}",
    "key twice": b'{"email": "a@example.com", "email": "b@example.com", "password": "x"}',
    "nul escape": b'{"email": "a\\u0000@example.com", "password": "x"}',
    "nul in password": b'{"email": "a@example.com", "password": "a\\u0000b"}',
    "nul raw": b'{"email": "a\x00@example.com", "password": "x"}',
    "nul key": b'{"a\\u0000": 1}',
    "lone surrogate": b'{"email": "\\ud800@example.com", "password": "x"}',
    "lone low surrogate": b'{"email": "a@example.com", "password": "\\udc00"}',
    "surrogate key": b'{"\\ud800": 1}',
    "surrogate bytes": b'{"email": "\xed\xa0\x80"}',
    "latin 1": '{"email": "ü@example.com"}'.encode("latin-1"),
    "utf 16": '{"email": "a@example.com"}'.encode("utf-16"),
    "utf 32": '{"email": "a@example.com"}'.encode("utf-32"),
    "bom": b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
    "control character": b'{"email": "a\x01"}',
    "deep lists": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep unclosed": b"[" * 100_000,
    "deep in a field": b'{"email": ' + b"[" * 500 + b"]" * 500 + b', "password": "x"}',
    "objects for texts": b'{"email": {}, "password": []}',
    "wrong types": b'{"email": true, "password": 5}',
    "nulls": b'{"email": null, "password": null}',
    "blank": b'{"email": "", "password": ""}',
    "long email": json.dumps({**GOOD, "email": "x" * 100_000 + "@e.com"}).encode(),
    "long password": json.dumps({**GOOD, "password": "x" * 100_000}).encode(),
    "many keys": json.dumps({f"k{n}": n for n in range(50_000)}).encode(),
    "prototype": b'{"__proto__": {"a": 1}, "constructor": 1}',
    "sql": json.dumps({**GOOD, "email": "' OR 1=1 --"}).encode(),
    "unknown user": json.dumps(GOOD).encode(),
    "unicode": json.dumps({**GOOD, "password": "пароль\u202e☂"}).encode(),
    "not json": b"email=a&password=b",
    "xml": b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///'>]><a>&b;</a>",
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", CORPUS)
@pytest.mark.parametrize(
    "charset", ["", "; charset=utf-8", "; charset=utf-16", "; charset=x"]
)
def test_hostile_documents_are_refused_and_never_a_fault(client, name, charset):
    if name in ("unknown user", "unicode") and charset:
        charset = "; charset=UTF8"
    response = client.generic(
        "POST", LOGIN, CORPUS[name], content_type=f"application/json{charset}"
    )
    expected = 401 if name in ("unknown user", "unicode") else 400
    assert response.status_code == expected, response.content[:300]
    assert response.json()["success"] is False


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": 1}',
        b'[1, 2.5, -3, 1e10, "x", null, true]',
        b'{"emoji": "\\ud83d\\ude00", "a": "\\u00fc"}',
        '{"é": "☂"}'.encode(),
        b"9" * 30,
        b"[" * 32 + b"]" * 32,
    ],
)
def test_good_documents_are_read_as_json_reads_them(raw):
    assert parsers.parse(raw) == json.loads(raw)


@pytest.mark.parametrize(
    "raw", [b"[" * 33 + b"]" * 33, b"9" * 31, b'{"a": {"b": 1, "b": 1}}']
)
def test_just_beyond_the_bounds_is_refused(raw):
    with pytest.raises(ParseError):
        parsers.parse(raw)


def test_a_large_batch_is_read_quickly():
    raw = json.dumps([{"id": f"e{n}", "at": "2026-11-21T12:00:00Z"} for n in range(50_000)])
    assert len(parsers.parse(raw.encode())) == 50_000


NUMBERS = ["0", "-1", "1.5", "1e5", "1e19", "-1e300", "1e999", str(2**63), "9" * 31]
WORDS = ["true", "null", '""', '"a"', '"\\u0061"', '"\\ud800"', '"\\\\"', '"\\""', '"ü: "']
SCALARS = st.sampled_from([*NUMBERS, str(-(2**64)), *WORDS])
KEYS = st.sampled_from(['"a"', '"b"', '"\\u0061"', '""', '"ü"', '"c\\""'])


def written(inner):
    """Return arrays and objects of what is written already."""
    pairs = st.tuples(KEYS, inner).map(" : ".join)
    arrays = st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
    return arrays | st.lists(pairs, max_size=3).map(lambda items: f"{{{','.join(items)}}}")


@given(st.recursive(SCALARS, written, max_leaves=12), st.sampled_from([0, 25, 40]))
def test_the_quick_parser_agrees_with_the_strict_one(text, depth):
    raw = ("[" * depth + text + "]" * depth).encode()
    assert outcome(parse_quickly, raw) == outcome(lambda raw: parse(raw, texts=False), raw)


@given(st.binary(max_size=12) | st.text('[]{},:"\\ a1-.eE', max_size=12).map(str.encode))
def test_the_quick_parser_refuses_what_the_strict_one_does(raw):
    assert outcome(parse_quickly, raw) == outcome(lambda raw: parse(raw, texts=False), raw)


def outcome(decode, raw):
    """Return what is decoded, with its types, or that it is refused."""
    try:
        return repr(decode(raw))
    except ParseError:
        return None
