"""Every refusal under /api has the one body, wherever it comes from."""

import json
import re
from datetime import UTC, datetime

import pytest
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.shared.probe")]


def check(response, status, code, detail=None, error_code=None):
    """Assert the whole shape, and return the details."""
    assert response.status_code == status, response.content[:500]
    assert response.headers["Content-Type"] == "application/json"
    body = response.json()
    assert list(body) == ["success", "detail", "error_code", "error"]
    assert list(body["error"]) == ["code", "message", "details", "timestamp"]
    assert body["success"] is False
    assert body["error"]["code"] == code
    assert body["error_code"] == (error_code or code)
    assert body["detail"] == body["error"]["message"]
    if detail is not None:
        assert body["detail"] == detail
    stamp = body["error"]["timestamp"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(stamp)).total_seconds() < 60
    return body["error"]["details"]


def post(client, body, path="/api/v1/notes", **values):
    return client.post(path, body, content_type="application/json", **values)


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/api/", "/api", "/api/v1/outage\0", "/api/%00"]
)
def test_an_unknown_address_is_404(operator, path):
    check(operator.get(path), 404, "NOT_FOUND", "Not found")


def test_an_unknown_address_elsewhere_is_a_page(operator):
    response = operator.get("/nothing-here")
    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")


def test_without_a_token_it_is_401_with_a_challenge(client_of):
    response = client_of().get("/api/v1/notes")
    check(response, 401, "UNAUTHORIZED")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer x",
        "bearer a.b.c",
        "Bearer oms_x",
        "Bearer a b",
        "Bearer \xff",
    ],
)
def test_a_wrong_token_is_401(header):
    response = Client(headers={"Authorization": header}).get("/api/v1/notes")
    check(response, 401, "UNAUTHORIZED", "Could not validate credentials")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize("header", ["Basic YTpi", "Token x", "x", ""])
def test_another_scheme_is_no_token(header):
    response = Client(headers={"Authorization": header}).get("/api/v1/notes")
    check(response, 401, "UNAUTHORIZED")


def test_a_method_that_is_not_there_is_405(operator):
    for method in ("put", "patch", "delete", "options", "trace"):
        response = getattr(operator, method)("/api/v1/notes")
        check(response, 405, "METHOD_NOT_ALLOWED")
        assert "GET" in response.headers["Allow"]


def test_a_method_cannot_be_overridden(operator):
    response = operator.post(
        "/api/v1/notes",
        {"text": "a"},
        content_type="application/json",
        headers={"X-HTTP-Method-Override": "DELETE"},
    )
    assert response.status_code == 201


