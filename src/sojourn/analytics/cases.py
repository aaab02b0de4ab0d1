"""Cases: sessions as what is followed from its first step to its last."""

from __future__ import annotations

from typing import Literal

import numpy as np

from sojourn.analytics.events import MISSING, Cases, Events
from sojourn.model.errors import ConfigError

Unit = Literal["person", "session"]


def cases_of(events: Events, unit: Unit) -> Cases:
    """Follow people, or their sessions."""
    return events.by_person() if unit == "person" else by_session(events)


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
