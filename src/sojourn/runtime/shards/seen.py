"""Which messages a shard has seen: exactly, for the window's length, by the log's instants.

Marks lie in two generations of a window each; as a third begins, the oldest is dropped whole. So what is kept
is bounded by what comes in two windows, and nobody looks for what is old.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from sojourn.model.event import Entry
from sojourn.model.ids import message_digest

DAY_MS = 86_400_000
WINDOW_MS = 30 * DAY_MS


class Marks(Protocol):
    """One generation's marks, of whichever shard is at work."""

    def get(self, mark: str) -> int | None:
        """Return the instant of a mark."""
        ...

    def put_all(self, marks: dict[str, int]) -> None:
        """Keep marks with their instants."""
        ...

    def clear(self) -> None:
        """Drop them all."""
        ...


class Number(Protocol):
    """One number, of whichever shard is at work."""

    def value(self) -> int | None:
        """Return it; None before the first."""
        ...

    def update(self, value: int) -> None:
        """Keep another."""
        ...


class Seen:
    """The messages of a stage's shards; what is kept between calls is an engine's."""

    def __init__(self, marks: Sequence[Marks], generation: Number, *, window_ms: int = WINDOW_MS) -> None:
        """Take the two generations' marks, and where to keep which one is the newest."""
        self._marks = marks
        self._newest = generation
        self._window_ms = window_ms
        self._remembered: dict[int, int] = {}

    def take(self, shard: int, entries: Iterable[Entry]) -> list[Entry]:
        """Take note of the messages of the shard at work; return those that were not seen within the window.

        A shard's entries come in the order of their instants. To ask for a mark is a call of the engine each;
        those to be kept go in one.
        """
        new: list[Entry] = []
        marks: dict[str, int] = {}
        of = None
        for entry in entries:
            generation = entry.at // self._window_ms
            if generation != of:
                self._keep(of, marks)
                self._turn_over(shard, generation)
                of, marks = generation, {}
            mark = message_digest(entry.event.source, entry.event.message_id).hex()
            seen_at = marks.get(mark) or self._seen_at(mark, generation)
            if seen_at is None or seen_at <= entry.at - self._window_ms:
                marks[mark] = entry.at
                new.append(entry)
        self._keep(of, marks)
        return new

    def _seen_at(self, mark: str, generation: int) -> int | None:
        seen_at = self._marks[generation % 2].get(mark)
        return self._marks[1 - generation % 2].get(mark) if seen_at is None else seen_at

    def _keep(self, generation: int | None, marks: dict[str, int]) -> None:
        if generation is not None and marks:
            self._marks[generation % 2].put_all(marks)

    def note(self, shard: int, marks: Iterable[tuple[bytes, int]]) -> None:
        """Take note of messages of the shard at work that were taken elsewhere: digests and instants (ms)."""
        found: dict[int, dict[str, int]] = {}
        for digest, at in marks:
            found.setdefault(at // self._window_ms, {})[digest.hex()] = at
        for generation in sorted(found):
            self._turn_over(shard, generation)
            if generation >= self._remembered[shard] - 1:
                self._keep(generation, found[generation])

    def _turn_over(self, shard: int, generation: int) -> None:
        known = self._remembered.get(shard)
        if known is None:
            known = self._newest.value()
        if known is None or known < generation:
            if known is not None:
                self._marks[generation % 2].clear()
                if generation - known > 1:
                    self._marks[1 - generation % 2].clear()
            self._newest.update(generation)
            known = generation
        self._remembered[shard] = known
