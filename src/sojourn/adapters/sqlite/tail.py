"""The tail: what came after a reach, cut so that entries and the steps taken by them stay together.

It reads beside the process that writes. Every row of `facts` is one commit's, and commits take entries in
order: so a cut between two rows is a cut between two entries.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from msgspec import Struct

from sojourn.adapters.sqlite.database import connect
from sojourn.adapters.sqlite.groups import decode_facts, decode_groups
from sojourn.adapters.sqlite.reading import CACHE_MB, SqliteLogReader
from sojourn.definitions.controls import told_to_others
from sojourn.model.event import Entry, is_erased
from sojourn.model.fact import Fact, StepTaken
from sojourn.model.ids import DIGEST_BYTES
from sojourn.model.lake import Reach, Slice

PAGE = 5_000  # Entries a query: a reader that stays long keeps the WAL from starting over.
GROUPS_PER_EVENT = 4  # After a standstill timers alone make groups, and a slice has a bound in them too.

_REACH = "SELECT position, last_group, clock FROM commits ORDER BY id DESC LIMIT 1"
_FACTS = "SELECT first, body FROM facts WHERE first > ? AND first <= ? ORDER BY first LIMIT 1"
_MARK = "SELECT first, digests FROM blocks WHERE first <= ? ORDER BY first DESC LIMIT 1"

_Groups = list[tuple[int, list[Fact]]]


class _Commit(Struct, frozen=True):
    """The facts of one commit."""

    groups: _Groups
    first_step: int
    """The first entry whose step is among them; 0 where none is."""
    last_step: int


class SqliteTail:
    """What `log.db` and `state.db` of a folder hold. It takes no lock; any thread may call it."""

    def __init__(self, folder: Path) -> None:
        """Open a folder that is there."""
        self._lock = Lock()
        self._log = SqliteLogReader(folder)
        self._blocks = connect(folder / "log.db", cache_mb=CACHE_MB)
        self._state = connect(folder / "state.db", cache_mb=CACHE_MB)

    def reach(self) -> Reach:
        """Return how far the engine has come."""
        with self._lock:
            row = self._state.execute(_REACH).fetchone()
        return Reach(*row) if row else Reach()

    def read(self, after: Reach, reach: Reach, *, n_events: int) -> Slice:
        """Return what comes after one reach, up to another, at most about `n_events` entries of it."""
        groups: _Groups = []
        position = min(reach.position, after.position + n_events)
        last_step, is_whole = after.position, True
        for commit in self._commits(after.group, reach.group):
            if commit.last_step > position and (groups or commit.first_step > after.position + 1):
                position, is_whole = min(position, commit.first_step - 1), False
                break
            if groups and len(groups) + len(commit.groups) > GROUPS_PER_EVENT * n_events:
                position, is_whole = min(position, (commit.first_step or last_step + 1) - 1), False
                break
            groups += commit.groups
            last_step = max(last_step, commit.last_step)
            position = max(position, last_step)
        entries = self._entries(after.position, position)
        is_whole = is_whole and position == reach.position
        clock = reach.clock if is_whole else entries[-1].at if entries else after.clock
        end = Reach(position, groups[-1][0] if groups else after.group, clock)
        shown = [told_to_others(entry) for entry in entries if not is_erased(entry.event)]
        return Slice(after, end, shown, groups, self.mark(position))

    def mark(self, position: int) -> str:
        """Return the digest of the message at a position; empty where the log has none."""
        with self._lock:
            row = self._blocks.execute(_MARK, (position,)).fetchone()
        if row is None:
            return ""
        start = (position - row[0]) * DIGEST_BYTES
        return bytes(row[1][start : start + DIGEST_BYTES]).hex()

    def close(self) -> None:
        """Release the files."""
        with self._lock:
            self._log.close()
            self._blocks.close()
            self._state.close()

    def _commits(self, group: int, last: int) -> Iterator[_Commit]:
        while True:
            with self._lock:
                row = self._state.execute(_FACTS, (group, last)).fetchone()
            if row is None:
                return
            groups = [
                (number, decode_facts(body)) for number, (_, body) in enumerate(decode_groups(row[1]), row[0])
            ]
            steps = [fact.position for _, facts in groups for fact in facts if type(fact) is StepTaken]
            yield _Commit(groups, min(steps, default=0), max(steps, default=0))
            group = groups[-1][0]

    def _entries(self, after: int, last: int) -> list[Entry]:
        entries: list[Entry] = []
        while after < last:
            page = self._log.read(after, min(PAGE, last - after))
            entries += page
            after = page[-1].position
        del entries[len(entries) - (after - last) :]  # blocks are read whole
        return entries