def test_another_representation_is_406(operator):
    response = operator.get("/api/v1/notes", headers={"Accept": "text/html"})
    check(response, 406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_kind_of_body_is_415(operator, kind):
    response = operator.post("/api/v1/notes", b"text=a", content_type=kind)
    check(response, 415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_multipart_body_is_415(operator):
    check(operator.post("/api/v1/notes", {"text": "a"}), 415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_body_beyond_the_limit_is_413(operator, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    body = json.dumps({"text": "a", "extra": "x" * 1_000})
    check(post(operator, body), 413, "PAYLOAD_TOO_LARGE")
    keyed = post(operator, body, headers={"Idempotency-Key": "k"})
    check(keyed, 413, "PAYLOAD_TOO_LARGE")


def test_a_missing_field_is_400_and_named(operator):
    details = check(
        post(operator, {}), 400, "VALIDATION_ERROR", "text: This field is required."
    )
    assert details == {"field": "text", "fields": {"text": ["This field is required."]}}


def test_an_unknown_word_is_400_and_named(operator):
    details = check(post(operator, {"text": "a", "level": "x"}), 400, "VALIDATION_ERROR")
    assert details["field"] == "level"


@pytest.mark.parametrize("body", [[], "x", 5, None, True])
def test_something_else_than_an_object_is_400(operator, body):
    check(post(operator, json.dumps(body)), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("text", "status", "code", "detail"),
    [
        ("conflict", 409, "CONFLICT", "Already done."),
        ("impossible", 422, "UNPROCESSABLE_ENTITY", "It cannot be done."),
        ("forbidden", 403, "FORBIDDEN", "Not you."),
        ("missing", 404, "NOT_FOUND", "There is no outage 7."),
        ("late", 503, "SERVICE_UNAVAILABLE", "Not now."),
        ("away", 503, "SERVICE_UNAVAILABLE", "Service temporarily unavailable"),
        ("denied", 403, "FORBIDDEN", None),
        ("suspicious", 400, "VALIDATION_ERROR", None),
        ("deep", 400, "VALIDATION_ERROR", None),
        ("fault", 500, "INTERNAL_SERVER_ERROR", "Internal server error"),
    ],
)
def test_what_a_view_raises_is_worded(operator, text, status, code, detail):
    response = post(operator, {"text": text})
    details = check(response, status, code, detail)
    assert details == ({"field": "status"} if text == "impossible" else {})
    assert ("Retry-After" in response.headers) == (status == 503)
    assert b"swordfish" not in response.content


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("fault", 500, "INTERNAL_SERVER_ERROR"),
        ("away", 503, "SERVICE_UNAVAILABLE"),
        ("denied", 403, "FORBIDDEN"),
        ("suspicious", 400, "VALIDATION_ERROR"),
    ],
)
def test_what_is_raised_outside_our_views_is_worded(client_of, fault, status, code):
    response = client_of().get("/api/v1/broken", {"with": fault})
    check(response, status, code)
    assert b"swordfish" not in response.content
    page = client_of().get("/broken", {"with": fault})
    assert page.status_code == status
    assert page.headers["Content-Type"].startswith("text/html")


def test_astra_paths_say_astra_words(client_of):
    client = client_of()
    fault = client.get("/api/v1/twin/broken", {"with": "fault"})
    check(fault, 500, "INTERNAL_SERVER_ERROR", error_code="INTERNAL_ERROR")
    invalid = post(client, {}, "/api/v1/auth/token")
    check(invalid, 400, "VALIDATION_ERROR", error_code="INVALID_INPUT")
    other = post(client, {}, "/api/v1/auth/login")
    check(other, 400, "VALIDATION_ERROR", error_code="VALIDATION_ERROR")
    missing = client.get("/api/v1/twinned")
    check(missing, 404, "NOT_FOUND")


def test_a_wrong_host_is_400(client_of):
    response = client_of().get("/api/v1/notes", headers={"Host": "evil.example"})
    check(response, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "query", ["status=%00", "%00=1", "status=a&status=%00", "other=a%00"]
)
def test_a_nul_in_the_query_is_400(operator, query):
    check(operator.get(f"/api/v1/notes?{query}"), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "query",
    [
        "limit=x", "limit=0", "limit=501", "limit=-1", "limit=1e3", "limit=%C2%B2",
        "limit=" + "9" * 5_000, "limit=", "limit=NaN", "limit=1;2", "status=" + "x" * 21,
    ],
)  # fmt: skip
def test_rubbish_in_the_query_is_400(operator, query):
    check(operator.get(f"/api/v1/notes?{query}"), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "query", ["status=%ED%A0%80", "status=%FF", "%", "=", "&&&", "a" * 5_000]
)
def test_an_odd_query_is_not_a_fault(operator, query):
    assert operator.get(f"/api/v1/notes?{query}").status_code in (200, 400)


def test_a_nul_in_the_path_is_404(operator):
    check(operator.get("/api/v1/notes/a%00b"), 404, "NOT_FOUND")


@pytest.mark.parametrize("given", ["abc-123", "550e8400-e29b-41d4-a716-446655440000"])
def test_the_request_id_comes_back(client_of, given):
    response = client_of().get("/api/nothing", headers={"X-Request-ID": given})
    assert response.headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\tb", "<script>", "é"])
def test_an_unusable_request_id_is_replaced(client_of, given):
    found = (
        client_of().get("/health", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    )
    assert found != given
    assert len(found) == 36
