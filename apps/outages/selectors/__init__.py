"""Reads of outages and events."""

from apps.outages.selectors.etr import (
    EtrAccuracy,
    etr_accuracy,
    forget_estimates,
    zone_estimates,
    zone_estimates_of,
)
from apps.outages.selectors.events import (
    BELONGING,
    RatePoint,
    SourceEvidence,
    event_rate,
    events,
    events_of,
    evidence_of,
    unresolved,
)
from apps.outages.selectors.outages import (
    AffectedCustomer,
    OutageNotFound,
    OutageTopology,
    affected_customers,
    estimates,
    open_outages,
    outage,
    outages,
    timeline,
    topology_of,
)
from apps.outages.selectors.statistics import Statistics, statistics

__all__ = [
    "BELONGING",
    "AffectedCustomer",
    "EtrAccuracy",
    "OutageNotFound",
    "OutageTopology",
    "RatePoint",
    "SourceEvidence",
    "Statistics",
    "affected_customers",
    "estimates",
    "etr_accuracy",
    "event_rate",
    "events",
    "events_of",
    "evidence_of",
    "forget_estimates",
    "open_outages",
    "outage",
    "outages",
    "statistics",
    "timeline",
    "topology_of",
    "unresolved",
    "zone_estimates",
    "zone_estimates_of",
]
