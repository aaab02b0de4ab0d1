"""Salvage: what is saved of one key's turn when the engine fails in it, which is a bug of ours.

The key goes through the same inputs and timers again, in the smallest steps there are, and each step that
fails is left out as if it had never been. Steps do not depend on how the log was cut into turns, so replay
and every other runtime leave out the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from sojourn.definitions.journey import Catalogue
from sojourn.engine.state import decode, encode
from sojourn.engine.turn import turn
from sojourn.model.action import Action
from sojourn.model.fact import Fact
from sojourn.model.turn import Forward, Input, Key, Result

# An hour: a release that mends the bug finds the person soon; until then it costs one failure an hour.
STUCK_MS = 3_600_000

_encode_facts = msgspec.msgpack.Encoder().encode


class Failure(Struct, frozen=True):
    """One step that was left out."""

    key: Key
    input: Input | None
    """What could not be taken; None where a timer failed, which then waits for STUCK_MS."""
    error: Exception


class Salvaged(Struct, frozen=True):
    """What a key came to without the steps that failed."""

    result: Result
    failures: list[Failure]


def salvage(
    key: Key,
    inputs: Sequence[Input],
    *,
    before: bytes | None,
    wake: int | None,
    until: int,
    catalogue: Catalogue,
) -> Salvaged:
    """Take a key through its inputs and due timers, step by step, and leave out what fails.

    Args:
        key: whose turn failed.
        inputs: all that the turn was given, in order.
        before: the encoded state from before that turn; None where there was none.
        wake: the instant that state wanted to be woken at, ms.
        until: the log's clock, as the turn was given it.
        catalogue: the definitions in force.
    """
    walk = _Walk(key, before, wake, catalogue)
    for given in inputs:
        walk.step(given, until=given.at)  # with the timers due before it
    walk.fire(until)
    state = None if walk.state is None else decode(key[0], walk.state)
    wake = until + STUCK_MS if walk.is_stuck else walk.wake
    has_changed = walk.state != before or walk.is_stuck
    return Salvaged(
        Result(state, has_changed, walk.forward, walk.actions, walk.facts, wake),
        walk.failures,
    )


class _Walk:
    """One key on its way, one step at a time."""

    def __init__(self, key: Key, state: bytes | None, wake: int | None, catalogue: Catalogue) -> None:
        self._key = key
        self._catalogue = catalogue
        self.state = state
        self.wake = wake
        self.is_stuck = False
        """A timer failed: it stays due, and everything after it fails like it."""
        self.forward: list[Forward] = []
        self.actions: list[Action] = []
        self.facts: list[Fact] = []
        self.failures: list[Failure] = []

    def fire(self, until: int) -> None:
        """Fire the timers due by `until`, instant by instant."""
        while not self.is_stuck and self.wake is not None and self.wake <= until:
            instant = self.wake
            is_fired = self.step(None, until=instant)
            self.is_stuck = not is_fired or self.wake == instant

    def step(self, given: Input | None, *, until: int) -> bool:
        """Take one input, or what is due by `until`; return whether it went well."""
        stage, name = self._key
        state: Any = None if self.state is None else decode(stage, self.state)
        inputs = () if given is None else (given,)
        try:
            result = turn(stage, name, state, inputs, until=until, catalogue=self._catalogue)
            after = encode(result.state)
            _encode_facts(result.facts)
        except MemoryError:
            raise
        except Exception as error:  # The edge: whatever it is, it is this step's alone.
            self.failures.append(Failure(self._key, given, error))
            return False
        if result.changed or result.facts:
            self.state = after
        self.wake = result.wake
        self.forward += result.forward
        self.actions += result.actions
        self.facts += result.facts
        return True
