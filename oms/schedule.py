"""What Celery's clock asks for, and how often: mostly what a nudge has left over."""

from typing import Any

from celery.schedules import schedule


def _every(seconds: float, task: str, expires: int) -> dict[str, Any]:
    """Return an entry; what nobody took within `expires` seconds is asked for no more."""
    return {
        "task": f"apps.{task}",
        "schedule": schedule(seconds),
        "options": {"expires": expires},
    }


SCHEDULE: dict[str, dict[str, Any]] = {
    "judge-feeders-left-over": _every(1.0, "outages.tasks.judge_waiting", 5),
    "estimates-left-over": _every(5.0, "outages.tasks.renew_estimates", 5),
    "planned-work": _every(5.0, "outages.tasks.run_planned_work", 5),
    "verifications": _every(2.0, "outages.tasks.settle_verifications", 2),
    "storm-mode": _every(15.0, "outages.tasks.watch_for_storms", 15),
    "estimates-overdue": _every(60.0, "outages.tasks.renew_overdue_estimates", 50),
    "estimates-in-a-storm": _every(60.0, "crews.tasks.estimate_in_storm", 50),
    "send-notices-left-over": _every(2.0, "notifications.tasks.send_waiting", 5),
    "send-mail": _every(2.0, "accounts.tasks.send_mail_waiting", 5),
    "replays-left-over": _every(5.0, "outages.tasks.make_replays", 5),
    "prove-the-trail": _every(3600.0, "audit.tasks.prove", 600),
    "expire-proposals": _every(60.0, "approvals.tasks.expire", 50),
    "write-audit-checkpoint": _every(60.0, "audit.tasks.checkpoint", 50),
    "prune-kept-answers": _every(3600.0, "core.tasks.prune_kept_answers", 600),
    "prune-delivered-events": _every(3600.0, "core.tasks.prune_outbox", 600),
}
