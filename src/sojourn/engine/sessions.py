"""Sessions: where one visit ends and the next begins.

A session is a set of events with no gap above `gap_ms` between neighbours in the events' own time, or all
events with one client session id. Both are functions of the set, so any order of arrival ends in the same
sessions: a late event extends one, begins one, or bridges several into one.
"""

from __future__ import annotations

from bisect import insort

from msgspec import Struct, structs

from sojourn.engine.state import Session
from sojourn.model.ids import SessionId, derive

GAP_MS = 30 * 60_000  # 30 min: the web's convention since Urchin.
LATENESS_MS = 24 * 3_600_000  # a day: later events than this, by the newest session, cut no sessions.
MAX_SESSIONS = 64  # more than the 49 that gaps can cut in a day; client ids could make more.
MAX_STEPS = 64  # distinct steps counted per session.


class Visit(Struct, frozen=True):
    """One event, as far as sessions care."""

    at: int
    """The event's own time, ms."""
    message_id: str
    """Unlike that of any other message, of whichever source."""
    person: str
    """The anonymous or user id that came with it: makes a client's session id unique."""
    client_id: str = ""
    channel: str = ""
    step: str = ""
    """Counted where not empty."""
    rank: int = -1
    """The step's stage; -1 where it has none."""
    taken: str = ""
    """The step the event takes on the journey graph, asked about or not; empty where it takes none."""


class Cut(Struct, frozen=True, gc=False):
    """What one event did to the sessions."""

    session: Session
    is_new: bool = False
    has_moved: bool = False
    """The session keeps its id, and begins earlier than it did."""
    replaces: tuple[SessionId, ...] = ()
    """Ids that are gone because the session's start moved or sessions were bridged."""
    forgotten: tuple[Session, ...] = ()
    """Sessions that are not kept any longer, being too old or too many."""
    n_touched: int = 1
    """How many sessions there were before of what is one now."""
    previous: str = ""
    """The step before the event's; empty where there is none, and for an event that came late."""


def visit(sessions: list[Session], event: Visit, *, gap_ms: int = GAP_MS) -> Cut | None:
    """Put one event where it belongs; None where it comes too late to cut anything.

    `sessions` is changed in place and stays ordered by start.
    """
    if _is_newest_alone(sessions, event, gap_ms):
        return _join(sessions[-1], event)
    if sessions and event.at < _newest_end(sessions) - LATENESS_MS:
        return None
    return _place(sessions, _session_of(event), gap_ms=gap_ms)


def merge(sessions: list[Session], others: list[Session], *, gap_ms: int = GAP_MS) -> list[Cut]:
    """Bring the sessions of another life in; return what changed, session by session."""
    cuts = []
    for other in others:
        cut = _place(sessions, other, gap_ms=gap_ms)
        if cut.session.id != other.id:  # whoever was told of it must hear that it is gone
            cut = structs.replace(cut, replaces=tuple(sorted({*cut.replaces, other.id})))
        cuts.append(cut)
    return cuts


def current(sessions: list[Session]) -> Session | None:
    """Return the session the person is in, or was in last."""
    if len(sessions) == 1:  # as nearly always; asked for every event
        return sessions[0]
    return max(sessions, key=lambda session: session.ended_at) if sessions else None


def _is_newest_alone(sessions: list[Session], event: Visit, gap_ms: int) -> bool:
    """Tell whether the event belongs to the newest session and touches no other: nearly every event does."""
    if event.client_id or not sessions:
        return False
    newest = sessions[-1]
    if newest.client_id or not newest.started_at - gap_ms <= event.at <= newest.ended_at + gap_ms:
        return False
    return len(sessions) == 1 or (
        not sessions[-2].client_id and sessions[-2].ended_at + gap_ms < min(event.at, newest.started_at)
    )


def _place(sessions: list[Session], new: Session, *, gap_ms: int) -> Cut:
    touched = [session for session in sessions if _belong_together(session, new, gap_ms)]
    starts = {session.id: session.started_at for session in touched}
    before_at, before = max(((one.last_step_at, one.last_step) for one in touched), default=(0, ""))
    merged = new
    for session in touched:
        sessions.remove(session)
        merged = _union(session, merged)
    insort(sessions, merged, key=_order)
    return Cut(
        merged,
        is_new=not touched,
        has_moved=merged.started_at < starts.get(merged.id, merged.started_at),
        replaces=tuple(sorted(starts.keys() - {merged.id})),
        forgotten=_forget(sessions),
        n_touched=len(touched),
        previous=before if before_at <= new.last_step_at else "",
    )


