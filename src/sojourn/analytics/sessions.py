"""Sessions: following visits instead of people, as they were recorded or cut by silence."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.events import MISSING, Cases, Codes, Events, Instants, Offsets
from sojourn.analytics.ordering import is_sorted, stable_order

Unit = Literal["person", "session"]

GAP_MS = 30 * 60_000  # of silence ends a visit: the web's convention since Urchin, and the engine's.


class Walks(Struct, frozen=True):
    """The events of cases, laid out one case after another."""

    starts: Offsets
    """Shape (n_cases + 1,)."""
    person: Codes
    """Shape (n_cases,), never going down: whose each case is."""
    step: Codes
    """Shape (n_events,)."""
    at: Instants
    """Shape (n_events,); within a case never going back."""
    rule: str
    """What a case is, in words."""
    n_without: int = 0
    """Events that belong to no case: they have no session, and others have."""

    def __len__(self) -> int:
        """Count the cases."""
        return len(self.person)

    def case(self) -> NDArray[np.int64]:
        """Return the case of each event, shape (n_events,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))


def walks(events: Events, by: Unit = "person", *, gap_ms: int = GAP_MS) -> Walks:
    """Lay out the events of each person, or of each session.

    Args:
        events: What happened.
        by: What a case is. Sessions are those recorded; where none are, a session ends with a silence.
        gap_ms: The silence: a longer one ends a session.
    """
    if by == "person":
        cases = events.by_person()
        return Walks(cases.starts, cases.person, events.step, events.at, "all events of one person")
    if events.session is None:
        cut = with_sessions(events, gap_ms=gap_ms)
        cases = by_session(cut)
        rule = f"one session: a person's events without a silence above {gap_ms / 60_000:g} min"
        return Walks(cases.starts, cases.person, cut.step, cut.at, rule)
    cases = by_session(events)
    step, at = events.step, events.at
    if cases.order is not None:
        step, at = step[cases.order], at[cases.order]
    n_without = len(events) - len(step)
    return Walks(cases.starts, cases.person, step, at, "one session of one person, as recorded", n_without)


def by_session(events: Events) -> Cases:
    """Follow recorded sessions, in the order of people and then of their first events.

    Events without a session belong to no case.
    """
    session = events.session
    assert session is not None, "sessions are cut before they are followed"
    order = None
    if not is_sorted(session) or (len(session) and session[0] == MISSING):
        session = _numbered_by_first(session)
        order = stable_order(session)[int((session == MISSING).sum()) :]
    counts = np.bincount(session[session != MISSING], minlength=0)
    starts = np.concatenate([[0], np.cumsum(counts[counts > 0])]).astype(np.int64)
    firsts = starts[:-1] if order is None else order[starts[:-1]]
    person = np.searchsorted(events.starts, firsts, side="right") - 1
    return Cases(starts, person.astype(np.int32), order)


def _numbered_by_first(session: Codes) -> Codes:
    """Number sessions by where their first events lie; MISSING stays."""
    n = len(session)
    # One entry more, where MISSING points. Of several values for one place the last stays: the first event.
    firsts = np.full(int(session.max()) + 2, n, dtype=np.int64)
    firsts[session[::-1]] = np.arange(n - 1, -1, -1)
    firsts[MISSING] = n
    rank = np.empty(len(firsts), dtype=np.int32)
    rank[np.argsort(firsts, kind="stable")] = np.arange(len(firsts), dtype=np.int32)
    rank[MISSING] = MISSING
    return rank[session]


def with_sessions(events: Events, *, gap_ms: int = GAP_MS) -> Events:
    """Cut each person's events into sessions: a silence above `gap_ms` begins a new one."""
    is_new = np.ones(len(events), dtype=bool)
    np.greater(np.diff(events.at), gap_ms, out=is_new[1:])
    is_new[events.starts[:-1]] = True
    return replace(events, session=(np.cumsum(is_new) - 1).astype(np.int32))
