"""Hot states: those of the people seen lately, decoded, in two generations.

A look costs a dict access, and nobody keeps a list of who was seen last: what was not touched while a
generation filled goes when the next one is full. What was read for a question alone has room of its own:
questions come also where no commit does, and generations change with commits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sojourn.engine.state import State, decode
from sojourn.model.ports import Store
from sojourn.model.turn import STAGES, Key, Stage

MIN_READ = 8  # states of one question, at the least.


class HotStates:
    """States by stage and key; the store is asked for those that are not here, many at a time."""

    def __init__(self, store: Store, *, capacity: int) -> None:
        self._store = store
        self._capacity = capacity
        self._young: dict[Stage, dict[str, Any]] = {stage: {} for stage in STAGES}
        self._old: dict[Stage, dict[str, Any]] = {stage: {} for stage in STAGES}
        self._read: dict[Key, State] = {}
        """Read for questions, and not written since: forgotten with each generation, before what was is."""
        self.generation = 0
        """Counts the generations begun: what was here two of them ago may be here no more."""

    def peek(self, stage: Stage, key: str) -> State | None:
        """Return a state that is here; None where it is not, whether or not the store has it."""
        state: State | None = self._young[stage].get(key)
        if state is None:
            state = self._old[stage].get(key)
            if state is not None:
                self._young[stage][key] = state
        return state if state is not None else self._read.get((stage, key))

    def load(self, stage: Stage, keys: Iterable[str]) -> dict[str, State]:
        """Return the states that exist of these keys, from here or from the store."""
        young, old = self._young[stage], self._old[stage]
        found: dict[str, State] = {}
        missing: list[Key] = []
        for key in keys:
            state = young.get(key) or old.get(key) or self._read.get((stage, key))
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
        """Keep a state that the store has, for questions, where nothing newer is here."""
        if self.peek(stage, key) is None:
            if len(self._read) >= max(self._capacity, MIN_READ):
                self._read = {}
            self._read[stage, key] = state

    def drop(self, stage: Stage, key: str) -> None:
        """Forget a state that is not to be trusted."""
        self._young[stage].pop(key, None)
        self._old[stage].pop(key, None)
        self._read.pop((stage, key), None)

    def rotate(self) -> None:
        """Begin a new generation where this one is full; between two commits, at most once.

        What goes was not touched for a whole generation: longer ago than any commit still under way.
        """
        if sum(map(len, self._young.values())) > self._capacity:
            self._old, self._young = self._young, {stage: {} for stage in STAGES}
            self._read = {}
            self.generation += 1
