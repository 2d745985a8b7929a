"""Rows of outages."""

from apps.outages.models.etr import EtrEstimate, ZoneEstimate
from apps.outages.models.outage import (
    GRAVITY,
    Interruption,
    Outage,
    OutageRows,
    TimelineEntry,
)
from apps.outages.models.planned import PlannedWork
from apps.outages.models.replay import ReplayRun
from apps.outages.models.shift import Handover, ShiftNote
from apps.outages.models.source_event import EventConflict, SourceEvent
from apps.outages.models.storm import StormPeriod
from apps.outages.models.verification import MeterPing, Verification
from apps.outages.models.work import CorrelationWork

__all__ = [
    "GRAVITY",
    "CorrelationWork",
    "EtrEstimate",
    "EventConflict",
    "Handover",
    "Interruption",
    "MeterPing",
    "Outage",
    "OutageRows",
    "PlannedWork",
    "ReplayRun",
    "ShiftNote",
    "SourceEvent",
    "StormPeriod",
    "TimelineEntry",
    "Verification",
    "ZoneEstimate",
]
