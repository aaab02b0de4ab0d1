"""The profile: one person's life, one input at a time: sessions, traits, counters, then journeys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sojourn.engine import (
    calls,
    due,
    entries,
    exposures,
    friction,
    friction_state,
    journeys,
    schedules,
    segments,
    sessions,
)  # fmt: skip
from sojourn.engine.consent import CONSENT_UPDATED, hear_consent, merge_consent
from sojourn.engine.deferred import merge_deferred
from sojourn.engine.enrich import Enrichment, enrich
from sojourn.engine.friction_state import Signal
from sojourn.engine.ledger import Ledger
from sojourn.engine.objects import read_object
from sojourn.engine.pacing import merge_sent
from sojourn.engine.sessions import Cut, Visit, visit
from sojourn.engine.state import Life, Session
from sojourn.engine.traits import learn, merge_counters, merge_traits, tally
from sojourn.engine.view import View
from sojourn.engine.zone import hear_zone, merge_zone
from sojourn.model.event import EMPTY, OUR_SOURCE, Event
from sojourn.model.fact import Delivered, SessionEnded, SessionRevised, SessionStarted, StepTaken
from sojourn.model.turn import Arrived

MAX_IDS = 100  # merges per profile, as Segment Unify: a key shared by more people is not a person.

_NOT_A_STEP = frozenset({"identify", "group", "alias"})


def live(life: Life, arrived: Arrived, ledger: Ledger) -> None:
    """Let a person live through one event; timers due before it have fired."""
    event = arrived.event
    while life.friction is not None and friction.judge(life, event, ledger):
        due.fire_due(life, arrived.at, ledger)  # what a journey that heard of it has waited for since
        ledger.at, ledger.position, ledger.is_shadow = arrived.at, arrived.position, arrived.is_shadow
    if event.source == OUR_SOURCE and _obey(life, arrived, ledger):
        return
    zone = life.time_zone
    signals: list[Signal] = []
    if journeys.is_outcome(event):
        _hear_of_delivery(event, ledger)
        _count(life, event, ledger)
        enrichment = None
    else:
        page = bytes(event.properties) if event.kind == "page" else None
        enrichment = enrich(bytes(event.context), page)
        cut = _take_in(life, event, enrichment, ledger)
        if friction.is_on(ledger.catalogue):
            signals = friction.notice(life, arrived, cut.session.id if cut else "", ledger)
    joined = _join(life, event, ledger)
    if life.schedules and life.time_zone is not zone:
        schedules.plan(life, ledger)
    if arrived.is_history:
        friction.hear(life, signals, ledger, is_history=True)
        return
    if ledger.catalogue.flags or life.met:
        _follow_experiments(life, event, enrichment, ledger)
    if joined and journeys.is_forged(event):
        journeys.join(life, joined, ledger)
    elif joined or _concerns_journeys(life, event, ledger):
        view = View(
            life, ledger.catalogue, at=ledger.at, unit=ledger.unit, event=event, enrichment=enrichment
        )
        journeys.move(life, event, view, ledger, joined=joined)
    if signals:
        friction.hear(life, signals, ledger)


def _obey(life: Life, arrived: Arrived, ledger: Ledger) -> bool:
    """Do what the house itself asks; returns whether the event is nothing that a person did."""
    event = arrived.event
    if journeys.is_call(event):
        journeys.admit(life, event, ledger, joined=_join(life, event, ledger))
        return True
    if not exposures.is_logged(event):
        return False
    joined = _join(life, event, ledger)
    if not arrived.is_history:
        exposures.hear_logged(life, event, ledger)
        journeys.join(life, joined, ledger)
    return True


def merge(life: Life, other: Life, ledger: Ledger, *, is_history: bool) -> None:
    """Take an unnamed life in: everything it learnt, its sessions, and the journeys it was in.

    Where history named it, nobody enters a journey by what both together come to.
    """
    if 0 <= life.revision < ledger.catalogue.renewed:
        due.bring_up_to_date(life, ledger)
    if other.n_events:
        first_seen_at = life.first_seen_at if life.n_events else other.first_seen_at
        life.first_seen_at = min(first_seen_at, other.first_seen_at)
    life.last_seen_at = max(life.last_seen_at, other.last_seen_at)
    life.n_events += other.n_events
    merge_traits(life.traits, other.traits)
    merge_counters(life.counters, other.counters, ledger.catalogue.needs.counts)
    life.friction = friction_state.merge(life.friction, other.friction)
    life.n_sessions += other.n_sessions
    for cut in sessions.merge(life.sessions, other.sessions, gap_ms=ledger.catalogue.session_gap_ms):
        life.n_sessions -= cut.n_touched
        _note_ends(cut.forgotten, ledger)
        if cut.replaces or cut.has_moved:
            friction.follow(life, cut.replaces, cut.session.id)
            _note_revision(cut, ledger)
    life.step = _last_step(life)
    exposures.merge_met(life, other, ledger)
    life.unit = life.unit or other.unit
    merge_zone(life, other)
    merge_consent(life, other, ledger)
    merge_sent(life, other)
    entries.adopt(life, other, ledger)  # whom it ends may want a message: the words and caps of both hold
    merge_deferred(life, other, ledger)
    joined = _join_as_merged(life, other, ledger)
    if not is_history:
        journeys.join(life, joined, ledger)
    calls.settle(life, ledger)


def _join(life: Life, event: Event, ledger: Ledger) -> Sequence[str]:
    """Tell the segments that an event may concern; of somebody new, all of them. Returns those joined."""
    if life.revision < ledger.catalogue.renewed:
        return due.bring_up_to_date(life, ledger)
    return segments.follow(life, event.name, ledger)


def _join_as_merged(life: Life, other: Life, ledger: Ledger) -> Sequence[str]:
    """Tell all segments of two lives that became one; whoever was a member in either does not become one."""
    joined = due.bring_up_to_date(life, ledger)
    for name in life.segments.keys() & other.segments.keys():
        life.segments[name] = min(life.segments[name], other.segments[name])
    return [name for name in joined if name not in other.segments]


def _take_in(life: Life, event: Event, enrichment: Enrichment, ledger: Ledger) -> Cut | None:
    at = event.occurred_at
    if not life.n_events or at < life.first_seen_at:
        life.first_seen_at = at
    life.last_seen_at = max(life.last_seen_at, at)
    life.n_events += 1
    if event.user_id and event.user_id not in life.user_ids and len(life.user_ids) < MAX_IDS:
        life.user_ids.append(event.user_id)
    if event.kind == "identify" and event.traits is not EMPTY:
        learn(life.traits, read_object(event.traits), at=at, message_id=_message(event))
    if enrichment.time_zone or event.geo is not None or event.kind == "identify":
        hear_zone(life, event, enrichment, _message(event))
    if enrichment.consent or event.name == CONSENT_UPDATED:
        hear_consent(life, event, enrichment, message_id=_message(event), ledger=ledger)
    _count(life, event, ledger)
    cut = None if event.kind == "alias" else _cut(life, event, enrichment, ledger)
    if cut is not None:
        life.n_sessions += 1 - cut.n_touched
        life.step = _last_step(life)
    if event.kind not in _NOT_A_STEP:
        ledger.facts.append(
            StepTaken(
                profile_id=ledger.profile_id,
                at=ledger.at,
                position=ledger.position,
                source=event.source,
                message_id=event.message_id,
                name=event.name,
                occurred_at=at,
                session_id=cut.session.id if cut else None,
                channel=enrichment.channel,
                previous=cut.previous if cut else "",
            )
        )
    return cut


def _follow_experiments(life: Life, event: Event, enrichment: Enrichment | None, ledger: Ledger) -> None:
    """Hear of a flag that was used, and of what rewards a variant; an import exposes nobody."""
    catalogue = ledger.catalogue
    rewarded = catalogue.rewards.get(event.name) if life.met else None
    is_told = event.name in exposures.TOLD and not ledger.is_shadow
    if not (rewarded or is_told) or journeys.is_forged(event):
        return
    view = View(life, catalogue, at=ledger.at, unit=ledger.unit, event=event, enrichment=enrichment)
    if is_told:
        exposures.hear_told(life, view, ledger)
    if rewarded:
        exposures.reward(life, rewarded, view, ledger)


def _last_step(life: Life) -> str:
    newest = sessions.current(life.sessions)
    return newest.last_step if newest else ""


def _count(life: Life, event: Event, ledger: Ledger) -> None:
    needs = ledger.catalogue.needs
    window_ms = needs.counts.get(event.name)
    if (window_ms is not None or event.name in needs.since) and not journeys.is_forged(event):
        tally(life.counters, event.name, at=event.occurred_at, window_ms=window_ms or 0)


def _message(event: Event) -> str:
    """Name a message: its id is one only within its source."""
    return f"{event.source}/{event.message_id}"


def _cut(life: Life, event: Event, enrichment: Enrichment, ledger: Ledger) -> Cut | None:
    catalogue = ledger.catalogue
    cut = visit(
        life.sessions,
        Visit(
            at=event.occurred_at,
            message_id=_message(event),
            person=event.anonymous_id or event.user_id or "",
            client_id=event.session_id or "",
            channel=enrichment.channel,
            step=event.name if event.name in catalogue.needs.visits else "",
            rank=catalogue.ranks.get(event.name, -1),
            taken="" if event.kind in _NOT_A_STEP else event.name,
        ),
        gap_ms=catalogue.session_gap_ms,
    )
    if cut is None:
        return None
    _note_ends(cut.forgotten, ledger)
    if cut.is_new:
        session = cut.session
        # A session is known to be over when a later one begins.
        _note_ends([one for one in life.sessions if one.ended_at < session.started_at], ledger)
        ledger.note(
            SessionStarted, session_id=session.id, started_at=session.started_at, channel=session.channel
        )
    elif cut.replaces or cut.has_moved:
        friction.follow(life, cut.replaces, cut.session.id)
        _note_revision(cut, ledger)
    return cut


def _note_ends(over: Iterable[Session], ledger: Ledger) -> None:
    for session in over:
        if not session.is_ended:
            session.is_ended = True
            ledger.note(
                SessionEnded,
                session_id=session.id,
                started_at=session.started_at,
                ended_at=session.ended_at,
                n_events=session.n_events,
                step=session.last_step,
            )


def _note_revision(cut: Cut, ledger: Ledger) -> None:
    ledger.note(
        SessionRevised,
        session_id=cut.session.id,
        replaces=list(cut.replaces),
        started_at=cut.session.started_at,
        channel=cut.session.channel,
    )


def _concerns_journeys(life: Life, event: Event, ledger: Ledger) -> bool:
    catalogue = ledger.catalogue
    if journeys.is_forged(event):
        return False
    if life.enrolments or event.name in catalogue.entries:
        return True
    return bool(life.finished) and event.name in catalogue.late_goals


def _hear_of_delivery(event: Event, ledger: Ledger) -> None:
    told = read_object(event.properties)
    attempts = told.get("attempts")
    ledger.note(
        Delivered,
        action_id=str(told.get("action_id", "")),
        outcome=event.name.removeprefix("$").removeprefix("delivery_"),
        attempts=attempts if isinstance(attempts, int) else 0,
        detail=str(told.get("reason") or ""),
    )
