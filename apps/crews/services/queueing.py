"""Tell outages who is at work, so that in a storm the queue before them can be played ahead."""

from datetime import datetime
from uuid import UUID

from apps.configuration.selectors import value
from apps.crews.models import Assignment, Crew
from apps.crews.rules import OPEN, TRAVEL_SPEED_KMH, AssignmentStatus, CrewType
from apps.outages import services as outages
from apps.outages.rules.queueing import Place, Team

REPAIRING = (CrewType.LINE_CREW, CrewType.TREE_CREW, CrewType.EMERGENCY_CREW)
METERS_PER_KILOMETRE, SECONDS_PER_HOUR = 1000.0, 3600.0


def estimate_in_storm(*, at: datetime) -> int:
    """Have it estimated when power is back, while a storm lasts; return how many outages.

    Crews on shift that repair count, and those off shift that are still on their way or there.
    """
    sent: dict[UUID, list[UUID]] = {}
    arrived: dict[UUID, datetime] = {}
    rows = Assignment.objects.filter(status__in=OPEN).order_by("assigned_at", "id")
    for row in sorted(rows, key=lambda row: row.status != AssignmentStatus.ON_SITE):
        sent.setdefault(row.crew_id, []).append(row.outage_id)
        if row.status == AssignmentStatus.ON_SITE and row.on_site_at is not None:
            since = arrived.get(row.outage_id, row.on_site_at)
            arrived[row.outage_id] = min(since, row.on_site_at)
    crews = Crew.objects.filter(crew_type__in=REPAIRING).order_by("code")
    teams = [
        Team(Place(crew.latitude, crew.longitude), tuple(sent.get(crew.id, ())))
        for crew in crews
        if crew.on_shift or crew.id in sent
    ]
    speed = value(TRAVEL_SPEED_KMH) * METERS_PER_KILOMETRE / SECONDS_PER_HOUR
    return outages.simulate_storm_estimates(
        teams=teams, arrived=arrived, speed=speed, at=at
    )
