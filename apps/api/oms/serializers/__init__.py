"""The wire names of this contract, by noun."""

from apps.api.oms.serializers.crews import (
    AssignedCrewOut,
    AssignmentOut,
    AssignmentStatusIn,
    CrewAssignIn,
    CrewsOut,
)
from apps.api.oms.serializers.events import (
    BatchIn,
    BatchOut,
    EventIn,
    EventListOut,
    EventOut,
    EventQuery,
    ReceiptOut,
    SourceOut,
)
from apps.api.oms.serializers.explanations import ExplanationOut
from apps.api.oms.serializers.notices import (
    NoticeListOut,
    NoticeOut,
    NoticeQuery,
    NotifyIn,
    SentOut,
)
from apps.api.oms.serializers.outages import (
    OutageDetailOut,
    OutageListOut,
    OutageOut,
    OutageQuery,
    OutageRowOut,
    StatisticsOut,
    StatusChangedOut,
    StatusChangeIn,
    TimelineEntryOut,
    TopologyOut,
)
from apps.api.oms.serializers.verifications import (
    AnswersIn,
    VerificationListOut,
    VerificationOut,
    VerificationQuery,
    VerifyIn,
)

__all__ = [
    "AnswersIn",
    "AssignedCrewOut",
    "AssignmentOut",
    "AssignmentStatusIn",
    "BatchIn",
    "BatchOut",
    "CrewAssignIn",
    "CrewsOut",
    "EventIn",
    "EventListOut",
    "EventOut",
    "EventQuery",
    "ExplanationOut",
    "NoticeListOut",
    "NoticeOut",
    "NoticeQuery",
    "NotifyIn",
    "OutageDetailOut",
    "OutageListOut",
    "OutageOut",
    "OutageQuery",
    "OutageRowOut",
    "ReceiptOut",
    "SentOut",
    "SourceOut",
    "StatisticsOut",
    "StatusChangeIn",
    "StatusChangedOut",
    "TimelineEntryOut",
    "TopologyOut",
    "VerificationListOut",
    "VerificationOut",
    "VerificationQuery",
    "VerifyIn",
]
