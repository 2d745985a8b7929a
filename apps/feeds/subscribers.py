"""What feeds hear: wishes for a storm."""

from apps.core.events import subscribe
from apps.feeds import services
from apps.outages.events import StormRequested


@subscribe(StormRequested)
def keep_storm(event: StormRequested) -> None:
    """Keep the storm for the simulator."""
    services.keep_storm(faults=event.faults, requested_by=event.by, at=event.at)
