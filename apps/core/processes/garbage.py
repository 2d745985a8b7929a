"""How often a process looks for garbage."""

import gc

OBJECTS, ROUNDS = 50_000, 10
"""So many new objects between two looks; so many looks before older ones are looked at, too."""


def look_seldom() -> None:
    """Look for garbage seldom, and never among what is loaded by now.

    A batch of events, or a feeder that is judged, is tens of thousands of objects that are all
    needed until it is done: to look through them every few hundred is in vain.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS, ROUNDS, ROUNDS)
