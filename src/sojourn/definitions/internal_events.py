"""Internal events: those of a chart that only the engine sends; nobody outside may."""

from __future__ import annotations

DONE_STATE = "done.state."
"""Before a state's id: the event that says that it is done."""

DONE_CALL = "done.call."
"""Before a state's id: the event that says that what the state called is over."""

INTERNAL = (DONE_STATE, DONE_CALL, "after(", "error.")
"""How the names of these events begin."""
