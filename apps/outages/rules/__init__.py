"""Words and judgement of outages. Pure: no rows, no clock."""

from apps.outages.rules.judgement import (
    HIGH_CONFIDENCE,
    confidence,
    distance_meters,
    severity,
)
from apps.outages.rules.reporting import PLACE_FIELDS, BadReport, Report, read_report
from apps.outages.rules.words import (
    BY_PEOPLE,
    ETR_RANK,
    FINAL,
    OPEN,
    Disposition,
    EtrSource,
    Kind,
    MatchedBy,
    PlaceKind,
    Severity,
    Source,
    Status,
    StepRefused,
    ZoneKind,
    check_step,
    status_of,
)

__all__ = [
    "BY_PEOPLE",
    "ETR_RANK",
    "FINAL",
    "HIGH_CONFIDENCE",
    "OPEN",
    "PLACE_FIELDS",
    "BadReport",
    "Disposition",
    "EtrSource",
    "Kind",
    "MatchedBy",
    "PlaceKind",
    "Report",
    "Severity",
    "Source",
    "Status",
    "StepRefused",
    "ZoneKind",
    "check_step",
    "confidence",
    "distance_meters",
    "read_report",
    "severity",
    "status_of",
]
