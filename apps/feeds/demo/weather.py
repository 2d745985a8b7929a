"""The demo's weather: its day goes by in an hour, so every hour of it would be a storm."""

from datetime import datetime

from apps.configuration import selectors as settings
from apps.configuration import services as configuration
from apps.core.actor import Actor

AUTOMATIC = "outages.storm_mode_automatic"


def leave_storms_to_people(*, by: Actor, at: datetime) -> None:
    """Have storm mode switched by hand alone, unless an admin has decided otherwise."""
    if not settings.history(key=AUTOMATIC).exists():
        configuration.change(key=AUTOMATIC, value=False, by=by, at=at)


def let_storms_come(*, by: Actor, at: datetime) -> None:
    """Have storm mode switch itself again, where it was the demo that switched that off."""
    last = settings.history(key=AUTOMATIC).first()
    if last is not None and last.changed_by == by.label:
        configuration.change(key=AUTOMATIC, value=True, by=by, at=at)
