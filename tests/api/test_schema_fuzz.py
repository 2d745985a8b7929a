"""Every call of the OpenAPI document, fuzzed against the real portal and its real database.

What is sent follows the document or breaks it on purpose; every answer is held against the
document. The same inputs are tried at each run.
"""

import json

import pytest
import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings
from schemathesis import GenerationMode
from schemathesis.config import (
    ChecksConfig,
    PositiveDataAcceptanceConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import negative_data_rejection

from apps.accounts import services as accounts
from apps.accounts.rules import Scope
from apps.accounts.selectors import forget_bearers
from apps.core.actor import system
from apps.outages import services as outages
from apps.outages.rules import read_report

EXAMPLES = 25
BATCH = "/api/oms/events/correlate/batch"
EVENT = {
    "event_type": "outage",
    "source_type": "scada",
    "source_event_id": "fuzz",
    "timestamp": "2026-11-21T11:00:00Z",
    "latitude": 31.9,
    "longitude": 35.9,
}


def checks():
    """Refuse nothing that the document allows, but for rules that a schema cannot say."""
    accepted = PositiveDataAcceptanceConfig(
        expected_statuses=["2xx", "400", "401", "403", "404", "409", "422", "503"]
    )
    project = ProjectConfig(checks=ChecksConfig(positive_data_acceptance=accepted))
    return SchemathesisConfig(seed=1, projects=ProjectsConfig(default=project))


def document():
    """Return the document as clients read it."""
    return json.loads(json.dumps(SchemaGenerator().get_schema(public=True), default=str))


schema = schemathesis.openapi.from_dict(document(), config=checks())
schema.app = get_wsgi_application()


@pytest.fixture
def kept_connection(db):
    """Keep the connection of the test's transaction open from one call to the next."""
    both = (signals.request_started, signals.request_finished)
    for signal in both:
        signal.disconnect(close_old_connections)
    yield
    for signal in both:
        signal.connect(close_old_connections)


@pytest.fixture
def scene(kept_connection, many_calls, clock):
    """Return the token of a machine that may do everything, and the id of an outage."""
    forget_bearers()
    _row, secret = accounts.issue_service_token(
        name="fuzz", scopes=Scope.values, by=system("test"), at=clock.at
    )
    report = read_report(EVENT, at=clock.at)
    (receipt,) = outages.take_reports(reports=[(system("test"), report)], at=clock.at)
    return secret, str(receipt.outage_id)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_call_keeps_to_the_document(case, scene):
    token, outage_id = scene
    if is_about_an_outage(case):
        case.path_parameters["outage_id"] = outage_id
    # A batch answers for each of its events by itself, also for those that break the document.
    excluded = [negative_data_rejection] if case.path == BATCH else []
    # Answers are read as they are: not every version of what sends the calls unpacks them.
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
    case.call_and_validate(headers=headers, excluded_checks=excluded)


def is_about_an_outage(case):
    """Return whether the outage that exists is named: in half of the calls that may name it."""
    values = case.path_parameters or {}
    part = case.meta.components.get(ParameterLocation.PATH)
    return (
        "outage_id" in values
        and (part is None or part.mode is GenerationMode.POSITIVE)
        and len(str(values["outage_id"])) % 2 == 1
    )
