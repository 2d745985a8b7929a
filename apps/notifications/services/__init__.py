"""The verbs of notices."""

from apps.notifications.services.delivery import close_finished, deliver, take_due
from apps.notifications.services.erasing import erase_notices
from apps.notifications.services.notices import (
    Sent,
    announce,
    notify,
    set_preference,
    warn,
)

__all__ = [
    "Sent",
    "announce",
    "close_finished",
    "deliver",
    "erase_notices",
    "notify",
    "set_preference",
    "take_due",
    "warn",
]
