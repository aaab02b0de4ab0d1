"""Cases: what is followed from its first step to its last: people, or their sessions."""

from __future__ import annotations

from typing import Literal

import numpy as np

from sojourn.analytics.events import MISSING, Cases, Events
from sojourn.analytics.sessions import GAP_MS, with_sessions
from sojourn.model.errors import ConfigError

Unit = Literal["person", "session"]


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


def by_session(events: Events) -> Cases:
    """Follow sessions, in the order of their people and then of their beginnings.

    Sessions of one person may overlap. Events without a session are of no case.

    Raises:
        ConfigError: The events have no sessions.
    """
    if events.session is None:
        raise ConfigError("these events have no sessions; name the column that tells them apart")
    inside = np.flatnonzero(events.session != MISSING)
    codes = events.session[inside]
    began = np.zeros(codes.max(initial=MISSING) + 1, dtype=np.int64)
    began[codes[::-1]] = inside[::-1]  # of several, the last one assigned stays: each session's first event
    begins = began[codes]
    order = inside[np.argsort(begins, kind="stable")]
    is_first = np.ones(len(order), dtype=np.bool_)
    is_first[1:] = np.diff(events.session[order]) != 0
    starts = np.append(np.flatnonzero(is_first), len(order))
    person = np.searchsorted(events.starts, order[starts[:-1]], side="right") - 1
    is_as_it_lies = len(order) == len(events) and bool((np.diff(order) > 0).all())
    return Cases(starts, person.astype(np.int32), None if is_as_it_lies else order)
