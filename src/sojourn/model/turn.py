"""One turn: what every runtime hands the engine, and what it gets back.

`turn(stage, key, state, inputs, until) -> Result`. A runtime reads the log in order, groups by key, loads
states, calls `turn` and commits the result whole. It never looks inside a state.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from sojourn.model.action import Action
from sojourn.model.event import Event
from sojourn.model.fact import Fact

Stage = Literal["identity", "alias", "profile"]

STAGES: tuple[Stage, ...] = ("identity", "alias", "profile")
"""In the order inputs flow, forward only (law 4)."""

Key = tuple[Stage, str]
"""Where a state lives: a stage, and an anonymous id (identity) or a user id (alias, profile)."""


class Arrived(Struct, frozen=True, tag="arrived", array_like=True, gc=False):
    """An event for this key."""

    at: int
    position: int
    event: Event
    is_history: bool = False
    is_shadow: bool = False


class Named(Struct, frozen=True, tag="named", array_like=True):
    """An unnamed person got a name: their whole life so far, moving forward, once."""

    at: int
    position: int
    anonymous_id: str
    how: Literal["identify", "both_ids", "alias"]
    message_id: str
    life: bytes | None
    """The encoded profile state; None where nothing was lived before the name."""
    is_shadow: bool = False


class Aliased(Struct, frozen=True, tag="aliased", array_like=True):
    """From now on this user id's events belong to another user (or, with None, to itself again)."""

    at: int
    position: int
    user_id: str | None
    message_id: str


Input = Arrived | Named | Aliased


class Forward(Struct, frozen=True):
    """An input for a later stage."""

    stage: Stage
    key: str
    input: Input


class Result(Struct, frozen=True):
    """What one turn came to: committed whole or not at all."""

    state: Any
    """The key's new state, opaque to the runtime; None where there is nothing to keep."""
    changed: bool
    """False where the state is the one that came in, and need not be stored again."""
    forward: list[Forward]
    actions: list[Action]
    facts: list[Fact]
    wake: int | None
    """The instant the earliest timer is due, ms; None where none runs."""
