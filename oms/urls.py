"""Every address of the portal: the contracts, the pages, the Django admin."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

from oms import checks

__all__ = ["checks", "handler400", "handler403", "handler404", "handler500", "urlpatterns"]

handler400 = "oms.errors.bad_request"
handler403 = "oms.errors.forbidden"
handler404 = "oms.errors.not_found"
handler500 = "oms.errors.failed"

urlpatterns = [
    path("favicon.ico", RedirectView.as_view(url=static("img/mark.svg"))),
    path(
        "admin/accounts/servicetoken/add/",
        RedirectView.as_view(pattern_name="portal:machines"),
    ),
    path("admin/", admin.site.urls),
    path("", include("apps.api.shared.urls")),
    path("", include("apps.api.oms.urls")),
    path("", include("apps.api.segs.urls")),
    path("", include("apps.portal.urls")),
]
