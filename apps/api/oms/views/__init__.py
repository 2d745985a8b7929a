"""The views of this contract, by noun: decode, one call, encode."""

from apps.api.oms.views.crews import AssignmentStatusView, CrewsView, OutageCrewView
from apps.api.oms.views.events import CorrelateBatchView, CorrelateView, EventsView
from apps.api.oms.views.explanations import OutageExplanationView
from apps.api.oms.views.notices import NotificationsView, OutageNotifyView
from apps.api.oms.views.outages import (
    OutageStatusView,
    OutagesView,
    OutageView,
    StatisticsView,
)
from apps.api.oms.views.verifications import (
    OutageVerifyView,
    VerificationAnswerView,
    VerificationsView,
)

__all__ = [
    "AssignmentStatusView",
    "CorrelateBatchView",
    "CorrelateView",
    "CrewsView",
    "EventsView",
    "NotificationsView",
    "OutageCrewView",
    "OutageExplanationView",
    "OutageNotifyView",
    "OutageStatusView",
    "OutageVerifyView",
    "OutageView",
    "OutagesView",
    "StatisticsView",
    "VerificationAnswerView",
    "VerificationsView",
]
