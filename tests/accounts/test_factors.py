"""The second factor: what a device shows, once; recovery codes; what it guards."""

import base64
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django_otp.oath import totp

from apps.accounts import selectors, services
from apps.accounts.models import RecoveryCode, SecondFactor, User
from apps.accounts.services import FactorWanted, NewUser, SignInRefused
from apps.audit.models import AuditEntry
from apps.configuration import services as configuration
from apps.core.actor import system
from apps.core.errors import ConfirmationRequired, Conflict, Invalid, NotFound, TooMany

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PASSWORD = "Correct-horse-9"
STEP = timedelta(seconds=30)


def shown(key, at=AT):
    """Return what the device shows at that moment."""
    made = totp(base64.b32decode(key), t0=0, drift=int(at.timestamp()) // 30 - now_step())
    return f"{made:06d}"


def now_step():
    return int(datetime.now(UTC).timestamp()) // 30


@pytest.fixture
def anna(db):
    return services.create_user(
        profile=NewUser(email="anna@example.com", role="admin"),
        password=PASSWORD,
        by=system(),
        at=AT,
    )


def actor(user):
    return selectors.actor_of_user(user)


@pytest.fixture
def enrolled(anna):
    """Return the key and the recovery codes of a factor in use."""
    services.begin_factor(by=actor(anna), at=AT)
    key = selectors.factor_of(actor(anna)).key
    codes = services.confirm_factor(code=shown(key), by=actor(anna), at=AT)
    return key, codes


def login(code="", at=AT + STEP):
    return services.login(email="anna@example.com", password=PASSWORD, code=code, at=at)


def test_the_codes_are_those_of_the_standard():
    """RFC 6238, appendix B: the last six of the eight digits printed there."""
    key = base64.b32encode(b"12345678901234567890").decode()
    for seconds, code in [(59, "287082"), (1111111109, "081804"), (2000000000, "279037")]:
        assert shown(key, datetime.fromtimestamp(seconds, UTC)) == code


def test_it_counts_once_a_code_was_shown(anna):
    services.begin_factor(by=actor(anna), at=AT)
    view = selectors.factor_of(actor(anna))
    assert view.uri.startswith("otpauth://totp/OMS%3Aanna%40example.com?secret=" + view.key)
    assert view.key not in SecondFactor.objects.get().sealed
    assert login().access_token
    with pytest.raises(Invalid):
        services.confirm_factor(code="000000x", by=actor(anna), at=AT)
    services.confirm_factor(code=shown(view.key), by=actor(anna), at=AT)
    with pytest.raises(FactorWanted):
        login()
    assert selectors.factor_of(actor(anna)).key == ""
    with pytest.raises(Conflict):
        services.begin_factor(by=actor(anna), at=AT)
    with pytest.raises(NotFound):
        services.confirm_factor(code=shown(view.key), by=actor(anna), at=AT)


def test_a_code_is_good_once_and_for_its_time(enrolled):
    key, _codes = enrolled
    with pytest.raises(SignInRefused):
        login(shown(key), AT)
    later = AT + 4 * STEP
    for wrong in (
        shown(key, later - 2 * STEP),
        shown(key, later + 2 * STEP),
        "000",
        "x" * 20,
    ):
        with pytest.raises(SignInRefused):
            login(wrong, later)
    code = shown(key, later)
    assert login(f" {code[:3]} {code[3:]} ", later)
    with pytest.raises(SignInRefused):
        login(code, later)
    with pytest.raises(SignInRefused):
        login(shown(key, later - STEP), later)


def test_a_recovery_code_is_good_once(enrolled):
    _key, codes = enrolled
    assert len(set(codes)) == 10
    assert not RecoveryCode.objects.filter(hashed__in=codes).exists()
    assert login(codes[3].upper().replace("-", " "))
    with pytest.raises(SignInRefused):
        login(codes[3])
    assert login(codes[4])


def test_guessing_is_held_up(enrolled):
    for number in range(10):
        with pytest.raises(SignInRefused):
            login(f"x{number}")
    with pytest.raises(TooMany):
        login("x")


@pytest.mark.django_db(transaction=True)
def test_of_many_with_one_code_at_once_one_gets_in(enrolled, many_attempts):
    key, _codes = enrolled
    code, barrier = shown(key, AT + STEP), threading.Barrier(8)

    def enter(_):
        try:
            barrier.wait(30)
            return bool(login(code))
        except SignInRefused:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(enter, range(8))) == 1


@pytest.fixture
def many_attempts(db):
    configuration.change(key="accounts.sign_in_attempts", value=1_000, by=system(), at=AT)


def test_a_token_of_who_has_one_does_acts_of_consequence_for_ten_minutes(anna, enrolled):
    key, _codes = enrolled
    other = User.objects.create(email="other@example.com", role="user")
    at = AT + STEP
    token = login(shown(key, at), at).access_token

    def change(role, at):
        by = selectors.actor_of_bearer(token, at=at)
        return services.change_role(user_id=other.id, role=role, by=by, at=at)

    assert change("crew", at + timedelta(minutes=9)).role == "crew"
    with pytest.raises(ConfirmationRequired):
        change("engineer", at + timedelta(minutes=11))
    assert User.objects.get(pk=other.pk).role == "crew"


def test_it_is_given_up_with_a_code_alone(anna, enrolled):
    key, _codes = enrolled
    later = AT + 2 * STEP
    with pytest.raises(Invalid):
        services.remove_factor(code="1", by=actor(anna), at=later)
    services.remove_factor(code=shown(key, later), by=actor(anna), at=later)
    assert login()
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {
        "factor_add", "factor_remove",
    }  # fmt: skip


def test_an_admin_takes_it_from_who_lost_everything(anna, enrolled):
    version = User.objects.get(pk=anna.pk).token_version
    services.reset_factor(user_id=anna.id, by=system(), at=AT)
    assert login()
    assert User.objects.get(pk=anna.pk).token_version == version + 1


def test_where_it_is_required_nothing_goes_without(anna):
    configuration.change(key="accounts.factor_required", value=True, by=system(), at=AT)
    token = login().access_token
    assert selectors.actor_of_bearer(token, at=AT + STEP).permissions == frozenset()
    services.begin_factor(by=actor(anna), at=AT)
    key = selectors.factor_of(actor(anna)).key
    services.confirm_factor(code=shown(key), by=actor(anna), at=AT)
    assert selectors.actor_of_bearer(token, at=AT + STEP).may("accounts.manage_users")
    customer = User.objects.create(email="c@example.com", role="user")
    assert selectors.permissions_of(customer) == frozenset()
