"""A worker: it takes the shards of one stage through turns when an instant has come.

What calls it promises: all of a shard's inputs at or before `upto` are on its shelf, and the instants asked
for come in order, so that by the time of one everything due before it is done. The rest (when a control takes
effect, what is due before it, who is asked about it) follows here, the same on any number of shards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from msgspec import Struct

from sojourn.definitions.controls import read_forgetting
from sojourn.definitions.journey import Catalogue
from sojourn.engine.forgetting import forget, goes, keys_of
from sojourn.engine.records import LAST
from sojourn.engine.state import decode, encode
from sojourn.engine.turn import turn
from sojourn.model.action import Action
from sojourn.model.fact import Fact
from sojourn.model.turn import Forward, Input, Result, Stage
from sojourn.runtime.salvage import Failure, Salvaged, salvage
from sojourn.runtime.shards.chronicle import BEGINNING, Chapter, Chronicle, Mark
from sojourn.runtime.shards.records import Addressed, Adopted

HOT_STATES = 20_000
"""Decoded in memory, per stage and task: some 60 MB of people."""
ASKED = 16
"""Keys of a shard that are asked about a change in one call: about a millisecond, in which events wait."""
_NOTHING: tuple[Any, int | None] = (None, None)


class Kept(Struct, frozen=True, gc=False):
    """A key's state on the shelf."""

    state: bytes
    wake: int
    """When it wants to be woken, ms; 0: not at all."""


class Shelf(Protocol):
    """Where one shard is kept, by an engine that makes it durable.

    States and wakes that are changed are seen at once, and written by `flush`, at the end of each call.
    """

    number: int
    """Which shard it is."""
    mark: Mark
    """The last control that took effect."""

    def get(self, key: str) -> Kept | None:
        """Return a key's state."""
        ...

    def put(self, key: str, kept: Kept) -> None:
        """Keep a key's state."""
        ...

    def remove(self, key: str) -> None:
        """Keep nothing of a key any more."""
        ...

    def ask_all(self) -> None:
        """Begin to ask everybody: every key that has a state is to be asked, also those that were before."""
        ...

    def unasked(self, most: int | None = None) -> list[str]:
        """Take the next keys that are to be asked, so many at most, or all that are left.

        As long as there are more, the worker is called again, with each step of the watermark at most once.
        """
        ...

    def wake(self, key: str, at: int) -> None:
        """Call the worker at an instant (ms), with this key among those due."""
        ...

    def flush(self) -> None:
        """Write what was changed."""
        ...

    def call_at(self, at: int) -> None:
        """Call the worker at an instant (ms), the earliest first; it may be the one it is called at."""
        ...

    def due(self, at: int) -> list[str]:
        """Take those who asked to be woken at an instant."""
        ...

    def take(self, upto: int) -> list[Addressed]:
        """Take what waits of instants up to one (ms), and whatever hangs together with that.

        The worker is called at the instant of the first of what is left.
        """
        ...

    def wait(self, inputs: Sequence[Addressed]) -> None:
        """Put back what is to wait, and call the worker at the instant of the first of it."""
        ...


class Outcome(Struct):
    """What a call came to."""

    forward: list[Forward]
    facts: list[Fact]
    actions: list[Action]
    failures: list[Failure]
    switched: list[Chapter]
    """Controls that took effect."""
    kept: dict[str, tuple[Kept | None, Mark]] = {}
    """Key -> what the shelf has of it now, where that was changed, and up to where in the log it is taken."""
    place: Mark = BEGINNING
    """Up to there the turns at hand are taken."""


