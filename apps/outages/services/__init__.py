"""The verbs of outages."""

from apps.outages.services.erasing import erase_outages
from apps.outages.services.etr import (
    publish_etr,
    score_estimates,
    set_zone_estimate,
    withdraw_zone_estimate,
)
from apps.outages.services.forecasting import renew_estimates, renew_overdue_estimates
from apps.outages.services.intake import Receipt, take_reports
from apps.outages.services.judging import judge
from apps.outages.services.life import (
    add_note,
    change_status,
    record_contact,
    record_field_work,
)
from apps.outages.services.storms import (
    request_storm,
    set_storm_mode,
    watch_for_storms,
)

__all__ = [
    "Receipt",
    "add_note",
    "change_status",
    "erase_outages",
    "judge",
    "publish_etr",
    "record_contact",
    "record_field_work",
    "renew_estimates",
    "renew_overdue_estimates",
    "request_storm",
    "score_estimates",
    "set_storm_mode",
    "set_zone_estimate",
    "take_reports",
    "watch_for_storms",
    "withdraw_zone_estimate",
]