def _belong_together(one: Session, other: Session, gap_ms: int) -> bool:
    if one.client_id or other.client_id:
        return one.client_id == other.client_id and one.id == other.id
    return other.started_at <= one.ended_at + gap_ms and one.started_at <= other.ended_at + gap_ms


def _union(one: Session, other: Session) -> Session:
    first, second = sorted((one, other), key=_order)
    steps = dict(first.steps)
    for step, n in second.steps.items():
        steps[step] = steps.get(step, 0) + n
    latest = max((one, other), key=lambda session: (session.latest_ranked_at, session.latest_rank))
    last_step_at, last_step = max((session.last_step_at, session.last_step) for session in (one, other))
    return Session(
        id=first.id,
        started_at=first.started_at,
        ended_at=max(one.ended_at, other.ended_at),
        n_events=one.n_events + other.n_events,
        channel=first.channel,
        first_id=first.first_id,
        client_id=first.client_id,
        steps=steps,
        furthest_rank=max(one.furthest_rank, other.furthest_rank),
        latest_rank=latest.latest_rank,
        latest_ranked_at=latest.latest_ranked_at,
        is_ended=one.is_ended and other.is_ended,
        last_step=last_step,
        last_step_at=last_step_at,
    )


def _join(session: Session, event: Visit) -> Cut:
    """Count one more event in; what `_union` does, without building a session of one event first."""
    at = event.at
    session.n_events += 1
    session.is_ended = False
    session.ended_at = max(session.ended_at, at)
    step = event.step
    if step and (step in session.steps or len(session.steps) < MAX_STEPS):
        session.steps[step] = session.steps.get(step, 0) + 1
    if event.rank >= 0:
        session.furthest_rank = max(session.furthest_rank, event.rank)
        if (at, event.rank) >= (session.latest_ranked_at, session.latest_rank):
            session.latest_rank, session.latest_ranked_at = event.rank, at
    previous = _step_on(session, event) if event.taken else ""
    if at > session.started_at or (at == session.started_at and event.message_id > session.first_id):
        return Cut(session, previous=previous)
    replaced = session.id
    session.started_at, session.first_id, session.channel = at, event.message_id, event.channel
    session.id = _gap_id(event.message_id)
    return Cut(session, replaces=(replaced,), previous=previous)


def _step_on(session: Session, event: Visit) -> str:
    """Take a step; return the one before it."""
    before_at, before = session.last_step_at, session.last_step
    if (event.at, event.taken) >= (before_at, before):
        session.last_step, session.last_step_at = event.taken, event.at
    return before if before_at <= event.at else ""


def _session_of(event: Visit) -> Session:
    client_id = event.client_id
    own_id = SessionId(derive("session", "client", event.person, client_id)) if client_id else ""
    return Session(
        id=SessionId(own_id) or _gap_id(event.message_id),
        started_at=event.at,
        ended_at=event.at,
        n_events=1,
        channel=event.channel,
        first_id=event.message_id,
        client_id=event.client_id,
        steps={event.step: 1} if event.step else {},
        furthest_rank=event.rank,
        latest_rank=event.rank,
        latest_ranked_at=event.at if event.rank >= 0 else 0,
        last_step=event.taken,
        last_step_at=event.at if event.taken else 0,
    )


def _gap_id(first_id: str) -> SessionId:
    """Name a session after the message that began it."""
    return SessionId(derive("session", "gap", first_id))


def _forget(sessions: list[Session]) -> tuple[Session, ...]:
    horizon = _newest_end(sessions) - LATENESS_MS
    kept = [session for session in sessions if session.ended_at >= horizon][-MAX_SESSIONS:]
    if len(kept) == len(sessions):
        return ()
    forgotten = tuple(session for session in sessions if not any(session is other for other in kept))
    sessions[:] = kept
    return forgotten


def _newest_end(sessions: list[Session]) -> int:
    return max(session.ended_at for session in sessions)


def _order(session: Session) -> tuple[int, str]:
    return session.started_at, session.first_id