class Worker:
    """One stage at one task."""

    def __init__(self, stage: Stage, chronicle: Chronicle, *, hot: int = HOT_STATES) -> None:
        self.stage = stage
        self.chronicle = chronicle
        self._hot: dict[tuple[int, str], tuple[Any, int | None]] = {}
        """(shard, key) -> its state, decoded, and its wake: what the shelf has of it, be it nothing."""
        self._max_hot = hot

    def call(self, shelf: Shelf, at: int, *, upto: int) -> Outcome:
        """Do what a shard has to do, its instant `at` having come, knowing all its inputs up to `upto`."""
        out = Outcome([], [], [], [], [])
        if self.chronicle.has_left(shelf.mark):
            return out
        woken = shelf.due(at)
        waiting = sorted(shelf.take(upto), key=_place)
        while True:
            chapter = self.chronicle.next(shelf.mark, upto=upto)
            until = upto if chapter is None else chapter.mark[0]
            now, waiting = _parted(waiting, until, before=None if chapter is None else chapter.mark)
            now = self._adopt(shelf, now, out)
            out.place = (until, LAST) if chapter is None else (until, chapter.mark[1] - 1)
            # What is due before the control and after `at` has instants of its own, which come first.
            come = None if chapter is None or chapter.mark[0] > at else chapter
            asked = self._asked(shelf, come)
            groups = _by_key(now, [*(woken if until >= at else ()), *asked])
            self._turns(shelf, groups, until, out, passing=frozenset(asked))
            woken = [] if until >= at else woken
            if come is None:
                break
            self._switch(shelf, come, out)
            if self.chronicle.has_left(shelf.mark):
                waiting = []  # It is another installation's, which takes it from the log.
                break
            if come.mark[0] < at:
                # The shard came late to it, and what it set going may be due by now: that comes first.
                for key in woken:
                    shelf.wake(key, at)
                shelf.call_at(at)
                break
        if waiting:
            shelf.wait(waiting)
        shelf.flush()
        return out

    def _adopt(self, shelf: Shelf, inputs: list[Addressed], out: Outcome) -> list[Addressed]:
        """Put states that were moved here onto the shelf, with their wakes; return the other inputs.

        Nothing that happened here is older, so none of them is in anybody's way.
        """
        others: list[Addressed] = []
        for key, given in inputs:
            if not isinstance(given, Adopted):
                others.append((key, given))
                continue
            self._hot.pop((shelf.number, key), None)
            kept = Kept(given.state, given.wake)
            shelf.put(key, kept)
            out.kept[key] = kept, (given.at, given.position)
            if given.wake:
                shelf.wake(key, given.wake)
        return others

    def _asked(self, shelf: Shelf, before: Chapter | None) -> list[str]:
        """Return who is asked about the last change now: some; before a control that rests on it, the rest.

        What a change does to a person is dated by the change and not by the asking, so this takes its time.
        """
        if before is None:
            return shelf.unasked(ASKED)
        return shelf.unasked() if before.rests else []

    def _switch(self, shelf: Shelf, chapter: Chapter, out: Outcome) -> None:
        shelf.mark = out.place = chapter.mark
        out.switched.append(chapter)
        self._forget(shelf, chapter, out)
        if chapter.asks_all and self.stage != "alias":  # no life is there
            shelf.ask_all()

    def _forget(self, shelf: Shelf, chapter: Chapter, out: Outcome) -> None:
        forgetting = read_forgetting(chapter.entry.event)
        if forgetting is None:
            return
        at, position = chapter.mark
        for stage, key in keys_of(forgetting):
            if stage != self.stage:
                continue
            state, wake = self._read(shelf, key)
            if goes(key, state, forgetting):
                self._turns(shelf, {key: []}, at, out, passing=frozenset())
                state, wake = self._read(shelf, key)
            if state is None:
                continue
            self._hot.pop((shelf.number, key), None)
            result = forget(stage, key, state, forgetting, at=at, position=position)
            if result is not None:
                out.facts += result.facts
                self._keep(shelf, key, result, out, wake=wake)

    def _turns(
        self,
        shelf: Shelf,
        groups: dict[str, list[Input]],
        until: int,
        out: Outcome,
        *,
        passing: frozenset[str],
    ) -> None:
        """Take keys through turns; who is only `passing`, and was not in memory, does not stay there."""
        catalogue = self.chronicle.catalogue(shelf.mark)
        for key, inputs in groups.items():
            place = (shelf.number, key)
            is_hot = place in self._hot
            state, wake = self._hot.pop(place) if is_hot else self._read(shelf, key)
            if state is None and not inputs:
                continue  # It was forgotten since it asked to be woken.
            try:
                result = turn(self.stage, key, state, inputs, until=until, catalogue=catalogue)
            except MemoryError:
                raise
            except Exception:  # A bug of ours: the rest of the key, and everybody else, goes on.
                saved = self._saved(shelf, key, inputs, until, catalogue=catalogue)
                result = saved.result
                out.failures += saved.failures
            out.forward += result.forward
            out.facts += result.facts
            out.actions += result.actions
            self._keep(shelf, key, result, out, wake=wake)
            if key in passing and not inputs and not is_hot:
                self._hot.pop(place, None)

    def _read(self, shelf: Shelf, key: str) -> tuple[Any, int | None]:
        kept = shelf.get(key)
        return _NOTHING if kept is None else (decode(self.stage, kept.state), kept.wake)

    def _saved(
        self, shelf: Shelf, key: str, inputs: Sequence[Input], until: int, *, catalogue: Catalogue
    ) -> Salvaged:
        before = shelf.get(key)
        return salvage(
            (self.stage, key),
            inputs,
            before=None if before is None else before.state,
            wake=None if before is None else before.wake or None,
            until=until,
            catalogue=catalogue,
        )

    def _keep(self, shelf: Shelf, key: str, result: Result, out: Outcome, *, wake: int | None) -> None:
        """Keep what a turn came to; `wake` as the shelf has it, None where it has nothing of the key."""
        place = (shelf.number, key)
        if result.state is None:
            shelf.remove(key)
            out.kept[key] = None, out.place
            return
        asked = result.wake or 0
        has_changed = result.changed or bool(result.facts)
        if wake is None and not has_changed:
            # Of most users no alias is kept: that is worth remembering as well.
            self._remember(place, *_NOTHING)
            return
        if has_changed or wake != asked:
            kept = Kept(encode(result.state), asked)
            shelf.put(key, kept)
            out.kept[key] = kept, out.place
        if asked and wake != asked:
            shelf.wake(key, asked)
        self._remember(place, result.state, asked)

    def _remember(self, place: tuple[int, str], state: Any, wake: int | None) -> None:
        self._hot[place] = state, wake
        if len(self._hot) > self._max_hot:
            del self._hot[next(iter(self._hot))]


def _place(addressed: Addressed) -> tuple[int, int]:
    return addressed[1].at, addressed[1].position


def _parted(
    waiting: list[Addressed], until: int, *, before: Mark | None
) -> tuple[list[Addressed], list[Addressed]]:
    """Part what may be given now from what must wait; both stay in order."""
    for index, one in enumerate(waiting):
        place = _place(one)
        if place[0] > until or (before is not None and place > before):
            return waiting[:index], waiting[index:]
    return waiting, []


def _by_key(inputs: Sequence[Addressed], woken: Sequence[str]) -> dict[str, list[Input]]:
    groups: dict[str, list[Input]] = {}
    for key, given in inputs:
        assert not isinstance(given, Adopted)
        groups.setdefault(key, []).append(given)
    for key in woken:
        groups.setdefault(key, [])
    return groups
