"""The verbs of outages."""

from apps.outages.services.erasing import erase_outages
from apps.outages.services.etr import (
    publish_etr,
    score_estimates,
    set_zone_estimate,
    withdraw_zone_estimate,
)
from apps.outages.services.forecasting import renew_estimates, renew_overdue_estimates
from apps.outages.services.intake import Receipt, take_free_reports, take_reports
from apps.outages.services.judging import judge, wake
from apps.outages.services.life import (
    add_note,
    change_status,
    record_contact,
    record_field_work,
)
from apps.outages.services.planning import (
    WorkPlan,
    approve_work,
    begin_work,
    cancel_work,
    end_work,
    extend_work,
    plan_work,
    reject_work,
    run_planned_work,
)
from apps.outages.services.regrouping import (
    merge_outages,
    place_outage,
    split_outage,
)
from apps.outages.services.replaying import ask_replay, make_replay
from apps.outages.services.shifts import (
    hand_over,
    take_over,
    unpin_shift_note,
    write_shift_note,
)
from apps.outages.services.simulating import simulate_storm_estimates
from apps.outages.services.storms import (
    request_storm,
    set_storm_mode,
    watch_for_storms,
)
from apps.outages.services.verification import (
    Answer,
    answer_verification,
    request_verification,
    settle_verifications,
    verify_automatically,
)

__all__ = [
    "Answer",
    "Receipt",
    "WorkPlan",
    "add_note",
    "answer_verification",
    "approve_work",
    "ask_replay",
    "begin_work",
    "cancel_work",
    "change_status",
    "end_work",
    "erase_outages",
    "extend_work",
    "hand_over",
    "judge",
    "make_replay",
    "merge_outages",
    "place_outage",
    "plan_work",
    "publish_etr",
    "record_contact",
    "record_field_work",
    "reject_work",
    "renew_estimates",
    "renew_overdue_estimates",
    "request_storm",
    "request_verification",
    "run_planned_work",
    "score_estimates",
    "set_storm_mode",
    "set_zone_estimate",
    "settle_verifications",
    "simulate_storm_estimates",
    "split_outage",
    "take_free_reports",
    "take_over",
    "take_reports",
    "unpin_shift_note",
    "verify_automatically",
    "wake",
    "watch_for_storms",
    "withdraw_zone_estimate",
    "write_shift_note",
]
