"""Logs: what the process says while it runs, to stderr: for people, or one JSON object a line."""

from __future__ import annotations

import logging
import sys

import structlog

from sojourn.config import Logging


def set_up_logs(settings: Logging) -> None:
    """Set the level and the form; stdout stays free for what a command answers and for the console sink."""
    is_for_people = settings.format == "console" or (settings.format == "auto" and sys.stderr.isatty())
    renderer = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if is_for_people
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.level.upper())),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # the one there is when a line is said
    )
