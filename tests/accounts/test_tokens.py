"""Sign-in and tokens: what is accepted, and everything that is not."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from django.conf import settings as conf
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.db import connection

from apps.accounts import selectors, services, tokens
from apps.accounts.models import RefreshToken, ServiceToken, Session, User
from apps.accounts.services import SignInRefused
from apps.audit.models import AuditEntry
from apps.configuration import services as configuration
from apps.core.actor import ActorKind, system

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PASSWORD = "Correct-horse-9"


@pytest.fixture(scope="module")
def hashed():
    return make_password(PASSWORD)


@pytest.fixture
def anna(hashed):
    return User.objects.create(email="anna@example.com", password=hashed, role="operator")


def token_of(user):
    session = Session.objects.create(user=user, created_at=AT)
    claims = tokens.Claims(user.id, session.id, user.token_version, AT + timedelta(hours=1))
    return tokens.encode(claims, at=AT)


def login(email="anna@example.com", password=PASSWORD, at=AT):
    return services.login(
        email=email,
        password=password,
        at=at,
        origin=services.Origin(address="192.0.2.1", agent="test", request_id="r"),
    )


def who(token, at=AT):
    selectors.forget_bearers()
    return selectors.actor_of_bearer(token, at=at)


def test_signing_in_opens_a_session(anna):
    found = login(" ANNA@example.com ")
    assert (found.user, found.expires_in) == (anna, 3600)
    session = Session.objects.get()
    assert (session.user_id, session.address, session.agent) == (
        anna.id,
        "192.0.2.1",
        "test",
    )
    assert User.objects.get().last_login == AT
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.user_id, entry.address) == ("login", anna.id, "192.0.2.1")
    claims = tokens.decode(found.access_token, at=AT)
    assert claims.session_id == session.id
    assert claims.expires_at == AT + timedelta(seconds=3600)


def test_of_a_refresh_token_only_a_digest_is_kept(anna):
    found = login()
    row = RefreshToken.objects.get()
    assert row.hashed == hashlib.sha256(found.refresh_token.encode()).hexdigest()
    assert row.expires_at == AT + timedelta(days=30)
    with connection.cursor() as cursor:
        for table in ("accounts_refreshtoken", "accounts_session", "audit_auditentry"):
            cursor.execute(f"SELECT t::text FROM {table} t")
            kept = cursor.fetchone()[0]
            assert found.refresh_token not in kept
            assert found.access_token not in kept


def test_a_token_says_who_holds_it(anna):
    found = selectors.actor_of_bearer(
        login().access_token, at=AT, address="192.0.2.9", agent="a", request_id="q"
    )
    assert (found.kind, found.user_id, found.role) == (
        ActorKind.PERSON,
        anna.id,
        "operator",
    )
    assert found.may("outages.operate_outage")
    assert not found.may("accounts.manage_users")
    assert (found.address, found.agent, found.request_id) == ("192.0.2.9", "a", "q")


def test_wrong_password_unknown_address_and_inactive_user_are_refused_alike(anna):
    User.objects.create_user("gone@example.com", PASSWORD, is_active=False)
    refusals = []
    for email, password in [
        ("anna@example.com", "wrong"),
        ("nobody@example.com", PASSWORD),
        ("gone@example.com", PASSWORD),
    ]:
        with pytest.raises(SignInRefused) as refusal:
            login(email, password)
        refusals.append((refusal.value.message, refusal.value.code, refusal.value.fields))
    assert len(set(map(str, refusals))) == 1
    assert not Session.objects.exists()
    assert AuditEntry.objects.filter(action="login_failed").count() == 3


@pytest.mark.parametrize(
    ("email", "password"), [("anna@example.com", "wrong"), ("nobody@example.com", "wrong")]
)
def test_an_unknown_address_costs_the_same_hashing(anna, monkeypatch, email, password):
    calls = []
    for name in ("encode", "verify"):
        real = getattr(Argon2PasswordHasher, name)
        monkeypatch.setattr(
            Argon2PasswordHasher,
            name,
            lambda self, *args, real=real, name=name: (
                calls.append(name) or real(self, *args)
            ),
        )
    with pytest.raises(SignInRefused):
        login(email, password)
    assert len(calls) == 1


def test_the_lifetime_is_a_setting(anna):
    configuration.change(key="accounts.token_seconds", value=120, by=system(), at=AT)
    found = login()
    assert found.expires_in == 120
    assert who(found.access_token, AT + timedelta(seconds=119)) is not None
    assert who(found.access_token, AT + timedelta(seconds=120)) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
        lambda user: User.objects.filter(pk=user.pk).update(token_version=2),
        lambda user: Session.objects.update(revoked_at=AT),
        lambda user: Session.objects.all().delete(),
        lambda user: services.set_role(user_id=user.id, role="user", by=system(), at=AT),
        lambda user: services.set_active(user_id=user.id, active=False, by=system(), at=AT),
        lambda user: user.delete(),
    ],
)
def test_a_token_ends_with_its_session_user_or_version(anna, change):
    token = token_of(anna)
    assert who(token) is not None
    change(anna)
    assert who(token) is None


def machine_of(user):
    return services.issue_service_token(
        name="machine", scopes=["events:read"], by=system(), at=AT, user_id=user.id
    )[1]


def test_a_service_token_is_asked_of_the_database_at_most_once_a_second(
    anna, django_assert_num_queries, monkeypatch
):
    clock = [50.0]
    monkeypatch.setattr(selectors._bearers, "clock", lambda: clock[0])
    token = machine_of(anna)
    selectors.actor_of_bearer(token, at=AT)
    selectors.forget_bearers()
    with django_assert_num_queries(1):
        for _ in range(50):
            assert selectors.actor_of_bearer(token, at=AT) is not None
    User.objects.update(is_active=False)
    clock[0] += 1.001
    assert selectors.actor_of_bearer(token, at=AT) is None


def test_what_ends_a_persons_token_acts_on_the_next_call(anna):
    token = token_of(anna)
    assert selectors.actor_of_bearer(token, at=AT) is not None
    Session.objects.update(revoked_at=AT)
    assert selectors.actor_of_bearer(token, at=AT) is None


def test_a_token_runs_out(anna):
    token = login().access_token
    assert selectors.actor_of_bearer(token, at=AT) is not None
    assert selectors.actor_of_bearer(token, at=AT + timedelta(seconds=3600)) is None


def test_what_is_remembered_is_bounded(anna, monkeypatch):
    monkeypatch.setattr(selectors, "REMEMBERED", 5)
    for n in range(23):
        selectors.actor_of_bearer(f"oms_rubbish{n}", at=AT)
    assert 1 <= len(selectors._bearers.known) <= 5


def test_a_service_token_of_an_inactive_user_is_refused(anna):
    _, secret = services.issue_service_token(
        name="n", scopes=["events:read"], by=system(), at=AT, user_id=anna.id
    )
    assert who(secret).user_id == anna.id
    User.objects.update(is_active=False)
    assert who(secret) is None


def test_a_service_token_notes_its_use_at_most_once_a_minute():
    _, secret = services.issue_service_token(
        name="n", scopes=["events:read"], by=system(), at=AT
    )
    for seconds, noted in [(0, 0), (30, 0), (61, 61)]:
        who(secret, AT + timedelta(seconds=seconds))
        assert ServiceToken.objects.get().last_used_at == AT + timedelta(seconds=noted)


def test_an_old_key_is_read_until_it_is_dropped(anna, settings):
    token = login().access_token
    old, settings.TOKEN_KEY = settings.TOKEN_KEY, "a-brand-new-key-" * 4
    assert who(token) is None
    settings.TOKEN_KEYS_PAST = [old]
    assert who(token) is not None
    assert who(login().access_token) is not None


# --- forgeries ----------------------------------------------------------------------------


def b64(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header, payload, key=None, digest="sha256"):
    body = f"{b64(header)}.{b64(payload)}"
    secret = conf.TOKEN_KEY if key is None else key
    secret = secret.encode() if isinstance(secret, str) else secret
    return f"{body}.{b64(hmac.new(secret, body.encode(), digest).digest())}"


@pytest.fixture
def parts(anna):
    token = token_of(anna)
    payload = jwt.decode(token, options={"verify_signature": False})
    return jwt.get_unverified_header(token), payload


HEADERS = [
    {"alg": "none"},
    {"alg": "None"},
    {"alg": "NONE"},
    {"alg": "HS384"},
    {"alg": "HS512"},
    {"alg": "RS256"},
    {"alg": "EdDSA"},
    {"alg": "hs256"},
    {"alg": ""},
    {"alg": None},
    {"alg": ["HS256"]},
    {"kid": "unknown"},
    {"kid": ""},
    {"kid": None},
    {"kid": "../../etc/passwd"},
    {"kid": "' OR 1=1 --"},
    {"kid": ["a"]},
    {"kid": {"a": 1}},
    {"jwk": {"kty": "oct", "k": "AAAA"}},
    {"jku": "https://evil.example/jwks"},
    {"x5u": "https://evil.example/cert"},
    {"x5c": ["AAAA"]},
    {"crit": ["exp"]},
    {"crit": []},
    {"zip": "DEF"},
    {"b64": False, "crit": ["b64"]},
    {"cty": "JWT"},
]


@pytest.mark.parametrize("header", HEADERS, ids=str)
def test_a_forged_header_is_refused_though_well_signed(parts, header):
    assert who(signed({**parts[0], **header}, parts[1])) is None


@pytest.mark.parametrize("name", ["alg", "kid", "typ"])
def test_a_header_that_lacks_a_part_is_refused(parts, name):
    header = {key: value for key, value in parts[0].items() if key != name}
    assert who(signed(header, parts[1])) is None


NOW = int(AT.timestamp())
CLAIMS = [
    {"iss": "other"},
    {"iss": None},
    {"iss": ["oms"]},
    {"aud": "other"},
    {"aud": None},
    {"aud": []},
    {"typ": "refresh"},
    {"typ": None},
    {"sub": "x"},
    {"sub": None},
    {"sub": 5},
    {"sub": "85276a71-68d1-4ec3-8f65-c9809bcce14b"},
    {"sub": "' OR 1=1 --"},
    {"sid": "f0282571-112b-4da5-abfd-dc964c6f602a"},
    {"sid": None},
    {"sid": "x\0"},
    {"ver": 0},
    {"ver": 2},
    {"ver": "1"},
    {"ver": True},
    {"ver": None},
    {"ver": 2**70},
    {"exp": NOW},
    {"exp": NOW - 1},
    {"exp": 0},
    {"exp": -1},
    {"exp": "9999999999"},
    {"exp": 1e300},
    {"exp": 10**30},
    {"exp": None},
    {"exp": True},
    {"iat": NOW + 3600},
    {"iat": "0"},
    {"iat": None},
    {"nbf": NOW + 3600},
]


@pytest.mark.parametrize("claims", CLAIMS, ids=str)
def test_wrong_claims_are_refused_though_well_signed(parts, claims):
    assert who(signed(parts[0], {**parts[1], **claims})) is None


@pytest.mark.parametrize("name", ["iss", "aud", "typ", "sub", "sid", "ver", "iat", "exp"])
def test_a_missing_claim_is_refused(parts, name):
    payload = {key: value for key, value in parts[1].items() if key != name}
    assert who(signed(parts[0], payload)) is None


@pytest.mark.parametrize(
    "key",
    ["", "secret", conf.SECRET_KEY, "null", b"\0"],
    ids=["empty", "word", "django", "null", "zero"],
)
def test_another_key_is_refused(parts, key):
    assert who(signed(*parts, key=key)) is None


def test_what_was_signed_right_is_accepted(parts):
    assert who(signed(*parts)) is not None


def test_broken_forms_are_refused(anna):
    found = login()
    head, body, mark = found.access_token.split(".")
    rubbish = [
        "",
        ".",
        "..",
        "...",
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}..{mark}",
        f".{body}.{mark}",
        f"{head}.{body}.{mark}x",
        f"{head}.{body}.{mark[:-2]}",
        f"{head}.{body}.{mark}.{mark}",
        f"{found.access_token} ",
        f"{head}.{b64(b'[]')}.{mark}",
        f"{head}.{b64(b'null')}.{mark}",
        f"{b64(b'[]')}.{body}.{mark}",
        f"{b64(b'{' * 2000)}.{body}.{mark}",
        "ü.ü.ü",
        "\0",
        "\ud800",
        "a" * 1_000_000,
        found.refresh_token,
        "oms_",
        "oms_" + "a" * 43,
        "oms_%",
    ]
    for token in rubbish:
        assert who(token) is None, token[:40]


def test_a_body_with_a_claim_twice_needs_the_key_like_any_other(parts):
    head = b64(parts[0])
    double = b64(b'{"sub":"x",' + json.dumps(parts[1]).encode()[1:])
    assert who(f"{head}.{double}.{b64(b'0' * 32)}") is None
