"""Rehearsal: a draft over past events, or over an invented population; nothing is sent."""

from sojourn.runtime.rehearsal.behaviour import START_MS, World
from sojourn.runtime.rehearsal.collecting import Example
from sojourn.runtime.rehearsal.comparing import Difference
from sojourn.runtime.rehearsal.history import History, Window, gather
from sojourn.runtime.rehearsal.listening import listen
from sojourn.runtime.rehearsal.playing import Deliver
from sojourn.runtime.rehearsal.population import Population, read_population, usual
from sojourn.runtime.rehearsal.replaying import Plan, replay
from sojourn.runtime.rehearsal.report import (
    Frame,
    JourneyReport,
    Report,
    VersionReport,
    build_report,
    told_of,
)
from sojourn.runtime.rehearsal.simulating import Trial, simulate
from sojourn.runtime.rehearsal.versions import as_played, related, with_drafts
from sojourn.runtime.rehearsal.watch import Watch

__all__ = [
    "START_MS",
    "Deliver",
    "Difference",
    "Example",
    "Frame",
    "History",
    "JourneyReport",
    "Plan",
    "Population",
    "Report",
    "Trial",
    "VersionReport",
    "Watch",
    "Window",
    "World",
    "as_played",
    "build_report",
    "gather",
    "listen",
    "read_population",
    "related",
    "replay",
    "simulate",
    "told_of",
    "usual",
    "with_drafts",
]
