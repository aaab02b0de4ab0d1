"""Timers in memory: the nearest wakes, so that nobody asks the store which is next."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from sojourn.model.ports import Store
from sojourn.model.turn import Key

MAX_HELD = 100_000  # wakes in memory, about 20 MB; the rest wait in the store behind the horizon.
_FOREVER = 1 << 62


class Timers:
    """The wakes up to a horizon; beyond it they are only in the store."""

    def __init__(self, store: Store, *, max_held: int = MAX_HELD) -> None:
        self._store = store
        self._max_held = max_held
        self._wakes: dict[Key, int] = {}
        self._heap: list[tuple[int, Key]] = []
        self._horizon = -1

    def set(self, key: Key, wake: int | None) -> None:
        """Note when a key wants to be woken; None: not at all."""
        if wake is None or wake > self._horizon:
            self._wakes.pop(key, None)
            return
        if self._wakes.get(key) != wake:
            self._wakes[key] = wake
            heappush(self._heap, (wake, key))
            if len(self._heap) > 2 * self._max_held:
                self._shrink()

    def pop_due(self, until: int, limit: int) -> list[Key]:
        """Take keys whose wake has come, earliest first; at most `limit`."""
        due: list[Key] = []
        while self._heap and self._heap[0][0] <= until and len(due) < limit:
            wake, key = heappop(self._heap)
            if self._wakes.get(key) == wake:
                del self._wakes[key]
                due.append(key)
        return due

    def next(self) -> int | None:
        """Return the earliest wake known, or where the unknown begins; an early guess is harmless."""
        if self._heap:
            return self._heap[0][0]
        return None if self._horizon == _FOREVER else self._horizon + 1

    def reaches(self, until: int) -> bool:
        """Tell whether every wake by `until` is in memory; if not, `extend` after all commits are stored."""
        return until <= self._horizon

    def extend(self, until: int) -> None:
        """Read the next wakes from the store, which must hold every commit made so far.

        Where more are due by then than memory holds, it still does not reach: fire those, and extend again.
        While any of them is here, the store is not asked.
        """
        if self.reaches(until) or (self._heap and self._heap[0][0] <= until):
            return
        found = self._store.due(_FOREVER, self._max_held)
        is_all = len(found) < self._max_held
        self._wakes = {key: wake for wake, key in found}
        self._heap = list(found)
        heapify(self._heap)
        # Of those due at the last instant some may be left: the horizon is the instant before.
        self._horizon = _FOREVER if is_all else found[-1][0] - 1

    def _shrink(self) -> None:
        live = sorted((wake, key) for key, wake in self._wakes.items())
        if len(live) > self._max_held:
            # Before the first that has no place: all of its instant wait in the store, however many.
            self._horizon = live[self._max_held][0] - 1
            live = [pair for pair in live if pair[0] <= self._horizon]
        self._wakes = {key: wake for wake, key in live}
        self._heap = live  # sorted, so it is a heap
