"""How this contract speaks: bodies as they are, and on whose behalf a machine acts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from apps.api.contracts import Contract, ContractView
from apps.core.actor import Actor


class OmsContract(Contract):
    """Answers are plain bodies; each list has a key of its own."""

    def success(self, data: Any) -> Any:
        """Return the body as it is."""
        return data

    def page(self, items: Sequence[Any], *, total: int, limit: int, offset: int) -> Any:
        """Return a page under a neutral key; the lists of this contract name their own."""
        return {"items": items, "total": total, "limit": limit, "offset": offset}


@dataclass(frozen=True, slots=True)
class Doing:
    """Who does it, and what they remark about it."""

    by: Actor
    notes: str


class OmsView(ContractView):
    """A view of this contract."""

    contract = OmsContract()

    def doing(self, updated_by: str | None, notes: str | None = "") -> Doing:
        """Return who acts for whom.

        Only a machine that may act for users does so; from anybody else `updated_by` is kept
        as a remark: who acted is who is signed in.
        """
        by, said = self.acting_for(updated_by), notes or ""
        if not updated_by or by.on_behalf_of:
            return Doing(by, said)
        remark = f"(updated_by {updated_by})"
        return Doing(by, f"{said} {remark}" if said else remark)

    def said(
        self, serializer: type[serializers.Serializer[Any]], answer: Any, status: int = 200
    ) -> Response:
        """Say the answer in the given shape."""
        return self.answer(serializer(answer).data, status=status)
