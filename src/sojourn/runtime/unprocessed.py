"""Unprocessed: whom the entries that wait for the engine are about, for who asks of one person.

Nobody pays for it but who asks: entries are looked at when somebody is asked about while they wait, and then
once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from sojourn.model.event import Entry

MAX_IDS = 65_536  # of entries: twice those of all that can wait; those of entries processed since go first.


class Unprocessed:
    """Ids, and the last entry each of them is in."""

    def __init__(self) -> None:
        self._last: dict[str, list[int]] = {}
        self._n_ids = 0
        """Of all entries looked at, each entry's counted: a busy id must not grow with the log."""
        self._through = 0

    def take_in(self, taken: Sequence[Entry], backlog: Sequence[Entry], *, after: int) -> None:
        """Look at the entries that were not looked at yet: those taken to be processed, then the backlog.

        `after` is the last entry that is processed.
        """
        known = max(self._through, after)
        if self._n_ids > MAX_IDS:
            self._forget(after)
        new: list[Entry] = []
        for entry in chain(reversed(backlog), reversed(taken)):
            if entry.position <= known:
                break
            new.append(entry)
        for entry in reversed(new):
            event = entry.event
            for each in {event.user_id, event.anonymous_id, event.previous_id}:
                if each is not None:
                    self._last.setdefault(each, []).append(entry.position)
                    self._n_ids += 1
        if new:
            self._through = new[0].position

    def last_of(self, ids: Iterable[str], *, after: int, through: int) -> int:
        """Return the last entry, after one and up to another, that any of these ids is in; 0: none."""
        last = 0
        for each in ids:
            for position in reversed(self._last.get(each, ())):
                if position <= after or position <= last:
                    break
                if position <= through:
                    last = position
                    break
        return last

    def _forget(self, after: int) -> None:
        """Forget what is processed by now."""
        waiting = {each: [one for one in places if one > after] for each, places in self._last.items()}
        self._last = {each: places for each, places in waiting.items() if places}
        self._n_ids = sum(map(len, self._last.values()))
