"""The words of this contract for the states of the domain."""

from apps.api.vocabulary import Vocabulary
from apps.crews.rules import AssignmentStatus
from apps.outages.rules import Disposition, Severity, Source, Status

STATUS = Vocabulary(
    Status,
    {
        "detected": [Status.DETECTED],
        "confirmed": [Status.CONFIRMED],
        "in_progress": [Status.IN_PROGRESS],
        "restored": [Status.RESTORED],
        "cancelled": [Status.CANCELLED],
    },
)
SEVERITY = Vocabulary(
    Severity,
    {
        "low": [Severity.LOW],
        "medium": [Severity.MEDIUM],
        "high": [Severity.HIGH],
        "critical": [Severity.CRITICAL],
    },
)
SOURCE = Vocabulary(
    Source,
    {
        "scada": [Source.SCADA],
        "smart_meter": [Source.SMART_METER],
        "onu": [Source.ONU],
        "call_center": [Source.CALL_CENTER],
        "crew": [Source.CREW],
        "operator": [Source.OPERATOR],
        "manual": [Source.MANUAL],
    },
)
DISPOSITION = Vocabulary(
    Disposition,
    {
        "outage": [Disposition.OUTAGE],
        "momentary": [Disposition.MOMENTARY],
        "restoration": [Disposition.RESTORATION],
        "duplicate": [Disposition.DUPLICATE],
        "planned": [Disposition.PLANNED],
        "unresolved": [Disposition.UNRESOLVED],
        "ignored": [Disposition.IGNORED],
    },
)
ASSIGNMENT = Vocabulary(
    AssignmentStatus,
    {
        "assigned": [AssignmentStatus.ASSIGNED],
        "en_route": [AssignmentStatus.EN_ROUTE],
        "on_site": [AssignmentStatus.ON_SITE],
        "work_completed": [AssignmentStatus.WORK_COMPLETED],
        "cancelled": [AssignmentStatus.CANCELLED],
    },
)

STATUS_WORDS = {state.value: STATUS.say(state) for state in Status}
SEVERITY_WORDS = {state.value: SEVERITY.say(state) for state in Severity}
SOURCE_WORDS = {state.value: SOURCE.say(state) for state in Source}
DISPOSITION_WORDS = {state.value: DISPOSITION.say(state) for state in Disposition}
ASSIGNMENT_WORDS = {state.value: ASSIGNMENT.say(state) for state in AssignmentStatus}
