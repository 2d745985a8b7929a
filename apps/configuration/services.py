"""Change a setting: bounded, recorded, published."""

from datetime import datetime
from typing import Any

from django.db import transaction

from apps.audit import services as audit
from apps.configuration import selectors
from apps.configuration.events import SettingChanged
from apps.configuration.models import Setting, SettingChange
from apps.configuration.rules import check, definition, definitions, plain
from apps.core.actor import Actor, check_fresh
from apps.core.outbox import publish

PERMISSION = "configuration.change_setting"


@transaction.atomic
def change(*, key: str, value: Any, by: Actor, at: datetime) -> Any:
    """Put a value in force and return it.

    Raises Forbidden, ConfirmationRequired, UnknownSetting or Invalid.
    """
    if not by.may(PERMISSION):
        raise audit.refuse(by=by, permission=PERMISSION)
    check_fresh(by, at)
    known = definition(key)
    found = check(known, value)
    row, _ = Setting.objects.get_or_create(key=key)
    row = Setting.objects.select_for_update().get(key=row.key)
    before = row.value if row.value is not None else plain(known.default)
    after = plain(found)
    if before == after:
        return found
    row.value, row.updated_at, row.updated_by = after, at, by.label[:300]
    row.save(force_update=True)
    SettingChange.objects.create(
        key=key,
        before=before,
        after=after,
        changed_at=at,
        changed_by=by.label[:300],
        user_id=by.user_id,
    )
    audit.record(
        by=by,
        action="setting_change",
        resource="setting",
        resource_id=key,
        before={"value": before},
        after={"value": after},
        at=at,
    )
    publish(SettingChanged(key=key, value=after, at=at))
    selectors.forget()
    transaction.on_commit(selectors.forget)
    return found


def list_declared() -> None:
    """Give every declared setting its row, so that the admin can list it."""
    Setting.objects.bulk_create(
        [Setting(key=known.key) for known in definitions()], ignore_conflicts=True
    )
