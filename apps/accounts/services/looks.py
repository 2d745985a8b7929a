"""How a person likes to look at lists: saved views, and columns left out.

Their own and nobody else's business, so it leaves no trail.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from apps.accounts.models import ListChoice, SavedView
from apps.accounts.services.access import locked
from apps.core.actor import Actor
from apps.core.errors import Conflict, Forbidden, Invalid, NotFound

MOST = 30
NAME, QUERY, COLUMN = 60, 1_000, 40


@transaction.atomic
def save_view(*, page: str, name: str, query: str, by: Actor, at: datetime) -> SavedView:
    """Keep the view under a name; the same name again replaces it.

    Raises Forbidden for who is no person, Invalid, or Conflict where there are too many.
    """
    user = locked(by.user_id) if by.user_id is not None else None
    if user is None:
        raise Forbidden("Only people save views.")
    called = name.strip()
    if not 1 <= len(called) <= NAME or len(query) > QUERY or "\0" in called + query:
        raise Invalid(
            f"A view has a name of 1 to {NAME} letters.", fields={"field": "name"}
        )
    rows = SavedView.objects.filter(user=user, page=page)
    if rows.exclude(name=called).count() >= MOST:
        raise Conflict(f"There are {MOST} saved views. Remove one first.")
    row, _ = SavedView.objects.update_or_create(
        user=user, page=page, name=called, defaults={"query": query, "created_at": at}
    )
    return row


@transaction.atomic
def forget_view(*, view_id: int, by: Actor) -> None:
    """Remove one of one's own views. Raises NotFound, for anybody else's too."""
    rows = SavedView.objects.filter(pk=view_id)
    if by.user_id is None or not rows.filter(user_id=by.user_id).delete()[0]:
        raise NotFound("There is no such view.")


@transaction.atomic
def hide_columns(*, page: str, hidden: Iterable[str], by: Actor) -> ListChoice:
    """Leave these columns out of a list from now on. Raises Forbidden or Invalid."""
    if by.user_id is None:
        raise Forbidden("Only people choose columns.")
    names = sorted(set(hidden))
    if len(names) > MOST or any(not 1 <= len(name) <= COLUMN for name in names):
        raise Invalid("Unknown columns.")
    row, _ = ListChoice.objects.update_or_create(
        user=locked(by.user_id), page=page, defaults={"hidden": names}
    )
    return row
