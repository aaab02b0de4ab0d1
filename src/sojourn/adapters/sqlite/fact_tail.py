"""The tail of facts: what a store got, read in order beside the process that writes it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sojourn.adapters.sqlite.database import connect
from sojourn.adapters.sqlite.groups import decode_facts, decode_groups
from sojourn.model.fact import Fact
from sojourn.model.lake import Reach

CACHE_MB = 2

_REACH = "SELECT position, last_group, clock FROM commits ORDER BY id DESC LIMIT 1"
_ROWS = "SELECT first, body FROM facts WHERE first > ? AND first <= ? ORDER BY first LIMIT 1"


class FactTail:
    """The facts of a data folder's `state.db`. It takes no lock; one thread calls it."""

    def __init__(self, folder: Path) -> None:
        """Open a folder that is there."""
        self._connection = connect(folder / "state.db", cache_mb=CACHE_MB)

    def reach(self) -> Reach:
        """Return how far the engine has come."""
        row = self._connection.execute(_REACH).fetchone()
        return Reach(*row) if row else Reach()

    def read(self, after: int, last: int, *, limit: int) -> list[tuple[int, list[Fact]]]:
        """Return groups of facts above `after` and up to `last`, in order: whole commits, about `limit`."""
        groups: list[tuple[int, list[Fact]]] = []
        while len(groups) < limit:
            row = self._connection.execute(_ROWS, (after, last)).fetchone()
            if row is None:
                break
            groups += [
                (number, decode_facts(body)) for number, (_, body) in enumerate(decode_groups(row[1]), row[0])
            ]
            after = groups[-1][0]
        return groups

    @staticmethod
    def within(known: Reach, groups: Sequence[tuple[int, Sequence[Fact]]]) -> Reach:
        """Return the reach of the last of some groups, which come after another reach."""
        facts = [fact for _, group in groups for fact in group]
        position = max((fact.position for fact in facts), default=0)
        clock = max((fact.at for fact in facts), default=0)
        return Reach(max(known.position, position), groups[-1][0], max(known.clock, clock))

    def close(self) -> None:
        """Release the file."""
        self._connection.close()
