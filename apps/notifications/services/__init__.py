"""The verbs of notices."""

from apps.notifications.services.delivery import close_finished, deliver, take_due
from apps.notifications.services.notices import Sent, notify, set_preference, warn

__all__ = [
    "Sent",
    "close_finished",
    "deliver",
    "notify",
    "set_preference",
    "take_due",
    "warn",
]
