"""Paths of this contract."""

from django.urls import include, path

from apps.api.oms import views

app_name = "oms"

calls = [
    path("statistics", views.StatisticsView.as_view(), name="statistics"),
    path("outages", views.OutagesView.as_view(), name="outages"),
    path("outages/<str:outage_id>", views.OutageView.as_view(), name="outage"),
    path(
        "outages/<str:outage_id>/explanation",
        views.OutageExplanationView.as_view(),
        name="outage-explanation",
    ),
    path(
        "outages/<str:outage_id>/status",
        views.OutageStatusView.as_view(),
        name="outage-status",
    ),
    path(
        "outages/<str:outage_id>/crew", views.OutageCrewView.as_view(), name="outage-crew"
    ),
    path(
        "outages/<str:outage_id>/notify",
        views.OutageNotifyView.as_view(),
        name="outage-notify",
    ),
    path(
        "outages/<str:outage_id>/verify",
        views.OutageVerifyView.as_view(),
        name="outage-verify",
    ),
    path("crews", views.CrewsView.as_view(), name="crews"),
    path(
        "crews/<str:assignment_id>/status",
        views.AssignmentStatusView.as_view(),
        name="assignment-status",
    ),
    path("notifications", views.NotificationsView.as_view(), name="notifications"),
    path("verifications", views.VerificationsView.as_view(), name="verifications"),
    path(
        "verifications/<str:verification_id>/answer",
        views.VerificationAnswerView.as_view(),
        name="verification-answer",
    ),
    path("events", views.EventsView.as_view(), name="events"),
    path("events/correlate", views.CorrelateView.as_view(), name="correlate"),
    path(
        "events/correlate/batch", views.CorrelateBatchView.as_view(), name="correlate-batch"
    ),
]

urlpatterns = [path("api/oms/", include(calls))]
