"""Wording: the guards of a machine as expressions of ours."""

from __future__ import annotations

from collections.abc import Callable

from sojourn.definitions.suggestions import did_you_mean
from sojourn.definitions.xstate.machine import Combined, Guard, Named, StateIn
from sojourn.definitions.xstate.names import Names, with_parameters
from sojourn.definitions.xstate.reading import Refusals


def guard_text(guard: Guard, names: Names, state_id: Callable[[int], str], refusals: Refusals) -> str:
    """Write a guard as an expression; note in `refusals` a name that stands for none, and its parameters."""
    match guard:
        case StateIn():
            return f"In({state_id(guard.state)!r})"
        case Combined():
            parts = [f"({guard_text(part, names, state_id, refusals)})" for part in guard.parts]
            return f"not {parts[0]}" if guard.word == "not" else f" {guard.word} ".join(parts)
        case Named():
            return _named(guard, names, refusals)


def _named(guard: Named, names: Names, refusals: Refusals) -> str:
    if guard.name not in names.guards:
        hint = did_you_mean(guard.name, names.guards)
        message = f"the guard {guard.name!r} has no expression in the names file, under guards{hint}"
        refusals.refuse(guard.path, message, "unknown-guard")
        return "true"
    try:
        return with_parameters(names.guards[guard.name], guard.params)
    except KeyError as error:
        message = f"the expression of {guard.name!r} asks for the parameter {error}, which is not given here"
        refusals.refuse(guard.path, message, "unknown-parameter")
        return "true"
