"""Messages to people as they were filed: for a portal without a mail server."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.accounts import selectors as accounts
from apps.core.actor import Actor
from apps.portal.pages import Look, Page, for_people, show


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the page prints: the latest messages."""
    return {"mails": accounts.filed_mail(viewer=viewer)}


PAGE = Page(
    name="mail",
    permission="accounts.manage_users",
    parts=("list",),
    compose=compose,
    topics=lambda _arguments: frozenset({"people"}),
    every=10.0,
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Show the messages."""
    return show(request, viewer, PAGE)
