"""What the OpenAPI document says of each call: bodies, answers, refusals, printed examples."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
)

from apps.api.oms import serializers as wire
from apps.api.oms.serializers.events import SOURCE_WORDS
from apps.outages.rules import Disposition, Severity, Status
from apps.outages.rules.verification import VerificationState

F = TypeVar("F", bound=Callable[..., Any])

OUTAGE_ID = OpenApiParameter(
    "outage_id",
    str,
    OpenApiParameter.PATH,
    description="The id of an outage: its UUID, or its number as OUT001.",
)
ASSIGNMENT_ID = OpenApiParameter(
    "assignment_id", OpenApiTypes.STR, OpenApiParameter.PATH, description="A UUID."
)
VERIFICATION_ID = OpenApiParameter(
    "verification_id", OpenApiTypes.STR, OpenApiParameter.PATH, description="A UUID."
)


def _call(name: str, answers: dict[int, Any], **more: Any) -> Any:
    """Return the decorator that documents one call; refusals are the same for all."""
    return extend_schema(
        operation_id=f"oms_{name}", tags=["oms"], responses=answers, **more
    )


def _many(name: str, words: list[str], text: str) -> OpenApiParameter:
    return OpenApiParameter(
        name, str, OpenApiParameter.QUERY, many=True, enum=words, description=text
    )


def _printed(name: str, value: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, value=value, request_only=True)


_SINCE = OpenApiParameter(
    "since",
    OpenApiTypes.DATETIME,
    OpenApiParameter.QUERY,
    description="Only what happened then or later.",
)
_UNTIL = OpenApiParameter(
    "until",
    OpenApiTypes.DATETIME,
    OpenApiParameter.QUERY,
    description="Only what happened before.",
)

statistics = _call("statistics", {200: wire.StatisticsOut})
outages = _call(
    "outages",
    {200: wire.OutageListOut},
    parameters=[
        wire.OutageQuery,
        _many(
            "status", Status.values, "Instead of the active ones: those of these states."
        ),
        _many("severity", Severity.values, "Only these."),
        OpenApiParameter(
            "region",
            {"type": "string", "maxLength": 200},
            OpenApiParameter.QUERY,
            description="Only those of the region with this id.",
        ),
    ],
)
outage = _call("outage", {200: wire.OutageDetailOut}, parameters=[OUTAGE_ID])
outage_explanation = _call(
    "outage_explanation", {200: wire.ExplanationOut}, parameters=[OUTAGE_ID]
)
outage_status = _call(
    "outage_status",
    {200: wire.StatusChangedOut},
    parameters=[OUTAGE_ID],
    request=wire.StatusChangeIn,
    examples=[
        _printed(
            "confirm",
            {
                "status": "confirmed",
                "notes": "Field crew confirmed transformer failure",
                "updated_by": "operator_john",
            },
        ),
        _printed("restore", {"status": "restored", "updated_by": "operator"}),
    ],
)
crews = _call("crews", {200: wire.CrewsOut})
outage_crew = _call(
    "outage_crew",
    {201: wire.AssignmentOut},
    parameters=[OUTAGE_ID],
    request=wire.CrewAssignIn,
    examples=[
        _printed(
            "assign",
            {
                "crew_name": "Line Crew Alpha",
                "crew_type": "line_crew",
                "estimated_arrival_time": "2025-09-25T16:30:00Z",
                "notes": "Crew equipped with bucket truck and transformer tools",
            },
        )
    ],
)
assignment_status = _call(
    "assignment_status",
    {200: wire.AssignmentOut},
    parameters=[ASSIGNMENT_ID],
    request=wire.AssignmentStatusIn,
    examples=[
        _printed(
            "arrive",
            {
                "status": "on_site",
                "notes": "Arrived at site, beginning assessment",
                "updated_by": "crew_leader_mike",
            },
        )
    ],
)
outage_notify = _call(
    "outage_notify",
    {202: wire.SentOut},
    parameters=[OUTAGE_ID],
    request=wire.NotifyIn,
    examples=[
        _printed(
            "text message",
            {
                "notification_type": "sms",
                "message": (
                    "Power outage in your area. Estimated restoration: 2 hours. "
                    "Crew is on site."
                ),
                "customer_ids": ["customer_123", "customer_456"],
                "estimated_restoration_time": "2025-09-25T18:00:00Z",
            },
        )
    ],
)
notifications = _call(
    "notifications", {200: wire.NoticeListOut}, parameters=[wire.NoticeQuery]
)
verifications = _call(
    "verifications",
    {200: wire.VerificationListOut},
    parameters=[
        wire.VerificationQuery,
        _many("state", VerificationState.values, "Only those that stand so."),
    ],
)
verification_answer = _call(
    "verification_answer",
    {200: wire.VerificationOut},
    parameters=[VERIFICATION_ID],
    request=wire.AnswersIn,
    examples=[
        _printed(
            "two meters",
            {
                "answers": [
                    {"meter_id": "meter-123", "result": "powered"},
                    {"meter_id": "meter-456", "result": "no_answer"},
                ]
            },
        )
    ],
)
outage_verify = _call(
    "outage_verify",
    {201: wire.VerificationOut},
    parameters=[OUTAGE_ID],
    request=wire.VerifyIn,
)
events = _call(
    "events",
    {200: wire.EventListOut},
    parameters=[
        wire.EventQuery,
        _SINCE,
        _UNTIL,
        _many("disposition", Disposition.values, "Only those of which this became."),
        _many("source_type", SOURCE_WORDS, "Only those from there."),
    ],
)
_EVENT: dict[str, Any] = {
    "event_type": "outage",
    "source_type": "scada",
    "source_event_id": "scada_001",
    "timestamp": "2025-09-25T15:30:00Z",
    "latitude": 31.9454,
    "longitude": 35.9284,
    "correlation_params": {"spatial_radius_meters": 500, "temporal_window_minutes": 15},
}
correlate = _call(
    "correlate",
    {
        200: OpenApiResponse(wire.ReceiptOut, description="Taken; no new outage."),
        201: OpenApiResponse(wire.ReceiptOut, description="Taken; it opened an outage."),
    },
    request=wire.EventIn,
    examples=[_printed("by coordinates", _EVENT)],
)
correlate_batch = _call(
    "correlate_batch",
    {200: wire.BatchOut},
    request=wire.BatchIn,
    examples=[
        _printed("two", {"events": [_EVENT, {**_EVENT, "source_event_id": "scada_002"}]})
    ],
)
