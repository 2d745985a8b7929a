"""The notices: what customers were told, who got it, and what the built-in transport filed."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.core.actor import Actor
from apps.notifications import selectors as notices
from apps.portal.lines import paged
from apps.portal.notice_view import notice_line, outbox_lines, recipient_lines
from apps.portal.pages import Look, Page, for_people, show

SIZE = 25
MOST_RECIPIENTS = 200
MOST_MESSAGES = 50


def compose(viewer: Actor, look: Look) -> dict[str, Any]:
    """Return what the page of notices prints; a chosen notice shows its recipients."""
    rows = notices.notices(viewer=viewer)
    found, pager = paged(rows, look.query.get("page", ""), SIZE)
    chosen = _uuid(look.query.get("notice", ""))
    if chosen is None:
        sent = notices.sent_messages(viewer=viewer)[:MOST_MESSAGES]
        recipients = outbox_lines(sent)
    else:
        message = notices.notice(notice_id=chosen, viewer=viewer).message
        told = notices.recipients(notice_id=chosen, viewer=viewer)[:MOST_RECIPIENTS]
        recipients = recipient_lines(told, message, look.at)
    return {
        "notices": [notice_line(row) for row in found],
        "pager": pager,
        "chosen": chosen,
        "recipients": recipients,
    }


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


PAGE = Page(
    name="notices",
    permission="notifications.view_notice",
    parts=("history", "recipients"),
    compose=compose,
    topics=lambda _arguments: frozenset({"notices"}),
    every=5.0,
)


@require_safe
@for_people
def page(request: HttpRequest, viewer: Actor) -> HttpResponse:
    """Show the history."""
    return show(request, viewer, PAGE)
