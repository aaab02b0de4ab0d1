"""Walk: a group of people in memory, moved one input or one instant at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from sojourn.definitions.journey import Catalogue
from sojourn.engine.state import State
from sojourn.engine.turn import route, turn
from sojourn.model.action import Action
from sojourn.model.fact import Fact
from sojourn.model.turn import Arrived, Input, Key, Result


class Walk:
    """The states of a few keys, and all that came of them so far."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.facts: list[Fact] = []
        self.actions: list[Action] = []
        self._states: dict[Key, State] = {}
        self._wakes: dict[Key, int] = {}

    def take(self, arrived: Arrived) -> list[Action]:
        """Take one event through the stages; return the actions it decided. What was due was woken before."""
        waiting: deque[tuple[Key, Input]] = deque([(route(arrived.event), arrived)])
        actions: list[Action] = []
        while waiting:
            key, given = waiting.popleft()
            result = self._turn(key, (given,), until=given.at)
            waiting.extend(((forward.stage, forward.key), forward.input) for forward in result.forward)
            actions += result.actions
        return actions

    def next_wake(self) -> int | None:
        """Return when the earliest timer is due."""
        return min(self._wakes.values(), default=None)

    def wake(self, at: int) -> list[Action]:
        """Fire the timers due at an instant; return the actions they decided."""
        actions: list[Action] = []
        for key in [key for key, due in self._wakes.items() if due <= at]:
            actions += self._turn(key, (), until=at).actions
        return actions

    def _turn(self, key: Key, given: Sequence[Input], *, until: int) -> Result:
        result = turn(*key, self._states.get(key), given, until=until, catalogue=self.catalogue)
        self._states[key] = result.state
        if result.wake is None:
            self._wakes.pop(key, None)
        else:
            self._wakes[key] = result.wake
        self.facts += result.facts
        self.actions += result.actions
        return result
