"""Which messages a shard has seen: exactly, for the window's length, by the log's instants.

Marks lie in two generations of a window each; as a third begins, the oldest is dropped whole. So what is kept
is bounded by what comes in two windows, and nobody looks for what is old.
"""

from __future__ import annotations

from collections.abc import Sequence
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

    def put(self, mark: str, at: int) -> None:
        """Keep a mark."""
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

    def is_new(self, shard: int, entry: Entry) -> bool:
        """Take note of a message of the shard at work; return False where it was seen within the window.

        A shard's entries come in the order of their instants.
        """
        generation = entry.at // self._window_ms
        self._turn_over(shard, generation)
        here, before = self._marks[generation % 2], self._marks[1 - generation % 2]
        mark = message_digest(entry.event.source, entry.event.message_id).hex()
        seen_at = here.get(mark)
        if seen_at is None:
            seen_at = before.get(mark)
        if seen_at is not None and seen_at > entry.at - self._window_ms:
            return False
        here.put(mark, entry.at)
        return True

    def note(self, shard: int, digest: bytes, at: int) -> None:
        """Take note of a message of the shard at work that was taken elsewhere, at an instant (ms)."""
        generation = at // self._window_ms
        self._turn_over(shard, generation)
        if generation >= self._remembered[shard] - 1:
            self._marks[generation % 2].put(digest.hex(), at)

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
