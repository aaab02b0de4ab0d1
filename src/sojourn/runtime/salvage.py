"""Salvage: what is saved of one key's turn when the engine fails in it, which is a bug of ours.

The key goes through the same inputs and timers again, in the smallest steps there are, and each step that
fails is left out as if it had never been. Steps do not depend on how the log was cut into turns, so replay
and every other runtime leave out the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from traceback import extract_tb
from typing import Any

import msgspec
from msgspec import Struct

from sojourn.definitions.journey import Catalogue
from sojourn.engine.state import decode, encode
from sojourn.engine.turn import turn
from sojourn.model.action import Action
from sojourn.model.event import OUR_SOURCE, Event, FailedEvent
from sojourn.model.fact import Fact
from sojourn.model.turn import Arrived, Forward, Input, Key, Result

# An hour: a release that mends the bug finds the person soon; until then it costs one failure an hour.
STUCK_MS = 3_600_000
REASON_CHARS = 500
ENGINE_ERROR = "engine-error"
"""The code of events that are in the log, and that the engine failed on."""

_encode_facts = msgspec.msgpack.Encoder().encode


class Failure(Struct, frozen=True):
    """One step that was left out."""

    key: Key
    input: Input | None
    """What could not be taken; None where a timer failed, which then waits for STUCK_MS."""
    error: Exception
    at: int = 0
    """The instant of the step, ms."""


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
            self.failures.append(Failure(self._key, given, error, until))
            return False
        if result.changed or result.facts:
            self.state = after
        self.wake = result.wake
        self.forward += result.forward
        self.actions += result.actions
        self.facts += result.facts
        return True


def cause_of(error: Exception) -> str:
    """Say what failed and where, without anything of the data: the same for every step it fails on."""
    place = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {place.name} ({PurePath(place.filename).name}:{place.lineno})"


def failed_event(event: Event, failure: Failure) -> FailedEvent:
    """Return what is kept of an event that the engine failed on."""
    reason = f"the engine failed on it: {cause_of(failure.error)}: {failure.error}"
    return FailedEvent(
        source=event.source,
        received_at=event.received_at,
        code=ENGINE_ERROR,
        reason=reason[:REASON_CHARS],
        path=failure.key[0],
        body=msgspec.json.encode(event),
        message_id=event.message_id,
    )


def failed_step(failure: Failure) -> FailedEvent:
    """Return what is kept of a step, where nothing but the step is at hand: its event, if it is one's.

    What an earlier stage made of an event, or a timer, is kept as the house's own, named by where it stood.
    """
    given = failure.input
    if isinstance(given, Arrived):
        return failed_event(given.event, failure)
    stage, key = failure.key
    what = "a timer" if given is None else f"what an earlier stage said at position {given.position}"
    reason = f"the engine failed on {what}: {cause_of(failure.error)}: {failure.error}"
    return FailedEvent(
        source=OUR_SOURCE,
        received_at=failure.at,
        code=ENGINE_ERROR,
        reason=reason[:REASON_CHARS],
        path=stage,
        body=msgspec.json.encode({"key": key, "input": given}),
        message_id=f"{stage}:{key}:{failure.at if given is None else given.position}",
    )
