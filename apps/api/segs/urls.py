"""Addresses of this contract."""

from django.urls import path

from apps.api.segs.views import accounts, approvals, trail

urlpatterns = [
    path("api/v1/auth/refresh", accounts.Refresh.as_view(), name="refresh"),
    path("api/v1/auth/logout", accounts.Logout.as_view(), name="logout"),
    path("api/v1/auth/verify-email", accounts.VerifyEmail.as_view(), name="verify-email"),
    path("api/v1/auth/password-reset", accounts.ResetAsk.as_view(), name="password-reset"),
    path(
        "api/v1/auth/password-reset/confirm",
        accounts.Reset.as_view(),
        name="password-reset-confirm",
    ),
    path("api/v1/users/me", accounts.Me.as_view(), name="me"),
    path("api/v1/users/me/password", accounts.MyPassword.as_view(), name="my-password"),
    path("api/v1/admin/users", accounts.Users.as_view(), name="users"),
    path(
        "api/v1/admin/users/<str:user_id>/role",
        accounts.UserRole.as_view(),
        name="user-role",
    ),
    path("api/v1/admin/approvals", approvals.Approvals.as_view(), name="approvals"),
    path(
        "api/v1/admin/approvals/<str:approval_id>/decision",
        approvals.Decision.as_view(),
        name="approval-decision",
    ),
    path("api/v1/admin/audit-logs", trail.AuditLogs.as_view(), name="audit-logs"),
]
