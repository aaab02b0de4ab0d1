"""Layouts: tables that are told by their columns, and what these mean where they stand together.

Without a layout each column is guessed by its name alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct


class Layout(Struct, frozen=True, kw_only=True):
    """How one tool lays out events. Names are as `plain` writes them."""

    columns: frozenset[str]
    """All of them are there: then it is this layout."""
    person: str
    step: str
    time: str
    sequence: str = ""
    without: Mapping[str, frozenset[str]] = {}
    """Column -> what it says in rows that nobody did."""


PM4PY = Layout(
    columns=frozenset(["caseconceptname", "conceptname", "timetimestamp"]),
    person="caseconceptname",
    step="conceptname",
    time="timetimestamp",
)
"""An event log as one table, as pm4py keeps and exports it; a case is followed as a person is."""

# What retentioneering adds to a history, by the type it gives its rows: of version 5, then of 2 and 3.
_ADDED = frozenset(
    [
        *("path_start", "path_end", "synthetic", "churn"),
        *("session_start", "session_end", "session_start_cropped", "session_end_cropped"),
        *("new_user", "existing_user", "truncated_left", "truncated_right", "absent_user", "lost_user"),
        *("positive_target", "negative_target"),
    ]
)
RETENTIONEERING = Layout(
    columns=frozenset(["userid", "event", "timestamp", "eventtype", "subindex", "index"]),
    person="userid",
    step="event",
    time="timestamp",
    sequence="index",
    without={"eventtype": _ADDED},
)
"""An eventstream of version 5; `session_id` is there where sessions were split."""
RETENTIONEERING_3 = Layout(
    columns=frozenset(["userid", "event", "timestamp", "eventtype", "eventindex"]),
    person="userid",
    step="event",
    time="timestamp",
    sequence="eventindex",
    without={"eventtype": _ADDED},
)
"""An eventstream of versions 2 and 3."""

LAYOUTS = (PM4PY, RETENTIONEERING, RETENTIONEERING_3)


def layout_of(columns: Collection[str]) -> Layout | None:
    """Return the layout of a table by its columns, written as `plain` does; None where it is nobody's."""
    return next((layout for layout in LAYOUTS if layout.columns <= set(columns)), None)
