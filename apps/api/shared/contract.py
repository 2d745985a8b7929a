"""How the shared calls speak: each body is printed as a whole, nothing is wrapped."""

from collections.abc import Sequence
from typing import Any, ClassVar

from apps.api.contracts import Contract, ContractView


class SharedContract(Contract):
    """Bodies that several contracts read."""

    def success(self, data: Any) -> Any:
        """Return the body as it is."""
        return data

    def page(self, items: Sequence[Any], *, total: int, limit: int, offset: int) -> Any:
        """Return a page as NOCIQ prints it."""
        return {
            "total": total,
            "limit": limit,
            "offset": offset,
            "has_next": offset + limit < total,
            "has_previous": offset > 0,
            "next_offset": offset + limit if offset + limit < total else None,
            "previous_offset": max(0, offset - limit) if offset > 0 else None,
            "results": list(items),
        }


class SharedView(ContractView):
    """A view of the shared calls."""

    contract: ClassVar[Contract] = SharedContract()
