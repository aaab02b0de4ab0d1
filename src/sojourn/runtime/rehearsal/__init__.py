"""Rehearsal: a draft over past events, or over an invented population; nothing is sent."""

from sojourn.runtime.rehearsal.collecting import Example
from sojourn.runtime.rehearsal.comparing import Difference
from sojourn.runtime.rehearsal.history import History, Window, gather
from sojourn.runtime.rehearsal.playing import Deliver
from sojourn.runtime.rehearsal.replay import Plan, replay
from sojourn.runtime.rehearsal.report import (
    Frame,
    JourneyReport,
    Report,
    VersionReport,
    build_report,
    told_of,
)
from sojourn.runtime.rehearsal.versions import as_played, related, with_drafts
from sojourn.runtime.rehearsal.watch import Watch

__all__ = [
    "Deliver",
    "Difference",
    "Example",
    "Frame",
    "History",
    "JourneyReport",
    "Plan",
    "Report",
    "VersionReport",
    "Watch",
    "Window",
    "as_played",
    "build_report",
    "gather",
    "related",
    "replay",
    "told_of",
    "with_drafts",
]
