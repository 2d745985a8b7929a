"""Addresses of the pages."""

from django.urls import path

from apps.portal import (
    crews,
    events,
    mapping,
    notices,
    outage,
    outages,
    overview,
    session,
    why,
)

app_name = "portal"

urlpatterns = [
    path("", overview.page, name="overview"),
    path("sign-in", session.sign_in, name="sign-in"),
    path("sign-out", session.sign_out, name="sign-out"),
    path("theme", session.theme, name="theme"),
    path("storm", overview.storm, name="storm"),
    path("storm-mode", overview.storm_mode, name="storm-mode"),
    path("map/network.json", mapping.network_map, name="map-network"),
    path("outages", outages.page, name="outages"),
    path("outages/<str:outage_id>", outage.page, name="outage"),
    path("outages/<str:outage_id>/why", why.page, name="why"),
    path("outages/<str:outage_id>/status", outage.change, name="outage-change"),
    path("outages/<str:outage_id>/note", outage.note, name="outage-note"),
    path("outages/<str:outage_id>/etr", outage.etr, name="outage-etr"),
    path("outages/<str:outage_id>/verify", outage.verify, name="outage-verify"),
    path(
        "outages/<str:outage_id>/zone/<int:zone_id>/withdraw",
        outage.withdraw_zone,
        name="outage-zone-withdraw",
    ),
    path("outages/<str:outage_id>/crew", outage.assign, name="outage-assign"),
    path("outages/<str:outage_id>/notice", outage.notify, name="outage-notify"),
    path("crews", crews.page, name="crews"),
    path("crews/<uuid:assignment_id>/step", crews.step, name="crew-step"),
    path("notices", notices.page, name="notices"),
    path("events", events.page, name="events"),
    path("live/overview", overview.page, name="overview-live"),
    path("live/outages", outages.page, name="outages-live"),
    path("live/outages/<str:outage_id>", outage.page, name="outage-live"),
    path("live/outages/<str:outage_id>/why", why.page, name="why-live"),
    path("live/crews", crews.page, name="crews-live"),
    path("live/notices", notices.page, name="notices-live"),
    path("live/events", events.page, name="events-live"),
]
