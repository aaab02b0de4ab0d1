"""The driver: it takes log entries through the stages, in order, and makes one commit of what came of them.

It keeps hot states decoded in memory. They run ahead of the store by the commits still under way; commits
are stored in order, and a failed one ends the process, so memory never shows what the store will not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from sojourn.definitions.journey import Catalogue
from sojourn.engine.state import decode, encode
from sojourn.engine.turn import route, turn
from sojourn.model.action import Action
from sojourn.model.event import Entry
from sojourn.model.ports import Commit, Log, Store, Write
from sojourn.model.turn import STAGES, Arrived, Input, Key, Stage
from sojourn.runtime.tallies import DOCUMENT, Tallies
from sojourn.runtime.timers import Timers

BATCH = 512  # entries per commit: 20 ms of work, a fifth of the latency allowed.
CACHE = 50_000  # states per generation, two generations: at most about 300 MB of hot people.
MAX_WOKEN = 2_048  # timers fired per commit.

_encode_facts = msgspec.msgpack.Encoder().encode


class Driver:
    """Entries in, commits out; the same for live, import and recovery."""

    def __init__(self, log: Log, store: Store, catalogue: Catalogue, *, cache: int = CACHE) -> None:
        self.log = log
        self.store = store
        self.catalogue = catalogue
        progress = store.progress()
        self.position = progress.position
        self.clock = progress.clock
        self.timers = Timers(store)
        self.timers.extend(self.clock)
        self.tallies = Tallies(store)
        self._has_new_tallies = False
        self._aliased = set(store.keys("alias"))
        self._cache = cache
        self._young: dict[Key, Any] = {}
        self._old: dict[Key, Any] = {}

    def catch_up(self) -> int:
        """Process and store every entry not processed yet; return how many there were."""
        n_entries = 0
        while entries := self.log.read(self.position, BATCH):
            n_entries += len(entries)
            self.take(entries)
        return n_entries

    def take(self, entries: Sequence[Entry]) -> None:
        """Process and store entries, the next in the log, with the timers due by the last of them."""
        for start in range(0, len(entries), BATCH):
            batch = entries[start : start + BATCH]
            self.settle(batch, until=batch[-1].at)

    def settle(self, entries: Sequence[Entry], *, until: int) -> list[Action]:
        """Process entries, fire the timers due by `until`, store it all; return the actions decided."""
        actions: list[Action] = []
        while True:
            self.timers.extend(until)
            commit = self.process(entries, until=until)
            if commit is not None:
                self.store.commit(commit)
                actions.extend(commit.actions)
            entries = ()
            if not self.has_due(until):
                return actions

    def has_due(self, until: int) -> bool:
        """Tell whether timers due by `until` are left for another commit."""
        due = self.timers.next()
        return (due is not None and due <= until) or not self.timers.reaches(until)

    def process(self, entries: Sequence[Entry], *, until: int) -> Commit | None:
        """Take entries (the next in the log) through all stages; None where nothing came of it.

        At most MAX_WOKEN timers of other keys fire with them: ask `has_due` and call again.
        The commit must be stored before a later one, and by nobody else.
        """
        inputs = self._enter(entries)
        for stage, key in self.timers.pop_due(until, MAX_WOKEN):
            inputs[stage].setdefault(key, [])
        writes: list[Write] = []
        actions: list[Action] = []
        for stage in STAGES:
            if inputs[stage]:
                self._run_stage(stage, inputs, until, writes, actions)
        if not entries and not writes:
            return None
        if entries:
            self.position = entries[-1].position
        self.clock = max(self.clock, until)
        self._rotate()
        return Commit(self.position, self.clock, writes, actions, self._documents())

    def _documents(self) -> dict[str, bytes]:
        if not self._has_new_tallies:
            return {}
        self._has_new_tallies = False
        return {DOCUMENT: self.tallies.document()}

    def _enter(self, entries: Sequence[Entry]) -> dict[Stage, dict[str, list[Input]]]:
        inputs: dict[Stage, dict[str, list[Input]]] = {stage: {} for stage in STAGES}
        for entry in entries:
            stage, key = route(entry.event)
            arrived = Arrived(entry.at, entry.position, entry.event, entry.is_history, entry.is_shadow)
            waiting = inputs[stage].get(key)
            if waiting is None:
                inputs[stage][key] = [arrived]
            else:
                waiting.append(arrived)
        return inputs

    def _run_stage(
        self,
        stage: Stage,
        inputs: dict[Stage, dict[str, list[Input]]],
        until: int,
        writes: list[Write],
        actions: list[Action],
    ) -> None:
        groups = inputs[stage]
        states = self._load(stage, groups)
        young, timers = self._young, self.timers
        for key, given in groups.items():
            if len(given) > 1 and stage != "identity":
                given.sort(key=_place)  # two devices of one person: the log's order holds
            result = turn(stage, key, states.get(key), given, until=until, catalogue=self.catalogue)
            for forward in result.forward:
                inputs[forward.stage].setdefault(forward.key, []).append(forward.input)
            facts = b""
            if result.facts:
                facts = _encode_facts(result.facts)
                self._has_new_tallies |= self.tallies.take(result.facts)
            at = (stage, key)
            if result.changed or facts:
                writes.append(Write(at, encode(result.state), result.wake, facts))
            if stage != "alias":
                young[at] = result.state
                timers.set(at, result.wake)
            elif result.changed:
                young[at] = result.state
                self._aliased.add(key)
            actions.extend(result.actions)

    def _load(self, stage: Stage, groups: dict[str, list[Input]]) -> dict[str, Any]:
        young, old = self._young, self._old
        found: dict[str, Any] = {}
        missing: list[Key] = []
        for key in groups:
            if stage == "alias" and key not in self._aliased:
                continue
            at = (stage, key)
            state = young.get(at) or old.get(at)
            if state is not None:
                found[key] = state
            elif at not in young and at not in old:
                missing.append(at)
        if missing:
            for at, stored in self.store.load(missing).items():
                found[at[1]] = decode(stage, stored.state)
        return found

    def _rotate(self) -> None:
        if len(self._young) > self._cache:
            self._old, self._young = self._young, {}


def _place(given: Input) -> tuple[int, int]:
    return given.at, given.position
