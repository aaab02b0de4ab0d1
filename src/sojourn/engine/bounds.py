"""Bounds: how often a journey may act, and begin by itself, for one person in an hour of the log's clock.

A journey that answers what becomes of its own actions goes round as fast as a sink takes them, and nobody
outside has a hand in it. So may one that answers its own calls or timers, or lets a person in again by the
outcome of what it sent them. Hours are those of the clock, so that two numbers are all there is to keep.
"""

from __future__ import annotations

from sojourn.definitions.durations import UNITS_MS
from sojourn.engine.inside import Inside
from sojourn.engine.state import Enrolment, Memory
from sojourn.model.fact import JourneyError

MAX_ACTIONS = 100  # and calls, per enrolment and hour: one every 36 s, all hour long, is no conversation.
MAX_OWN_ENTRIES = 100  # per person, journey and hour, of those that no event from outside brought.


def too_many_actions(inside: Inside, state: str) -> str:
    """Count one more action or call of an enrolment; return why it must not be, empty where it may.

    The first of an hour that is one too many is told as an error of the journey.
    """
    n_actions = tick(inside.enrolment, inside.ledger.at)
    if n_actions == MAX_ACTIONS + 1:
        detail = (
            f"{state}: more than {MAX_ACTIONS} actions and calls in an hour; no more until the next one."
            " Does it answer its own outcomes? Give it a time or a condition [action-limit]"
        )
        inside.tell(JourneyError, detail=detail)
    return f"{MAX_ACTIONS} in this hour already" if n_actions > MAX_ACTIONS else ""


def too_many_entries(memory: Memory, at: int) -> str:
    """Count one more entry that no event from outside brought; return why it must not be, or nothing."""
    if tick(memory, at) <= MAX_OWN_ENTRIES:
        return ""
    return f"{MAX_OWN_ENTRIES} in this hour already that no event from outside brought"


def tick(kept: Enrolment | Memory, at: int) -> int:
    """Count one more at an instant; return how many there were in its hour, this one included."""
    hour = at // UNITS_MS["h"]
    if kept.hour != hour:
        kept.hour, kept.n_in_hour = hour, 0
    kept.n_in_hour += 1
    return kept.n_in_hour


def merge_ticks(kept: Memory, other: Memory) -> None:
    """Count what was counted in another life too: that of the later hour."""
    if other.hour == kept.hour:
        kept.n_in_hour += other.n_in_hour
    elif other.hour > kept.hour:
        kept.hour, kept.n_in_hour = other.hour, other.n_in_hour
