"""The turn: the one function every runtime calls.

Pure: the state, the inputs and the time go in; the new state and everything that came of it come out. The
runtime gives the state away with the call: it is changed in place and comes back in the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from sojourn.definitions.journey import Catalogue
from sojourn.engine import due, friction, identity, profile
from sojourn.engine.ledger import Ledger
from sojourn.engine.state import Life, Pointer, State, Tie
from sojourn.model.event import Event, is_erased
from sojourn.model.ids import anonymous_profile, user_profile
from sojourn.model.turn import Aliased, Arrived, Input, Key, Named, Result, Stage


def route(event: Event) -> Key:
    """Say where an event enters: at its device's identity, or, coming from a server, at its user's alias."""
    if event.kind == "alias" and event.previous_id:
        return "identity", event.previous_id
    if event.anonymous_id is not None:
        return "identity", event.anonymous_id
    assert event.user_id is not None, "the door refuses events without any id"
    return "alias", event.user_id


def passes(state: State | None, event: Event) -> str | None:
    """Say to whose alias a device's identity would pass an event on and change nothing; None where not.

    A runtime that holds the state may spare itself the turn.
    """
    if not isinstance(state, Tie) or state.owner is None or event.kind == "alias" or is_erased(event):
        return None
    return state.owner if event.user_id is None or event.user_id == state.owner else None


def turn(
    stage: Stage,
    key: str,
    state: State | None,
    inputs: Sequence[Input],
    *,
    until: int,
    catalogue: Catalogue,
) -> Result:
    """Take one key through its inputs and its due timers.

    Args:
        stage: where in the walk; decides what `state` is.
        key: an anonymous id (identity) or a user id (alias, profile).
        state: what the last turn returned; None the first time. Changed in place.
        inputs: for this key, in the order of (at, position), all later than those of earlier turns.
        until: the log's clock: every input at or before it has been given, in this turn or before, so timers
            due by then fire. Each fires at the instant it was due, before any later input (law 3).
        catalogue: the definitions in force.

    Returns:
        All that came of it; the facts and actions are the same however the inputs are cut into turns.
    """
    if stage == "identity":
        return _identity_turn(key, state, inputs, until=until, catalogue=catalogue)
    if stage == "alias":
        return _alias_turn(key, state, inputs, catalogue=catalogue)
    return _profile_turn(key, state, inputs, until=until, catalogue=catalogue)


def _identity_turn(
    key: str, state: State | None, inputs: Sequence[Input], *, until: int, catalogue: Catalogue
) -> Result:
    tie = state if isinstance(state, Tie) else Tie()
    ledger = Ledger(catalogue, anonymous_profile(key))
    changed = False
    for given in inputs:
        assert isinstance(given, Arrived), "only events enter at identity"
        if tie.life is not None:
            changed |= due.fire_due(tie.life, given.at, ledger)
        ledger.at, ledger.position, ledger.is_shadow = given.at, given.position, given.is_shadow
        changed |= identity.resolve(tie, key, given, ledger)
    if tie.life is not None:
        changed |= due.fire_due(tie.life, until, ledger)
    return _result(tie, ledger, changed=changed, wake=identity.wake_of(tie, ledger))


def _alias_turn(key: str, state: State | None, inputs: Sequence[Input], *, catalogue: Catalogue) -> Result:
    pointer = state if isinstance(state, Pointer) else Pointer()
    ledger = Ledger(catalogue, user_profile(key))
    changed = False
    for given in inputs:
        ledger.at, ledger.position = given.at, given.position
        changed |= identity.point(pointer, key, given, ledger)
    return _result(pointer, ledger, changed=changed, wake=None)


def _profile_turn(
    key: str, state: State | None, inputs: Sequence[Input], *, until: int, catalogue: Catalogue
) -> Result:
    life = state if isinstance(state, Life) else Life(user_ids=[key])
    ledger = Ledger(catalogue, user_profile(key))
    changed = bool(inputs)
    for given in inputs:
        changed |= due.fire_due(life, given.at, ledger)
        ledger.at, ledger.position = given.at, given.position
        match given:
            case Arrived():
                ledger.is_shadow = given.is_shadow
                profile.live(life, given, ledger)
            case Named():
                ledger.is_shadow = given.is_shadow
                identity.receive(life, given, ledger)
                friction.keep_waiting(life, ledger)
            case Aliased():
                raise AssertionError("an alias ends at its pointer")
            case _:
                assert_never(given)
    changed |= due.fire_due(life, until, ledger)
    return _result(life, ledger, changed=changed, wake=due.wake_of(life, ledger))


def _result(state: State, ledger: Ledger, *, changed: bool, wake: int | None) -> Result:
    return Result(state, changed, ledger.forward, ledger.actions, ledger.facts, wake)
