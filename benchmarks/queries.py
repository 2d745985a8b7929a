"""How many queries each page of the portal costs: a process of the portal that is measured.

Prints JSON: for every page and every live fragment of a page its name, its address, whether it
is a fragment, and the number of statements that Django sent for it. `benchmarks.pages` runs it.
"""

import json
import logging
import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oms.settings")
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402 - apps are ready only now
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from apps.core.actor import system  # noqa: E402
from apps.network import selectors as network  # noqa: E402
from apps.outages.services import WorkPlan, plan_work  # noqa: E402
from apps.portal.urls import urlpatterns  # noqa: E402
from tests.permissions import PAGES  # noqa: E402

FILTERED = {
    "outages, by severity": "/outages?sort=-severity",
    "outages, the last page": "/outages?status=all&page=1000",
    "outages, a word": "/outages?status=all&text=trafo",
    "events, the last page": "/events?page=1000",
    "events, unresolved": "/events?disposition=unresolved",
    "events, one meter": "/events?text=seed-meter-4711",
    "events, found nothing": "/events?disposition=momentary&source=manual",
}


def main(outage: str, device: str) -> int:
    """Count, print, and return the exit code."""
    logging.disable(logging.WARNING)
    settings.ALLOWED_HOSTS = ["testserver"]
    sys.stdout.write(json.dumps(counted(outage, device)))
    return 0


def counted(outage: str, device: str) -> list[dict[str, Any]]:
    """Return the pages with what they cost, as an admin sees them."""
    client = Client()
    admin = get_user_model().objects.filter(role="admin").earliest("pk")
    client.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    found = []
    for name, path, is_fragment in addresses(outage, device):
        headers = {"HX-Request": "true"} if is_fragment else {}
        found.append(
            {
                "name": name,
                "path": path,
                "fragment": is_fragment,
                "queries": statements(client, path, headers),
            }
        )
    return found


def addresses(outage: str, device: str) -> Iterator[tuple[str, str, bool]]:
    """Yield every page, then every fragment, then some lists that are filtered."""
    wanted = {
        **{name: {"outage_id": outage} for name in ("outage", "why", "regroup")},
        "device": {"code": device},
        "feeder": {"code": a_feeder()},
        "planned-work": {"work_id": planned(device)},
    }
    live = [p.name for p in urlpatterns if str(p.name).endswith("-live")]
    for name in (*PAGES, *live):
        page = str(name).removesuffix("-live")
        path = reverse(f"portal:{name}", kwargs=wanted.get(page, {}))
        yield str(name), path, name != page
    for name, path in FILTERED.items():
        yield name, path, False


def a_feeder() -> str:
    """Return the code of the feeder with most devices."""
    drawn = filter(
        None, (network.feeder_schematic(one.code) for one in network.feeders().values())
    )
    return max(drawn, key=lambda one: len(one.symbols)).feeder.code


def planned(device: str) -> Any:
    """Plan work at the device for tomorrow; return its key."""
    now = timezone.now()  # noqa: TID251 - a measurement has no caller
    begins = now + timedelta(days=1)
    plan = WorkPlan("New cable", device, begins, begins + timedelta(hours=2))
    return plan_work(plan=plan, by=system("benchmark"), at=now).pk


def statements(client: Any, path: str, headers: dict[str, str]) -> int:
    """Return how many statements the second call of an address takes."""
    b"".join(client.get(path, headers=headers))
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path, headers=headers)
        b"".join(answer)
    if answer.status_code != 200:
        raise SystemExit(f"{path} was answered with {answer.status_code}.")
    return len(captured)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
