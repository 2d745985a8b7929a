"""How this contract speaks: `success` and `data`, pages with `pagination` inside."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.response import Response

from apps.api.contracts import Contract, ContractView, Window


class SegsContract(Contract):
    """Every answer is wrapped; lists have a key of their own within `data`."""

    def success(self, data: Any) -> Any:
        """Wrap the answer."""
        return {"success": True, "data": data}

    def page(self, items: Sequence[Any], *, total: int, limit: int, offset: int) -> Any:
        """Wrap a page under a neutral key; the views name their own."""
        return self.success(
            {
                "items": items,
                "pagination": {"total": total, "limit": limit, "offset": offset},
            }
        )


class SegsView(ContractView):
    """A view of this contract."""

    contract: ClassVar[Contract] = SegsContract()

    def told(
        self, message: str, status: int = 200, data: dict[str, Any] | None = None
    ) -> Response:
        """Say that something was done, and what came of it where there is something."""
        body: dict[str, Any] = {"success": True, "message": message}
        return Response({**body, "data": data} if data else body, status=status)

    def answer_list(
        self, key: str, rows: QuerySet[Any], body: Any, default_limit: int = 50
    ) -> Response:
        """Say one page of the rows under the list's own key."""
        window = self.query(Window)
        limit, offset = window.get("limit", default_limit), window["offset"]
        total = rows.count()
        return self.answer(
            {
                key: [body(row) for row in rows[offset : offset + limit]],
                "pagination": {"total": total, "limit": limit, "offset": offset},
            }
        )


def stamp(at: datetime | None) -> str | None:
    """Return the moment as the contract prints it, in UTC; None stays None."""
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
