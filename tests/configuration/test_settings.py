"""Declared settings: typed, bounded, recorded, published."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from apps.audit.models import AuditEntry
from apps.configuration import rules, selectors, services
from apps.configuration.models import Setting, SettingChange
from apps.configuration.rules import Kind, check, declare, parse
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Forbidden, Invalid
from apps.core.models import OutboxRow

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ADMIN = Actor(
    kind=ActorKind.PERSON,
    label="Ada",
    user_id=UUID(int=1),
    permissions=frozenset({"configuration.change_setting"}),
)


@pytest.fixture(autouse=True)
def declared(monkeypatch):
    monkeypatch.setattr(rules, "_declared", {})


@pytest.fixture
def radius():
    return declare("test.radius", 1000, minimum=1, maximum=5000, help="Metres.")


def change(key="test.radius", value=500, by=ADMIN):
    return services.change(key=key, value=value, by=by, at=AT)


@pytest.mark.parametrize(
    ("default", "kind"),
    [
        (1, "integer"),
        (1.5, "number"),
        (Decimal(1), "decimal"),
        (True, "boolean"),
        ("", "text"),
    ],
)
def test_the_kind_follows_from_the_default(default, kind):
    assert declare("k", default).kind == kind


def test_a_key_is_declared_once():
    declare("k", 1)
    with pytest.raises(ValueError, match="declared twice"):
        declare("k", 2)


def test_a_default_out_of_bounds_is_a_mistake():
    with pytest.raises(Invalid):
        declare("k", 0, minimum=1)


@pytest.mark.parametrize(
    ("default", "value", "found"),
    [
        (1, 7, 7),
        (1.0, 7, 7.0),
        (1.0, "2.5", 2.5),
        (Decimal(1), "2.50", Decimal("2.50")),
        (Decimal(1), 3, Decimal(3)),
        (True, False, False),
        ("a", "b", "b"),
    ],
)
def test_a_value_comes_in_its_type(default, value, found):
    checked = check(declare("k", default), value)
    assert (checked, type(checked)) == (found, type(found))


@pytest.mark.parametrize(
    ("default", "value"),
    [
        (1, "7"),
        (1, True),
        (1, 1.5),
        (1, None),
        (1, 2**63),
        (1.0, "x"),
        (1.0, float("nan")),
        (1.0, float("inf")),
        (1.0, 1e300),
        (1.0, True),
        (Decimal(1), "NaN"),
        (Decimal(1), [1]),
        (True, 1),
        (True, "true"),
        ("a", 5),
        ("a", "b\0"),
        ("a", "x" * 1001),
    ],
)
def test_a_value_of_another_type_is_refused(default, value):
    with pytest.raises(Invalid):
        check(declare("k", default), value)


@pytest.mark.parametrize("value", [0, 5001])
def test_a_value_out_of_bounds_is_refused(radius, value):
    with pytest.raises(Invalid, match=r"test.radius must be at (least 1|most 5000)"):
        check(radius, value)


@pytest.mark.parametrize("value", [1, 5000])
def test_bounds_are_inclusive(radius, value):
    assert check(radius, value) == value


@pytest.mark.parametrize(
    ("default", "text", "found"),
    [
        (1, " 12 ", 12),
        (1, "-3", -3),
        (1.0, "2.5", 2.5),
        (Decimal(1), "2.50", Decimal("2.50")),
        (True, "off", False),
        (True, "Yes", True),
        ("a", " b ", "b"),
    ],
)
def test_what_a_person_types_is_read(default, text, found):
    assert parse(declare("k", default), text) == found


@pytest.mark.parametrize(
    ("default", "text"), [(1, "1.5"), (1, "²"), (1, "9" * 30), (1.0, ""), (True, "maybe")]
)
def test_what_cannot_be_read_is_refused(default, text):
    with pytest.raises(Invalid):
        parse(declare("k", default), text)


@pytest.mark.django_db
def test_the_default_holds_until_it_is_changed(radius):
    assert selectors.value(radius) == 1000
    assert change() == 500
    assert selectors.value(radius) == 500


@pytest.mark.django_db
def test_a_change_writes_row_history_trail_and_event(radius):
    change(value=500)
    change(value=700)
    row = Setting.objects.get()
    assert (row.value, row.updated_by, row.updated_at) == (700, "Ada", AT)
    assert [(c.before, c.after) for c in selectors.history(key="test.radius")] == [
        (500, 700),
        (1000, 500),
    ]
    assert SettingChange.objects.first().user_id == UUID(int=1)
    entries = AuditEntry.objects.order_by("id").filter(action="setting_change")
    assert {(e.resource, e.resource_id) for e in entries} == {("setting", "test.radius")}
    assert {(e.before["value"], e.after["value"]) for e in entries} == {
        (1000, 500),
        (500, 700),
    }
    events = OutboxRow.objects.order_by("id").values_list(
        "name", "subject", "payload__value"
    )
    assert list(events) == [
        ("setting.changed", "setting:test.radius", 500),
        ("setting.changed", "setting:test.radius", 700),
    ]


@pytest.mark.django_db
def test_the_same_value_again_changes_nothing(radius):
    change(value=1000)
    assert not SettingChange.objects.exists()
    assert not OutboxRow.objects.exists()
    assert not AuditEntry.objects.filter(action="setting_change").exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("key", "value"), [("test.radius", 9999), ("test.other", 1)])
def test_a_refused_change_changes_nothing(radius, key, value):
    with pytest.raises(Invalid):
        change(key, value)
    assert not Setting.objects.exists()
    assert not OutboxRow.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_only_who_may_changes_and_the_attempt_is_recorded(radius):
    nobody = Actor(kind=ActorKind.PERSON, label="Eve")
    with pytest.raises(Forbidden):
        change(by=nobody)
    assert not Setting.objects.exists()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_label) == ("access_denied", "Eve")


@pytest.mark.django_db
def test_decimals_are_stored_exactly(radius):
    price = declare("test.price", Decimal("5.00"), minimum=Decimal("0.5"))
    change("test.price", Decimal("10.10"))
    assert Setting.objects.get(key="test.price").value == "10.10"
    assert selectors.value(price) == Decimal("10.10")


@pytest.mark.django_db
def test_a_stored_value_that_is_out_of_bounds_now_gives_way_to_the_default(radius):
    Setting.objects.create(key="test.radius", value=99999)
    assert selectors.value(radius) == 1000


@pytest.mark.django_db
def test_values_are_read_once_a_second(radius, django_assert_num_queries, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(selectors.time, "monotonic", lambda: clock[0])
    with django_assert_num_queries(1):
        for _ in range(100):
            selectors.value(radius)
    clock[0] += 1.001
    with django_assert_num_queries(1):
        selectors.value(radius)


@pytest.mark.django_db
def test_every_declared_setting_is_listed_with_its_value(radius):
    declare("test.flag", default=False)
    change(value=5)
    views = [(v.definition.key, v.value, v.changed) for v in selectors.settings()]
    assert views == [("test.flag", False, False), ("test.radius", 5, True)]


@pytest.mark.django_db
def test_declared_settings_get_rows_for_the_admin_once(radius):
    services.list_declared()
    services.list_declared()
    assert list(Setting.objects.values_list("key", "value")) == [("test.radius", None)]
    assert radius.kind == Kind.INTEGER
