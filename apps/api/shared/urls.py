"""Addresses of sign-in, health, and the API's own documentation."""

from django.urls import path
from django_prometheus.exports import ExportToDjangoView
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)

from apps.api.shared import views

urlpatterns = [
    path("health", views.Health.as_view(), name="health"),
    path("metrics", ExportToDjangoView, name="metrics"),
    path("docs", SpectacularSwaggerSplitView.as_view(), name="docs"),
    path("redoc", SpectacularRedocView.as_view(), name="redoc"),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/auth/login", views.Login.as_view(), name="login"),
    path("api/v1/auth/register", views.Register.as_view(), name="register"),
    path("api/v1/auth/token", views.Token.as_view(), name="token"),
    path("api/v1/health/database", views.DatabaseHealth.as_view(), name="database-health"),
]
