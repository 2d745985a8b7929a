"""The verbs of crews."""

from apps.crews.services.assignments import (
    assign,
    cancel_assignment,
    close_with_outages,
    follow_merges,
    move_assignment,
    note_assignment,
)
from apps.crews.services.erasing import erase_crews
from apps.crews.services.queueing import estimate_in_storm
from apps.crews.services.roster import (
    create_crew,
    join_crew,
    leave_crew,
    place_crew,
    set_on_shift,
    update_crew,
)

__all__ = [
    "assign",
    "cancel_assignment",
    "close_with_outages",
    "create_crew",
    "erase_crews",
    "estimate_in_storm",
    "follow_merges",
    "join_crew",
    "leave_crew",
    "move_assignment",
    "note_assignment",
    "place_crew",
    "set_on_shift",
    "update_crew",
]
