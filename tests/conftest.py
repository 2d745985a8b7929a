"""What every test may use; `tests/fixtures/servers.py` has started the servers before."""

import os

from hypothesis import HealthCheck, settings

pytest_plugins = [
    "tests.fixtures.database",
    "tests.fixtures.network",
    "tests.fixtures.portal",
    "tests.fixtures.pages",
    "tests.fixtures.city",
]

settings.register_profile(
    "oms", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.register_profile("ci", parent=settings.get_profile("oms"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "oms")
