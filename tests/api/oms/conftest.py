"""A small city, its people and machines, and a client whose every answer is checked."""

import json

import pytest
import requests
import schemathesis
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from schemathesis.core.transport import Response

from apps.accounts import services as accounts
from apps.accounts.rules import Role, Scope
from apps.accounts.selectors import forget_bearers
from apps.core.actor import system
from apps.network import services as network

PASSWORD = "a long and quiet river 7"

CITY = {
    "name": "small-city",
    "regions": [
        {"id": "north", "name": "North", "capacity_mw": 10.0, "time_zone": "Asia/Amman"}
    ],
    "substations": [
        {
            "id": "SS001",
            "name": "Alpha",
            "region": "north",
            "latitude": 31.95,
            "longitude": 35.91,
        }
    ],
    "feeders": [
        {"id": "F1", "name": "Feeder One", "substation": "SS001", "breaker": "CB-1"},
        {"id": "F2", "name": "Feeder Two", "substation": "SS001", "breaker": "CB-2"},
    ],
    "nodes": [
        {"id": "bus", "latitude": 31.95, "longitude": 35.91, "voltage_kv": 33},
        {"id": "a1", "latitude": 31.951, "longitude": 35.911, "voltage_kv": 33},
        {"id": "a2", "latitude": 31.952, "longitude": 35.911, "voltage_kv": 0.4},
        {"id": "a3", "latitude": 31.953, "longitude": 35.911, "voltage_kv": 0.4},
        {"id": "b1", "latitude": 31.94, "longitude": 35.92, "voltage_kv": 33},
        {"id": "b2", "latitude": 31.93, "longitude": 35.92, "voltage_kv": 0.4},
    ],
    "edges": [
        {"id": "CB-1", "from": "bus", "to": "a1", "kind": "breaker", "closed": True}
        | {"feeder": "F1"},
        {"id": "T-1", "from": "a1", "to": "a2", "kind": "transformer", "closed": True}
        | {"feeder": "F1", "rated_kva": 400},
        {"id": "T-2", "from": "a1", "to": "a3", "kind": "transformer", "closed": True}
        | {"feeder": "F1", "rated_kva": 400},
        {"id": "CB-2", "from": "bus", "to": "b1", "kind": "breaker", "closed": True}
        | {"feeder": "F2"},
        {"id": "T-3", "from": "b1", "to": "b2", "kind": "transformer", "closed": True}
        | {"feeder": "F2", "rated_kva": 400},
    ],
    "sources": ["bus"],
    "customers": [
        {"id": code, "name": code, "phone": phone, "email": f"{code}@example.org"}
        for code, phone in (
            ("customer_123", "+962790000123"),
            ("customer_456", "+962790000456"),
            ("customer_789", "+962790000789"),
        )
    ],
    "meters": [
        {"id": "meter-123", "node": "a2", "customer": "customer_123", "mrid": "mrid-123"}
        | {"onu": "onu-123", "latitude": 31.952, "longitude": 35.911},
        {"id": "meter-456", "node": "a3", "customer": "customer_456"}
        | {"latitude": 31.953, "longitude": 35.911},
        {"id": "meter-789", "node": "b2", "customer": "customer_789"}
        | {"latitude": 31.93, "longitude": 35.92},
    ],
}


@pytest.fixture(scope="session")
def openapi():
    """Return the OpenAPI document as a checker of answers."""
    document = json.loads(
        json.dumps(SchemaGenerator().get_schema(public=True), default=str)
    )
    return schemathesis.openapi.from_dict(document)


class Caller:
    """Somebody who calls; every answer is held against the OpenAPI document."""

    def __init__(self, openapi, token):
        self.openapi = openapi
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path, **query):
        return self.call("GET", path, query)

    def post(self, path, body, **headers):
        return self.send("POST", path, json.dumps(body), **headers)

    def put(self, path, body):
        return self.send("PUT", path, json.dumps(body))

    def send(self, method, path, raw, content_type="application/json", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.client.generic(
            method,
            f"/api/oms/{path}",
            raw,
            content_type=content_type,
            headers={**self.headers, **named},
        )
        return self.checked(method, path, answer)

    def call(self, method, path, query=None):
        answer = self.client.get(f"/api/oms/{path}", query or {}, headers=self.headers)
        return self.checked(method, path, answer)

    def checked(self, method, path, answer):
        place = f"/api/oms/{path}".partition("?")[0]
        try:
            operation = self.openapi.find_operation_by_path(method, place)
        except AttributeError:
            operation = None
        operation = operation or _operation(self.openapi, method, place)
        operation.validate_response(
            Response(
                status_code=answer.status_code,
                headers={name.lower(): [value] for name, value in answer.items()},
                content=answer.content,
                request=requests.Request(method, f"http://test{place}").prepare(),
                elapsed=0.0,
                verify=False,
            )
        )
        return answer


def _operation(openapi, method, place):
    """Return the operation whose template fits the address."""
    for template in openapi:
        wanted, given = template.split("/"), place.split("/")
        fits = len(wanted) == len(given) and all(
            w == g or w.startswith("{") for w, g in zip(wanted, given, strict=True)
        )
        if fits and method in openapi[template]:
            return openapi[template][method]
    raise AssertionError(f"{method} {place} is not in the OpenAPI document")


@pytest.fixture
def city(db, clock):
    """Import the network of the small city."""
    forget_bearers()
    network.import_network(document=CITY, by=system("test"), at=clock.at)


@pytest.fixture
def token(db, clock):
    """Issue service tokens: `token("events:write")` is the secret of one."""

    def issue(*scopes):
        forget_bearers()
        _row, secret = accounts.issue_service_token(
            name="test machine", scopes=scopes, by=system("test"), at=clock.at
        )
        return secret

    return issue


@pytest.fixture
def machine(openapi, token):
    """Return callers with a service token of the given scopes, or of all."""
    return lambda *scopes: Caller(openapi, token(*(scopes or Scope.values)))


@pytest.fixture
def person(openapi, db, clock):
    """Return callers who signed in as a person of the given role."""

    def sign_in(role, name=""):
        forget_bearers()
        email = f"{name or role}@example.org"
        profile = accounts.NewUser(email=email, full_name=name or role, role=role)
        user = accounts.create_user(
            profile=profile, password=PASSWORD, by=system("test"), at=clock.at
        )
        caller = Caller(openapi, _access(email))
        caller.user = user
        return caller

    return sign_in


def _access(email):
    answer = Client().post(
        "/api/v1/auth/login",
        {"email": email, "password": PASSWORD},
        content_type="application/json",
    )
    return answer.json()["access_token"]


@pytest.fixture
def stranger(openapi, db):
    """Return a caller without a token."""
    return Caller(openapi, "")


@pytest.fixture
def oms(city, machine):
    """Return a machine that may do everything, in the small city."""
    return machine()


@pytest.fixture
def opened(oms):
    """Open an outage by one event; returns its id."""

    def report(number=1, **fields):
        event = {
            "event_type": "outage",
            "source_type": "scada",
            "source_event_id": f"scada_{number:03d}",
            "timestamp": "2026-11-21T11:30:00Z",
            "device_id": "CB-1",
        } | fields
        answer = oms.post("events/correlate", event)
        assert answer.status_code == 201, answer.content
        return answer.json()["outage_id"]

    return report


@pytest.fixture(params=[role.value for role in Role])
def role(request):
    return request.param
