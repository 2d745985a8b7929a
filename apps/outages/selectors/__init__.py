"""Reads of outages and events."""

from apps.outages.selectors.covering import calls_about, covering
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
    is_calm,
    unresolved,
)
from apps.outages.selectors.explanation import Candidate, Explanation, explanation_of
from apps.outages.selectors.outages import (
    AffectedCustomer,
    OutageNotFound,
    OutageTopology,
    affected_customers,
    estimates,
    open_outages,
    outage,
    outages,
    outages_of_work,
    timeline,
    topology_of,
)
from apps.outages.selectors.regrouping import choices
from apps.outages.selectors.reliability import (
    Reliability,
    RestorationStep,
    reliability_of,
)
from apps.outages.selectors.shifts import (
    handovers,
    happenings,
    pinned_notes,
    shift_notes,
)
from apps.outages.selectors.statistics import Statistics, statistics
from apps.outages.selectors.storms import (
    StormMode,
    forget_storm_mode,
    rule_in_force,
    storm_mode,
    storm_periods,
)
from apps.outages.selectors.verification import (
    VerificationNotFound,
    verification,
    verifications,
    verifications_of,
)

__all__ = [
    "BELONGING",
    "AffectedCustomer",
    "Candidate",
    "EtrAccuracy",
    "Explanation",
    "OutageNotFound",
    "OutageTopology",
    "RatePoint",
    "Reliability",
    "RestorationStep",
    "SourceEvidence",
    "Statistics",
    "StormMode",
    "VerificationNotFound",
    "affected_customers",
    "calls_about",
    "choices",
    "covering",
    "estimates",
    "etr_accuracy",
    "event_rate",
    "events",
    "events_of",
    "evidence_of",
    "explanation_of",
    "forget_estimates",
    "forget_storm_mode",
    "handovers",
    "happenings",
    "is_calm",
    "open_outages",
    "outage",
    "outages",
    "outages_of_work",
    "pinned_notes",
    "reliability_of",
    "rule_in_force",
    "shift_notes",
    "statistics",
    "storm_mode",
    "storm_periods",
    "timeline",
    "topology_of",
    "unresolved",
    "verification",
    "verifications",
    "verifications_of",
    "zone_estimates",
    "zone_estimates_of",
]
