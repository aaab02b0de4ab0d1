"""Reading: one person as the store knows them, for the command line and the API."""

from __future__ import annotations

from typing import Any

from sojourn.definitions.journey import Catalogue
from sojourn.engine.state import Enrolment, Life, Session, Tie, decode
from sojourn.model.fact import Fact, Identified
from sojourn.model.ports import PeopleStore
from sojourn.model.turn import Key
from sojourn.model.views import EnrolmentView, ProfileView, SessionView
from sojourn.runtime.knowing import consent_of, friction_of, ids_of, propensities_of

MAX_TIMELINE = 1_000  # facts shown of one person, newest kept.


def find_profile(
    store: PeopleStore, any_id: str, *, limit: int = 100, catalogue: Catalogue | None = None
) -> ProfileView | None:
    """Find a person by a user id or an anonymous id; `limit` facts at most (up to MAX_TIMELINE).

    Friction and propensities are as definitions in force ask for them: without a catalogue, nothing is said.
    """
    found = find_life(store, any_id)
    if found is None:
        return None
    key, life = found
    view = _describe(store, key, life, limit)
    if catalogue is not None:
        at = max(store.progress().clock, life.last_seen_at)
        view.friction = friction_of(life, catalogue, at=at)
        view.propensities = propensities_of(life, catalogue, at=at, unit=key[1])
    return view


def find_life(store: PeopleStore, any_id: str) -> tuple[Key, Life] | None:
    """Find where a person's life is kept, and that life, by a user id or an anonymous id.

    Where nobody has that id, it may be a profile's own: `u:` and a user id, or `a:` and an anonymous id.
    """
    found = _by_user(store, any_id) or _by_device(store, any_id)
    if found is None and any_id[:2] in ("u:", "a:"):
        find = _by_user if any_id[0] == "u" else _by_device
        return find(store, any_id[2:])
    return found


def _by_user(store: PeopleStore, user_id: str) -> tuple[Key, Life] | None:
    key: Key = ("profile", user_id)
    life = _load(store, key)
    return (key, life) if isinstance(life, Life) else None


def _by_device(store: PeopleStore, anonymous_id: str) -> tuple[Key, Life] | None:
    tie = _load(store, ("identity", anonymous_id))
    if not isinstance(tie, Tie):
        return None
    if tie.owner is not None:
        return _by_user(store, tie.owner)
    return None if tie.life is None else (("identity", anonymous_id), tie.life)


def _load(store: PeopleStore, key: Key) -> Any:
    stored = store.load([key]).get(key)
    return None if stored is None else decode(key[0], stored.state)


def _describe(store: PeopleStore, key: Key, life: Life, limit: int) -> ProfileView:
    prefix = "u:" if key[0] == "profile" else "a:"
    return ProfileView(
        id=prefix + key[1],
        user_ids=life.user_ids,
        anonymous_ids=life.anonymous_ids,
        first_seen_at=life.first_seen_at,
        last_seen_at=life.last_seen_at,
        n_events=life.n_events,
        traits={name: trait.value for name, trait in sorted(life.traits.items())},
        sessions=[_describe_session(session) for session in life.sessions],
        enrolments=[_describe_enrolment(enrolment) for enrolment in life.enrolments],
        variants=life.variants,
        segments=dict(sorted(life.segments.items())),
        timeline=timeline(store, key, min(limit, MAX_TIMELINE)),
        ids=ids_of(store, key, life),
        consent=consent_of(life),
    )


def _describe_session(session: Session) -> SessionView:
    return SessionView(
        id=session.id,
        started_at=session.started_at,
        ended_at=session.ended_at,
        n_events=session.n_events,
        channel=session.channel,
    )


def _describe_enrolment(enrolment: Enrolment) -> EnrolmentView:
    return EnrolmentView(
        id=enrolment.id,
        journey=enrolment.journey,
        version=enrolment.version,
        key=enrolment.key,
        state=list(enrolment.machine.active),
        entered_at=enrolment.entered_at,
        next_timer_at=enrolment.wake or None,
        held_out=enrolment.is_held_out,
    )


def timeline(store: PeopleStore, key: Key, limit: int) -> list[Fact]:
    """Return a person's newest facts, oldest first; those of the devices tied to the person among them."""
    own = store.facts(key, limit=limit)
    chains = [own]
    if key[0] == "profile":
        devices = {fact.anonymous_id for fact in own if isinstance(fact, Identified) and fact.anonymous_id}
        before: list[Key] = [("identity", device) for device in sorted(devices)]
        chains = [*(store.facts(each, limit=limit) for each in (*before, ("alias", key[1]))), own]
    # A chain is newest first. At one instant its own order holds, and what is passed on comes first.
    told = [fact for chain in chains for fact in reversed(chain)]
    return sorted(told, key=lambda fact: fact.at)[-limit:]
