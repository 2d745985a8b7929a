"""Why an outage is where it is said to be: the candidate devices, side by side."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.core.actor import Actor
from apps.outages import selectors as outages
from apps.portal.pages import Look, Page, for_people, show


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the page prints."""
    outage_id = str(look.arguments["outage_id"])
    return {
        "outage": outages.outage(outage_id=outage_id, viewer=viewer),
        "explanation": outages.explanation_of(
            outage_id=outage_id, viewer=viewer, at=look.at
        ),
    }


PAGE = Page(
    name="why",
    permission="outages.view_outage",
    parts=("why",),
    compose=compose,
    topics=lambda arguments: frozenset({f"outage:{arguments['outage_id']}"}),
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor, outage_id: str) -> HttpResponse:
    """Show the explanation."""
    return show(request, viewer, PAGE, outage_id=outage_id)
