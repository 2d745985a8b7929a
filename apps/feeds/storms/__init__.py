"""Storms: which devices open, what meters, callers and SCADA then say, and what was true.

Pure: a world, a random generator and a start in, signals and the truth out. The simulator plays
the same faults and signals live; a scorer compares what a portal inferred with the truth.
"""

from apps.feeds.storms.faults import Cause, Fault, Targets, Weather
from apps.feeds.storms.generator import Storm, Truth, generate
from apps.feeds.storms.signals import CALM, ROUGH, Habits, Signal, Speaker
from apps.feeds.storms.world import Meter, World

__all__ = [
    "CALM",
    "ROUGH",
    "Cause",
    "Fault",
    "Habits",
    "Meter",
    "Signal",
    "Speaker",
    "Storm",
    "Targets",
    "Truth",
    "Weather",
    "World",
    "generate",
]
