"""Replays that were asked for."""

from uuid import UUID

from apps.accounts.services import require
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.outages.models.replay import ReplayRows, ReplayRun
from apps.outages.rules.replaying import Film, unpacked

VIEW = "outages.view_outage"


class ReplayNotFound(NotFound):
    """There is no such replay, or not any more."""


def replay_runs(*, viewer: Actor) -> ReplayRows:
    """Return the replays that are kept, without their films, newest first. Raises Forbidden."""
    require(viewer, VIEW)
    return ReplayRun.objects.defer("film").order_by("-asked_at", "-id")


def replay_run(*, run_id: UUID, viewer: Actor) -> ReplayRun:
    """Return a replay, without its film. Raises Forbidden or ReplayNotFound."""
    found = replay_runs(viewer=viewer).filter(id=run_id).first()
    if found is None:
        raise ReplayNotFound("This replay is not kept any more. Play the period again.")
    return found


def film_of(*, run_id: UUID, viewer: Actor) -> Film | None:
    """Return what came of a replay; None until it is made. Raises Forbidden."""
    require(viewer, VIEW)
    told = ReplayRun.objects.filter(id=run_id).values_list("film", flat=True).first()
    return None if told is None else unpacked(told)
