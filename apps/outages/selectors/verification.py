"""Verifications, and which meters of an outage are worth asking."""

from uuid import UUID

import numpy as np
from django.db.models import Prefetch, Q

from apps.accounts.services import require
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.network import selectors as network
from apps.outages.models import MeterPing, Outage, Verification
from apps.outages.models.verification import VerificationRows
from apps.outages.rules import PlaceKind
from apps.outages.rules.verification import sample, spread

VIEW, REPORT = "outages.view_outage", "outages.report_event"

MeterKey = tuple[int, str]
"""The number and the code of a meter."""


class VerificationNotFound(NotFound):
    """There is no such verification."""


def verifications(*, viewer: Actor) -> VerificationRows:
    """Return all verifications with their meters, the latest first.

    For who sees outages, and for head-ends, which may report events. Raises Forbidden.
    """
    if not viewer.may(REPORT):
        require(viewer, VIEW)
    pings = Prefetch("pings", queryset=MeterPing.objects.order_by("meter_code"))
    rows = Verification.objects.counted().prefetch_related(pings)
    return rows.order_by("-requested_at", "-id")


def verification(*, verification_id: str | UUID, viewer: Actor) -> Verification:
    """Return one verification. Raises Forbidden or VerificationNotFound."""
    rows = verifications(viewer=viewer)
    try:
        found = rows.filter(id=UUID(str(verification_id))).first()
    except ValueError:
        found = None
    if found is None:
        raise VerificationNotFound("There is no such verification.")
    return found


def verifications_of(*, outage: Outage) -> VerificationRows:
    """Return the verifications of an outage and of what was merged into it, the latest first."""
    mine = Q(outage=outage) | Q(outage__merged_into=outage)
    return Verification.objects.filter(mine).counted().order_by("-requested_at", "-id")


def meters_to_ask(*, outage: Outage, most: int, seed: str) -> list[MeterKey]:
    """Return up to `most` meters of the outage, spread over its transformers.

    The same place and seed give the same meters; none where the place has none.
    """
    match outage.place_kind:
        case PlaceKind.DEVICE:
            return _below(outage.device_code, most, seed)
        case PlaceKind.SERVICE_POINT:
            found = network.meters_by_code([outage.device_code])
            return [(meter.pk, meter.code) for meter in found]
    return []


def _below(device_code: str, most: int, seed: str) -> list[MeterKey]:
    grid = network.grid()
    edge = grid.edge_index(device_code)
    if edge is None:
        return []
    nodes = grid.downstream(edge)
    nodes = nodes[grid.layout.meters[nodes] > 0]
    above = grid.transformer_of_node[nodes]
    # A node that no transformer feeds stands for itself.
    above = np.where(above >= 0, above, -1 - nodes)
    asked = np.isin(above, sample(above.tolist(), most, seed=seed))
    group_of = dict(
        zip(grid.layout.node_pk[nodes[asked]].tolist(), above[asked].tolist(), strict=True)
    )
    groups: dict[int, list[MeterKey]] = {group: [] for group in sorted(group_of.values())}
    rows = network.meters().filter(node_id__in=list(group_of)).order_by("code")
    for node_pk, pk, code in rows.values_list("node_id", "pk", "code"):
        groups[group_of[node_pk]].append((pk, code))
    return spread(groups.values(), most, seed=seed)
