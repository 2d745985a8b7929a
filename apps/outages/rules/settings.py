"""What an admin may change about correlation and outages while the portal runs."""

from apps.configuration.rules import declare

WINDOW_MINUTES = declare(
    "outages.window_minutes",
    30,
    "integer",
    minimum=1,
    maximum=1440,
    help="Events this many minutes apart may belong to one outage.",
)
RADIUS_METERS = declare(
    "outages.radius_meters",
    1000,
    "integer",
    minimum=10,
    maximum=50_000,
    help="Events this far apart may belong to one outage where only coordinates are known.",
)
SCADA_WINDOW_MINUTES = declare(
    "outages.scada_window_minutes",
    15,
    "integer",
    minimum=1,
    maximum=1440,
    help="The window for events from SCADA.",
)
SCADA_RADIUS_METERS = declare(
    "outages.scada_radius_meters",
    500,
    "integer",
    minimum=10,
    maximum=50_000,
    help="The radius for events from SCADA.",
)
MOMENTARY_SECONDS = declare(
    "outages.momentary_seconds",
    300,
    "integer",
    minimum=0,
    maximum=3600,
    help="An outage whose customers are all back within this time is momentary.",
)
PLANNED_MINUTES = declare(
    "outages.planned_minutes",
    240,
    "integer",
    minimum=1,
    maximum=10_080,
    help="How long a planned outage suppresses new ones where nothing else is told.",
)
DEBOUNCE_MILLISECONDS = declare(
    "outages.debounce_milliseconds",
    300,
    "integer",
    minimum=0,
    maximum=60_000,
    help="How long a feeder's events are gathered before it is judged again.",
)
ETR_MINUTES = {
    kind: declare(
        f"outages.etr_minutes_{kind}",
        minutes,
        "integer",
        minimum=1,
        maximum=10_080,
        help=f"Default minutes to restoration of a {kind}.",
    )
    for kind, minutes in (
        ("breaker", 60),
        ("recloser", 90),
        ("fuse", 120),
        ("transformer", 180),
        ("service", 120),
    )
}
ETR_SAMPLES = declare(
    "outages.etr_samples",
    20,
    "integer",
    minimum=5,
    maximum=10_000,
    help="So many like outages of the past are needed before they say when power is back.",
)
ETR_DAYS = declare(
    "outages.etr_days",
    365,
    "integer",
    minimum=1,
    maximum=3_650,
    help="How many days back outages are looked at as like ones.",
)
STORM_AUTOMATIC = declare(
    "outages.storm_mode_automatic",
    default=True,
    kind="boolean",
    help="Whether storm mode switches itself on. A person always may.",
)
STORM_EVENTS = declare(
    "outages.storm_events",
    100,
    "integer",
    minimum=1,
    maximum=1_000_000,
    help="So many events about power within an hour are a storm.",
)
STORM_OUTAGES = declare(
    "outages.storm_outages",
    5,
    "integer",
    minimum=1,
    maximum=100_000,
    help="So many new outages within an hour are a storm.",
)
STORM_CALM_EVENTS = declare(
    "outages.storm_calm_events",
    20,
    "integer",
    minimum=1,
    maximum=1_000_000,
    help="Under so many events an hour a storm may be over.",
)
STORM_CALM_MINUTES = declare(
    "outages.storm_calm_minutes",
    120,
    "integer",
    minimum=1,
    maximum=10_080,
    help="For so long it must be calm before storm mode switches itself off.",
)
STORM_WINDOW_MINUTES = declare(
    "outages.storm_window_minutes",
    60,
    "integer",
    minimum=1,
    maximum=1440,
    help="The window in storm mode.",
)
STORM_RADIUS_METERS = declare(
    "outages.storm_radius_meters",
    2000,
    "integer",
    minimum=10,
    maximum=50_000,
    help="The radius in storm mode.",
)
VERIFY_AUTOMATICALLY = declare(
    "outages.verify_automatically",
    default=True,
    kind="boolean",
    help="Whether meters are asked by themselves before a crew goes and after a restoration.",
)
VERIFY_METERS = declare(
    "outages.verify_meters",
    20,
    "integer",
    minimum=1,
    maximum=200,
    help="How many meters below a device are asked at most.",
)
VERIFY_SECONDS = declare(
    "outages.verify_seconds",
    120,
    "integer",
    minimum=10,
    maximum=3600,
    help="How long an answer is waited for.",
)
VERIFY_AT_ONCE = declare(
    "outages.verify_at_once",
    50,
    "integer",
    minimum=0,
    maximum=10_000,
    help="While so many verifications are open, none begins by itself.",
)
STEP_SECONDS = declare(
    "outages.step_seconds",
    60,
    "integer",
    minimum=0,
    maximum=3600,
    help="Customers whose power came back so many seconds apart came back in one step.",
)
STORM_ETR_MINUTES = declare(
    "outages.storm_etr_minutes",
    10,
    "integer",
    minimum=1,
    maximum=1440,
    help="By so many minutes a simulated estimate must differ before another is published.",
)
