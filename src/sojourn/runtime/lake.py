"""Following: what the engine has done is written to the lake, a slice at a time, and kept in few files."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from sojourn.model.lake import DAY_MS, Reach, check_origin, date_of
from sojourn.model.ports import Lake, Tail

POLL_MS = 1_000  # how often it looks whether enough has come for a slice before its time.


class Pace(Struct, frozen=True, kw_only=True):
    """When a slice is written, and how long days are kept."""

    every_ms: int = 10_000
    """The longest anything waits."""
    events: int = 20_000
    """So many events are written at once; more are written in slices of so many."""
    keep_ms: int | None = None
    """How long days are kept; None: for ever."""


class Follower:
    """One lake behind one tail."""

    def __init__(self, tail: Tail, lake: Lake, *, now: Callable[[], int], pace: Pace) -> None:
        """Take up where the lake ends; raises ConfigError where it was written from another log."""
        check_origin(lake.reach, lake.mark, log=tail.reach(), log_mark=tail.mark(lake.reach.position))
        self._tail = tail
        self._lake = lake
        self._now = now
        self._pace = pace
        self._waits_since: int | None = None
        self._expired = ""
        """The date before which days were removed last."""
        self.n_events = 0
        """How many events were written."""

    @property
    def lag_ms(self) -> int:
        """How long the oldest that is not written has waited; 0 where nothing waits."""
        return 0 if self._waits_since is None else self._now() - self._waits_since

    def turn(self) -> int:
        """Do the next piece of work, where there is one; return for how many ms there is nothing to do."""
        reach = self._tail.reach()
        if not _is_there(self._lake.reach, reach):
            if self._waits_since is None:
                self._waits_since = self._now()
            n_waiting = reach.position - self._lake.reach.position
            if n_waiting >= self._pace.events or self.lag_ms >= self._pace.every_ms:
                self._write(reach)
                return 0
        if self._lake.erase() or self._lake.compact():
            return 0
        self._expire()
        wait_ms = self._pace.every_ms - self.lag_ms if self._waits_since is not None else POLL_MS
        return max(1, min(wait_ms, POLL_MS))

    def catch_up(self, *, until: Callable[[], bool] = lambda: False) -> None:
        """Write all that is there now, or as much as there is time for: `until` says when to stop."""
        reach = self._tail.reach()
        while not _is_there(self._lake.reach, reach) and not until():
            self._write(reach)

    def _write(self, reach: Reach) -> None:
        slice_ = self._tail.read(self._lake.reach, reach, n_events=self._pace.events)
        self._lake.write(slice_)
        self.n_events += len(slice_.entries)
        if _is_there(self._lake.reach, reach):
            self._waits_since = None

    def _expire(self) -> None:
        """Remove what has been kept long enough; once a day, for it goes by days."""
        if self._pace.keep_ms is None:
            return
        before = date_of(max(self._lake.reach.clock - self._pace.keep_ms, 0))
        if before != self._expired and self._lake.reach.clock > DAY_MS:
            self._lake.expire(before=before)
            self._expired = before


def _is_there(one: Reach, other: Reach) -> bool:
    """Tell whether the first has what the second has, but for the clock."""
    return (one.position, one.group) == (other.position, other.group)
