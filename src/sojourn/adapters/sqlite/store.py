"""The store on SQLite: states, timers, facts and the outbox, changing in one commit.

A commit appends: one row with the states it wrote (the journal), one with its facts, and its actions. The
states reach their table later, a generation at a time. So a commit costs the same however many people there
are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock, Thread

import msgspec
from msgspec import Struct

from sojourn.adapters.sqlite import outbox
from sojourn.adapters.sqlite.database import Checkpointer, connect, open_database, transaction
from sojourn.adapters.sqlite.erasing import clear_free, rewrite_small, truncate
from sojourn.adapters.sqlite.groups import Groups, decode_facts, decode_groups, encode_groups
from sojourn.adapters.sqlite.outbox import SqliteOutbox, insert_actions, withdraw
from sojourn.adapters.sqlite.recent import ABSENT, Recent, Row, from_bytes, to_bytes
from sojourn.adapters.sqlite.table import StateTable
from sojourn.model.action import Action
from sojourn.model.fact import Fact
from sojourn.model.ports import Commit, Progress, Stored, Told, Write
from sojourn.model.turn import Key, Stage

VERSION = 1
SCHEMA = f"""
CREATE TABLE commits (
    id INTEGER PRIMARY KEY,
    position INTEGER NOT NULL,
    clock INTEGER NOT NULL,
    last_group INTEGER NOT NULL,
    counts BLOB NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE facts (first INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE documents (name TEXT PRIMARY KEY, value BLOB NOT NULL);
{outbox.SCHEMA}
"""

KEEP = "INSERT OR REPLACE INTO documents VALUES (?, ?)"
CACHE_MB = 8  # Commits append; only the outbox reads.
GENERATION_ROWS = 16_384  # About 15 MB of memory, and at 1M people some 400 ms of writing.
GENERATION_BYTES = 32 << 20
MAX_GENERATIONS = 4  # How far the young one may outgrow its size before commits wait for the disk.
COMMIT_PAGES = 4  # measured: a commit of one person puts 17.5 kB into the WAL.
ALL = 1 << 62  # more rows than any table has.
PRUNED_COMMITS = 4  # Rows of the journal that go with a commit, so that none waits for many.


class Counts(Struct, frozen=True, array_like=True):
    """How many keys have a state, and how many a timer; kept with every commit, never counted by scanning."""

    profiles: int = 0
    devices: int = 0
    timers: int = 0


_Rows = dict[bytes, Row]

_encode = msgspec.msgpack.Encoder().encode
_encode_told = msgspec.json.Encoder().encode
_decode_rows = msgspec.msgpack.Decoder(_Rows).decode
_decode_counts = msgspec.msgpack.Decoder(Counts).decode


class SqliteStore:
    """A store in `state.db` and `states.db` of a data folder, for one process.

    Any thread may call it. `load`, `due` and the facts can be asked while a commit is under way on
    another thread: they see what was there before it, or after. Commits are made one after the other.
    """

    def __init__(self, folder: Path, *, generation_rows: int = GENERATION_ROWS) -> None:
        path = folder / "state.db"
        self._generation_rows = generation_rows
        self._writer_lock = Lock()
        self._reader_lock = Lock()
        self._writer = open_database(path, SCHEMA, version=VERSION, cache_mb=CACHE_MB)
        self._reader = connect(path, cache_mb=CACHE_MB)
        self._checkpointer = Checkpointer(path, self._writer)
        self._table = StateTable(folder)
        self._recent = Recent()
        self._id, self._last_group = 0, 0
        self._progress, self._counts = Progress(), Counts()
        self._writing: _Generation | None = None
        self._written = self._table.through
        self._oldest = 1
        self._restore()
        self.outbox = SqliteOutbox(
            connect(path, cache_mb=CACHE_MB), self._writer, self._writer_lock, self._checkpointer
        )

    def progress(self) -> Progress:
        """Return the position and clock of the last commit."""
        return self._progress

    def load(self, keys: Sequence[Key]) -> dict[Key, Stored]:
        """Return the states that exist of these keys."""
        asked = {to_bytes(key): key for key in keys}
        rows = self._rows(list(asked))
        return {
            asked[at]: Stored(row.state, row.wake, row.head)
            for at, row in rows.items()
            if row.state is not None
        }

    def commit(self, commit: Commit) -> None:
        """Store a batch whole; return once it is on disk. See the port."""
        with self._writer_lock:
            self._adopt_generation()
            rows, groups, counts = self._apply(commit.writes)
            n_bytes = self._write(commit, rows, groups, counts)
            self._id += 1
            self._last_group += len(groups)
            self._progress, self._counts = Progress(commit.position, commit.clock), counts
            self._recent.put(rows)
            self._checkpointer.committed(n_bytes, n_pages=COMMIT_PAGES)
            self._retire_generation()

    def due(self, until: int, limit: int) -> list[tuple[int, Key]]:
        """Return the earliest (wake, key) with wake <= until, at most `limit`, ordered by wake."""
        newer = self._recent.newer()
        timers = [(row.wake, key) for key, row in newer.items() if row.wake is not None and row.wake <= until]
        # So many of the table's rows can be out of date, and must not cost others their place.
        found = self._table.due(until, limit + len(newer))
        timers += [(wake, key) for wake, key in found if key not in newer]
        return [(wake, from_bytes(key)) for wake, key in sorted(timers)[:limit]]

    def keys(
        self, stage: Stage, *, prefix: str = "", after: str | None = None, limit: int | None = None
    ) -> list[str]:
        """Return keys of a stage that have a state and begin with `prefix`, in the order of their bytes.

        See the port.
        """
        first = to_bytes((stage, prefix))
        last = b"" if after is None else to_bytes((stage, after))
        newer = {
            key: row for key, row in self._recent.newer().items() if key > last and key.startswith(first)
        }
        n_asked = ALL if limit is None else limit + len(newer)  # as many rows of the table can be out of date
        keys = [key for key in self._table.keys(first, after=last, limit=n_asked) if key not in newer]
        keys += [key for key, row in newer.items() if row.state is not None]
        return [from_bytes(key)[1] for key in sorted(keys)[:limit]]

    def facts(self, key: Key, *, limit: int = 1000) -> list[Fact]:
        """Return a key's facts, newest first. Each group of them costs reading the commit it was in."""
        at = to_bytes(key)
        row = self._rows([at]).get(at, ABSENT)
        group = row.head
        facts: list[Fact] = []
        while group and len(facts) < limit:
            first, groups = self._block(group)
            group, body = groups[group - first]
            facts += reversed(decode_facts(body))
        return facts[:limit]

    def facts_after(self, group: int, limit: int) -> list[tuple[int, list[Fact]]]:
        """Return groups of facts with a number above `group`, in order; at most `limit`."""
        tail: list[tuple[int, list[Fact]]] = []
        number = group + 1
        while number <= self._last_group and len(tail) < limit:
            first, groups = self._block(number)
            chosen = groups[number - first :][: limit - len(tail)]
            tail += [(number + index, decode_facts(body)) for index, (_, body) in enumerate(chosen)]
            number += len(chosen)
        return tail

    def counts(self) -> Mapping[str, int]:
        """Return how much is kept, by name; exact, and from counters."""
        waiting, dead = self.outbox.counts()
        counts = self._counts
        return {
            "profiles": counts.profiles,
            "devices": counts.devices,
            "timers": counts.timers,
            "outbox": waiting,
            "dead_letters": dead,
        }

    def keep(self, name: str, value: bytes) -> None:
        """Keep a small document under a name."""
        with self._writer_lock:
            self._writer.execute(KEEP, (name, value))
            self._checkpointer.committed(len(value), n_pages=COMMIT_PAGES)

    def kept(self, name: str) -> bytes | None:
        """Return a document kept under a name."""
        with self._reader_lock:
            row = self._reader.execute("SELECT value FROM documents WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def overwrite_facts(self, rows: Sequence[tuple[int, bytes]], documents: Mapping[str, bytes]) -> None:
        """Write commits' facts over, each from its first group; with some documents, or nothing of it."""
        with self._writer_lock, transaction(self._writer):
            self._writer.executemany(
                "UPDATE facts SET body = ? WHERE first = ?", [(body, first) for first, body in rows]
            )
            self._writer.executemany(KEEP, list(documents.items()))

    def discard(self, name: str) -> None:
        """Keep a document no longer."""
        with self._writer_lock:
            self._writer.execute("DELETE FROM documents WHERE name = ?", (name,))

    def withdraw(self, is_gone: Callable[[Action], bool]) -> None:
        """Take letters out of which this says so; it looks at all of them."""
        with self._writer_lock, transaction(self._writer):
            outbox.rewrite(self._writer, is_gone)

    def clean(self) -> bool:
        """Leave no trace of states and letters that went.

        The table of states is brought up to the last commit and written anew, the journal of commits is
        emptied, and small tables are written anew. False where a reader is in the way: ask again.
        """
        self._settle_states()
        with self._writer_lock:
            with transaction(self._writer):
                gone = (min(self._written, self._id - 1),)
                self._writer.execute("DELETE FROM commits WHERE id <= ?", gone)
                self._writer.execute(
                    "UPDATE commits SET body = ? WHERE id <= ?", (_encode({}), self._written)
                )
                for table in ("commits", "documents"):
                    rewrite_small(self._writer, table)
                outbox.rewrite(self._writer, lambda _: False)
            clear_free(self._writer)
            is_clean = truncate(self._writer)
        return self._table.clean() and is_clean

    def _settle_states(self) -> None:
        """Bring the table of states up to the last commit; commits go on meanwhile."""
        with self._writer_lock:
            if self._writing is not None:
                self._writing.join()
                self._adopt_generation()
            writing = self._writing = _Generation(self._table, self._recent.retire(), through=self._id)
            writing.start()
        writing.join()
        with self._writer_lock:
            self._adopt_generation()

    def close(self) -> None:
        """Release everything; the store can be opened again."""
        with self._writer_lock:
            if self._writing is not None:
                self._writing.join()
            self._checkpointer.close()
            self.outbox.close()
            self._reader.close()
            self._writer.close()
            self._table.close()

    def _rows(self, keys: Sequence[bytes]) -> _Rows:
        rows, missing, generation = self._recent.find(keys)
        if missing:
            found = self._table.load(missing)
            known = {key: found.get(key, ABSENT) for key in missing}
            self._recent.remember(known, generation=generation)
            rows.update(known)
        return rows

    def _apply(self, writes: Sequence[Write]) -> tuple[_Rows, Groups, Counts]:
        """Work out the rows and the groups of facts that these writes come to, and the new counts."""
        keys = [to_bytes(write.key) for write in writes]
        before = self._rows(keys)
        rows: _Rows = {}
        groups: Groups = []
        added = {"profile": 0, "identity": 0, "alias": 0}
        timers = 0
        for key, write in zip(keys, writes, strict=True):
            old = rows.get(key) or before[key]
            head = old.head
            if write.facts:
                groups.append((head, write.facts))
                head = self._last_group + len(groups)
            if write.forget:
                head = 0
            state = old.state if write.keep_state else write.state
            row = Row(state, None if state is None else write.wake, head)
            added[write.key[0]] += (state is not None) - (old.state is not None)
            timers += (row.wake is not None) - (old.wake is not None)
            if row != old:
                rows[key] = row
        counts = self._counts
        return (
            rows,
            groups,
            Counts(
                counts.profiles + added["profile"], counts.devices + added["identity"], counts.timers + timers
            ),
        )

    def _write(self, commit: Commit, rows: _Rows, groups: Groups, counts: Counts) -> int:
        journal = _encode(rows)
        facts = encode_groups(groups) if groups else b""
        last_group = self._last_group + len(groups)
        n_bytes = len(journal) + len(facts)
        with transaction(self._writer):
            self._writer.execute(
                "INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?)",
                (self._id + 1, commit.position, commit.clock, last_group, _encode(counts), journal),
            )
            if groups:
                self._writer.execute("INSERT INTO facts VALUES (?, ?)", (self._last_group + 1, facts))
            if commit.actions:
                n_bytes += insert_actions(self._writer, commit.actions)
            documents = dict(commit.documents)
            if commit.told_in:
                n_withdrawn = withdraw(self._writer, commit.withdraws)
                documents[commit.told_in] = _encode_told(Told(last_group, n_withdrawn))
            for document in documents.items():  # one or two
                self._writer.execute(KEEP, document)
            self._prune()
        return n_bytes

    def _prune(self) -> None:
        """Drop rows of the journal whose states the table has; the newest row stays, for its progress."""
        if self._oldest <= self._written:
            last = min(self._oldest + PRUNED_COMMITS - 1, self._written)
            self._writer.execute("DELETE FROM commits WHERE id <= ?", (last,))
            self._oldest = last + 1

    def _block(self, group: int) -> tuple[int, Groups]:
        """Return the commit's groups that a group is among, and the number of the first of them."""
        query = "SELECT first, body FROM facts WHERE first <= ? ORDER BY first DESC LIMIT 1"
        with self._reader_lock:
            first, body = self._reader.execute(query, (group,)).fetchone()
        return first, decode_groups(body)

    def _retire_generation(self) -> None:
        """Have a full young generation written to the table, once the one before it is."""
        n_full = max(self._recent.n_rows / self._generation_rows, self._recent.n_bytes / GENERATION_BYTES)
        if n_full < 1 or (self._writing is not None and n_full < MAX_GENERATIONS):
            return
        if self._writing is not None:
            self._writing.join()
            self._adopt_generation()
        self._writing = _Generation(self._table, self._recent.retire(), through=self._id)
        self._writing.start()

    def _adopt_generation(self) -> None:
        """Let go of a generation that is in the table."""
        if self._writing is None or self._writing.is_alive():
            return
        if self._writing.error is not None:
            raise self._writing.error
        self._written = self._writing.through
        self._writing = None
        self._recent.let_go()

    def _restore(self) -> None:
        """Take up the journal where the table ends."""
        self._oldest = self._writer.execute("SELECT coalesce(min(id), 1) FROM commits").fetchone()[0]
        last = self._writer.execute(
            "SELECT id, position, clock, last_group, counts FROM commits ORDER BY id DESC LIMIT 1"
        ).fetchone()
        if last is None:
            return
        self._id, position, clock, self._last_group, counts = last
        self._progress, self._counts = Progress(position, clock), _decode_counts(counts)
        for (body,) in self._writer.execute(
            "SELECT body FROM commits WHERE id > ? ORDER BY id", (self._written,)
        ):
            self._recent.put(_decode_rows(body))


class _Generation(Thread):
    """Writes one generation's rows to the table."""

    def __init__(self, table: StateTable, rows: _Rows, *, through: int) -> None:
        super().__init__(name="states", daemon=True)
        self.through = through
        self.error: Exception | None = None
        self._table = table
        self._rows = rows

    def run(self) -> None:
        """Write; an error is kept for the next commit to raise."""
        try:
            self._table.write(self._rows, through=self.through)
        except Exception as error:  # Raised again on the commits' thread.
            self.error = error
