"""Storms: which devices open, what meters, callers and SCADA then say, and what was true.

Pure: a world, a random generator and a start in, signals and the truth out. The simulator plays
the same faults and signals live; a scorer compares what a portal inferred with the truth.
`trial` makes the storms by which correlation is measured: easy, hard, gust.
"""

from apps.feeds.storms.faults import Cause, Fault, Targets, Weather
from apps.feeds.storms.records import Directory, world_of
from apps.feeds.storms.scoring import Answer, Declared, Score, read_truth, score
from apps.feeds.storms.settings import EASY, GUST, HARD, PLAIN, SETTINGS, Setting
from apps.feeds.storms.signals import CALM, ROUGH, Habits, Signal, Speaker
from apps.feeds.storms.telling import Named
from apps.feeds.storms.trial import Trial, TrueOutage, trial
from apps.feeds.storms.world import Meter, World

__all__ = [
    "CALM",
    "EASY",
    "GUST",
    "HARD",
    "PLAIN",
    "ROUGH",
    "SETTINGS",
    "Answer",
    "Cause",
    "Declared",
    "Directory",
    "Fault",
    "Habits",
    "Meter",
    "Named",
    "Score",
    "Setting",
    "Signal",
    "Speaker",
    "Targets",
    "Trial",
    "TrueOutage",
    "Weather",
    "World",
    "read_truth",
    "score",
    "trial",
    "world_of",
]
