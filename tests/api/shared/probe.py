"""Addresses of the portal, and a few views that do what the tests want."""

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.urls import include, path
from rest_framework import serializers
from rest_framework.response import Response

from apps.api.shared.contract import SharedView
from apps.audit import services as audit
from apps.core import errors

FAULTS = {
    "fault": RuntimeError("the secret is swordfish"),
    "away": OperationalError("server closed the connection"),
    "deep": RecursionError(),
    "conflict": errors.Conflict("Already done."),
    "late": errors.Unavailable("Not now."),
    "impossible": errors.Unprocessable("It cannot be done.", fields={"field": "status"}),
    "forbidden": errors.Forbidden("Not you."),
    "missing": errors.NotFound("There is no outage 7."),
    "denied": PermissionDenied(),
    "suspicious": SuspiciousOperation(),
}


class Body(serializers.Serializer):
    text = serializers.CharField(max_length=20)
    level = serializers.ChoiceField(choices=["low", "high"], default="low")
    extra = serializers.JSONField(required=False)


class Query(serializers.Serializer):
    status = serializers.CharField(required=False, max_length=20)
    limit = serializers.IntegerField(required=False, min_value=1, max_value=500)


class Notes(SharedView):
    """Writes one row of the trail for each call that is done."""

    def get(self, request, word="-"):
        return self.answer({"query": self.query(Query), "word": word})

    def post(self, request):
        body = self.read(Body)
        entry = audit.record(
            by=self.acting_for("john"),
            action="note",
            resource="note",
            after=body,
            at=self.at,
        )
        if body["text"] in FAULTS:
            raise FAULTS[body["text"]]
        return Response({"id": str(entry.id), "text": body["text"]}, status=201)


def broken(request):
    raise FAULTS[request.GET["with"]]


urlpatterns = [
    path("api/v1/notes", Notes.as_view()),
    path("api/v1/notes/<str:word>", Notes.as_view()),
    path("api/v1/broken", broken),
    path("api/v1/twin/broken", broken),
    path("broken", broken),
    path("", include("oms.urls")),
]
handler400 = "apps.api.problems.bad_request"
handler403 = "apps.api.problems.permission_denied"
handler404 = "apps.api.problems.page_not_found"
handler500 = "apps.api.problems.server_error"
