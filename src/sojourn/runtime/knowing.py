"""Knowing: what is known of a person beside what they did: ids and how they came, consent, forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sojourn.definitions.journey import Catalogue
from sojourn.engine import friction_state
from sojourn.engine.state import Life
from sojourn.engine.view import View
from sojourn.model.fact import Fact, Identified
from sojourn.model.ports import PeopleStore
from sojourn.model.turn import Key
from sojourn.model.views import ConsentView, FrictionView, KnownIdView, SignalView

MAX_LEDGER = 5_000  # facts looked at for how ids came: 30 ms, and years of an ordinary person.


def ids_of(store: PeopleStore, key: Key, life: Life) -> list[KnownIdView]:
    """Tell each id of a person with since when it is theirs and how; those known longest first."""
    own = store.facts(key, limit=MAX_LEDGER)
    joined = {fact.anonymous_id: fact for fact in own if isinstance(fact, Identified) and fact.anonymous_id}
    known = [_own(key, life, own)]
    for device in life.anonymous_ids:
        if device != key[1] or key[0] == "profile":
            known.append(_known(device, "anonymous", joined.get(device)))
    for user_id in life.user_ids:
        if user_id != key[1] or key[0] != "profile":
            known.append(_known(user_id, "user", _pointed(store, user_id)))
    return sorted(known, key=lambda one: (one.since is None, one.since or 0))


def consent_of(life: Life) -> dict[str, ConsentView]:
    """Tell what a person said last of each channel and topic."""
    said = {} if life.pacing is None else life.pacing.consent
    return {
        scope: ConsentView(granted=one.granted, at=one.at, event_id=one.message_id.partition("/")[2])
        for scope, one in sorted(said.items())
    }


def friction_of(life: Life, catalogue: Catalogue, *, at: int) -> FrictionView | None:
    """Tell how much goes against a person; None where no definition asks for it."""
    if life.friction is None:
        return None
    signals = [SignalView(name=one.name, target=one.target, at=one.at) for one in life.friction.signals]
    return FrictionView(
        score=friction_state.score(life.friction, catalogue.policy.friction, at), signals=signals
    )


def propensities_of(life: Life, catalogue: Catalogue, *, at: int, unit: str) -> dict[str, float]:
    """Tell how likely each goal is that definitions ask for; one of which nothing is learnt is left out."""
    view = View(life, catalogue, at=at, unit=unit)
    asked = ((goal, view.propensity(goal)) for goal in sorted(catalogue.needs.propensities))
    return {goal: chance for goal, chance in asked if chance is not None}


def _own(key: Key, life: Life, own: Sequence[Fact]) -> KnownIdView:
    """Tell of the id that the person's life is kept by: it began the profile, or the profile got a name."""
    kind: Literal["user", "anonymous"] = "user" if key[0] == "profile" else "anonymous"
    if len(own) >= MAX_LEDGER:
        return KnownIdView(id=key[1], kind=kind, since=None, how="earlier")
    first = own[-1] if own else None
    if isinstance(first, Identified):
        return KnownIdView(id=key[1], kind=kind, since=first.at, how=first.how, event_id=first.message_id)
    since = life.first_seen_at if first is None else first.at
    return KnownIdView(id=key[1], kind=kind, since=since, how="first-seen")


def _known(own: str, kind: Literal["user", "anonymous"], fact: Identified | None) -> KnownIdView:
    if fact is None:
        return KnownIdView(id=own, kind=kind, since=None, how="earlier")
    return KnownIdView(id=own, kind=kind, since=fact.at, how=fact.how, event_id=fact.message_id)


def _pointed(store: PeopleStore, user_id: str) -> Identified | None:
    """Return the fact by which another user's id came to stand for this person, the newest."""
    said = store.facts(("alias", user_id), limit=MAX_LEDGER)
    return next((fact for fact in said if isinstance(fact, Identified) and fact.how == "alias"), None)
