"""The verbs of outages."""

from apps.outages.services.erasing import erase_outages
from apps.outages.services.intake import Receipt, take_reports
from apps.outages.services.judging import judge
from apps.outages.services.life import (
    add_note,
    change_status,
    publish_etr,
    record_contact,
    record_field_work,
)
from apps.outages.services.storms import request_storm

__all__ = [
    "Receipt",
    "add_note",
    "change_status",
    "erase_outages",
    "judge",
    "publish_etr",
    "record_contact",
    "record_field_work",
    "request_storm",
    "take_reports",
]
