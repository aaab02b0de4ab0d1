"""Hot states: those of the people seen lately, decoded, in two generations.

A look costs a dict access, and nobody keeps a list of who was seen last: what was not touched while a
generation filled goes when the next one is full.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sojourn.engine.state import State, decode
from sojourn.model.ports import Store
from sojourn.model.turn import STAGES, Key, Stage


class HotStates:
    """States by stage and key; the store is asked for those that are not here, many at a time."""

    def __init__(self, store: Store, *, capacity: int) -> None:
        self._store = store
        self._capacity = capacity
        self._young: dict[Stage, dict[str, Any]] = {stage: {} for stage in STAGES}
        self._old: dict[Stage, dict[str, Any]] = {stage: {} for stage in STAGES}
        self.generation = 0
        """Counts the generations begun: what was here two of them ago may be here no more."""

    def peek(self, stage: Stage, key: str) -> State | None:
        """Return a state that is here; None where it is not, whether or not the store has it."""
        state: State | None = self._young[stage].get(key)
        if state is None:
            state = self._old[stage].get(key)
            if state is not None:
                self._young[stage][key] = state
        return state

    def load(self, stage: Stage, keys: Iterable[str]) -> dict[str, State]:
        """Return the states that exist of these keys, from here or from the store."""
        young, old = self._young[stage], self._old[stage]
        found: dict[str, State] = {}
        missing: list[Key] = []
        for key in keys:
            state = young.get(key) or old.get(key)
            if state is not None:
                found[key] = state
            else:
                missing.append((stage, key))
        if missing:
            for (_, key), stored in self._store.load(missing).items():
                found[key] = decode(stage, stored.state)
        return found

    def young(self, stage: Stage) -> dict[str, Any]:
        """Return where new states of a stage are put, until the next `rotate`."""
        return self._young[stage]

    def keep(self, stage: Stage, key: str, state: State) -> None:
        """Keep a state that the store has, where nothing newer is here."""
        if self.peek(stage, key) is None:
            self._young[stage][key] = state

    def drop(self, stage: Stage, key: str) -> None:
        """Forget a state that is not to be trusted."""
        self._young[stage].pop(key, None)
        self._old[stage].pop(key, None)

    def rotate(self) -> None:
        """Begin a new generation where this one is full; between two commits, at most once.

        What goes was not touched for a whole generation: longer ago than any commit still under way.
        """
        if sum(map(len, self._young.values())) > self._capacity:
            self._old, self._young = self._young, {stage: {} for stage in STAGES}
            self.generation += 1
