"""The trail, to those who may read it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.services import require
from apps.api.segs.contract import SegsView, stamp
from apps.api.segs.serializers import accounts as bodies
from apps.audit import selectors
from apps.core.errors import Invalid

READ = "audit.view_auditentry"
DAY = timedelta(days=1)


class AuditLogs(SegsView):
    """Who did what."""

    needs = (READ,)

    @extend_schema(
        parameters=[bodies.TrailQuery], responses=bodies.LogsAnswer, tags=["admin"]
    )
    def get(self, request: Request) -> Response:
        """Return a page of the trail, newest first."""
        require(self.actor, READ)
        asked = self.query(bodies.TrailQuery)
        action = asked.get("action", "")
        rows = selectors.entries(
            actions=[action] if action else [],
            user_id=asked.get("userId"),
            start=moment(asked.get("start", ""), "start"),
            end=moment(asked.get("end", ""), "end", whole_day=True),
        )
        return self.answer_list("logs", rows, log_body, default_limit=100)


def log_body(entry: Any) -> dict[str, Any]:
    """Return an entry as the contract prints it: what was before is told as `old…`."""
    before, after = entry.before or {}, entry.after or {}
    details = {f"old{name[:1].upper()}{name[1:]}": v for name, v in before.items()}
    if entry.on_behalf_of:
        details["onBehalfOf"] = entry.on_behalf_of
    return {
        "id": str(entry.id),
        "timestamp": stamp(entry.at),
        "userId": str(entry.user_id) if entry.user_id else None,
        "userName": entry.actor_label,
        "action": entry.action,
        "resource": entry.resource,
        "resourceId": entry.resource_id or None,
        "details": {**details, **after},
        "ipAddress": entry.address or None,
        "userAgent": entry.agent or None,
    }


def moment(text: str, field: str, *, whole_day: bool = False) -> datetime | None:
    """Return the moment that a query names: a time, or a date. Raises Invalid."""
    if not text:
        return None
    try:
        if len(text) == len("2025-11-01"):
            day = datetime.combine(date.fromisoformat(text), time(), UTC)
            return day + DAY if whole_day else day
        found = parse_datetime(text)
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise Invalid(f"{field}: not a date or a time.", fields={"field": field})
    return found if found.tzinfo else found.replace(tzinfo=UTC)
