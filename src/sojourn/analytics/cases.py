"""Cases: what is followed from its first step to its last: people, or their sessions."""

from __future__ import annotations

from sojourn.analytics.events import Cases, Events
from sojourn.analytics.sessions import GAP_MS, Unit, by_session, with_sessions

__all__ = ["Unit", "cases_of", "unit_means"]


def cases_of(events: Events, unit: Unit) -> Cases:
    """Follow people, or sessions: those recorded, or else what a silence above `GAP_MS` ends.

    Sessions come in the order of their people and then of their beginnings; events without one are of none.
    """
    if unit == "person":
        return events.by_person()
    return by_session(events if events.session is not None else with_sessions(events))


def unit_means(events: Events, unit: Unit) -> str:
    """Say what a case is."""
    if unit == "person":
        return "all events of one person"
    if events.session is not None:
        return "one session of one person, as recorded; events without one are of none"
    return f"a person's events without a silence above {GAP_MS // 60_000} min: no sessions are recorded"
