"""The outbox on SQLite: actions on their way, in the file of the commits that decided them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from threading import Lock

import msgspec

from sojourn.adapters.sqlite.database import Checkpointer
from sojourn.model.action import Action, Delivery, Letter
from sojourn.model.ports import Place, Queue

SCHEMA = """
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    action_id TEXT NOT NULL UNIQUE,
    sink TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    body BLOB NOT NULL,
    last_error BLOB NOT NULL DEFAULT x'',
    dead_at INTEGER
);
CREATE INDEX waiting ON outbox (sink, due_at) WHERE dead_at IS NULL;
CREATE INDEX dead ON outbox (dead_at) WHERE dead_at IS NOT NULL;

-- Counting by scanning would cost most when a destination is down and the outbox is full.
CREATE TABLE outbox_counts (waiting INTEGER NOT NULL, dead INTEGER NOT NULL);
INSERT INTO outbox_counts VALUES (0, 0);
CREATE TRIGGER count_in AFTER INSERT ON outbox BEGIN
    UPDATE outbox_counts SET waiting = waiting + 1;
END;
CREATE TRIGGER count_out AFTER DELETE ON outbox BEGIN
    UPDATE outbox_counts SET waiting = waiting - (old.dead_at IS NULL),
        dead = dead - (old.dead_at IS NOT NULL);
END;
CREATE TRIGGER count_turned AFTER UPDATE OF dead_at ON outbox
WHEN (old.dead_at IS NULL) <> (new.dead_at IS NULL) BEGIN
    UPDATE outbox_counts SET
        waiting = waiting + (new.dead_at IS NULL) - (old.dead_at IS NULL),
        dead = dead + (new.dead_at IS NOT NULL) - (old.dead_at IS NOT NULL);
END
"""

# Each row: id, sink, due_at, and where its body is in the blob (from 1).
_INSERT = """
INSERT OR IGNORE INTO outbox (action_id, sink, due_at, body)
SELECT json_extract(value, '$[0]'),
       json_extract(value, '$[1]'),
       json_extract(value, '$[2]'),
       substr(?1, json_extract(value, '$[3]'), json_extract(value, '$[4]'))
FROM json_each(?2) ORDER BY key
"""
_POSTPONE = """
UPDATE outbox SET
    attempts = new.attempts, due_at = new.due_at, last_error = new.last_error, dead_at = new.dead_at
FROM (
    SELECT json_extract(value, '$[0]') AS action_id,
           json_extract(value, '$[1]') AS attempts,
           json_extract(value, '$[2]') AS due_at,
           coalesce(substr(?1, json_extract(value, '$[3]'), json_extract(value, '$[4]')), x'') AS last_error,
           json_extract(value, '$[5]') AS dead_at
    FROM json_each(?2)
) AS new
WHERE outbox.action_id = new.action_id
"""
_SETTLE = "DELETE FROM outbox WHERE action_id IN (SELECT value FROM json_each(?))"
_DROP = "DROP TABLE outbox;\nDROP TABLE outbox_counts;"
_COUNT = """
UPDATE outbox_counts SET waiting = (SELECT count(*) FROM outbox WHERE dead_at IS NULL),
    dead = (SELECT count(*) FROM outbox WHERE dead_at IS NOT NULL)
"""
_WITHDRAW = """
DELETE FROM outbox
WHERE json_extract(CAST(body AS TEXT), '$.profile_id') IN (SELECT value FROM json_each(?))
"""
_COUNT_OF = """
SELECT count(*) FROM outbox
WHERE json_extract(CAST(body AS TEXT), '$.profile_id') IN (SELECT value FROM json_each(?))
"""
_REVIVE_ALL = "UPDATE outbox SET attempts = 0, due_at = ?1, dead_at = NULL WHERE dead_at IS NOT NULL"
_REVIVE = """
UPDATE outbox SET attempts = 0, due_at = ?1, dead_at = NULL
WHERE dead_at IS NOT NULL AND action_id IN (SELECT value FROM json_each(?2))
"""
_WAITING = """
SELECT json_group_array(json_array(length(body), attempts, due_at, length(last_error), dead_at)),
       CAST(group_concat(body, '') AS BLOB), CAST(group_concat(last_error, '') AS BLOB)
FROM (
    SELECT * FROM outbox WHERE sink = ? AND dead_at IS NULL AND due_at <= ? ORDER BY due_at, id LIMIT ?
)
"""
_DEAD = """
SELECT json_group_array(json_array(length(body), attempts, due_at, length(last_error), dead_at)),
       CAST(group_concat(body, '') AS BLOB), CAST(group_concat(last_error, '') AS BLOB)
FROM (
    SELECT * FROM outbox WHERE dead_at IS NOT NULL AND dead_at <= ?1 AND (dead_at, action_id) < (?1, ?2)
    ORDER BY dead_at DESC, action_id DESC LIMIT ?3
)
"""
# One step of the index per sink, however many letters wait.
_SINKS = """
WITH RECURSIVE sinks (name) AS (
    SELECT min(sink) FROM outbox WHERE dead_at IS NULL
    UNION ALL
    SELECT (SELECT min(sink) FROM outbox WHERE dead_at IS NULL AND sink > name) FROM sinks
    WHERE name IS NOT NULL
)
SELECT name FROM sinks WHERE name IS NOT NULL
"""

# By the index of what waits, the one due first first.
_QUEUE = """
SELECT count(*), min(id) FROM (
    SELECT id FROM outbox WHERE sink = ?1 AND dead_at IS NULL ORDER BY due_at LIMIT ?2
)
"""
_DEAD_BY_SINK = """
SELECT sink, count(*) FROM (
    SELECT sink FROM outbox WHERE dead_at IS NOT NULL ORDER BY dead_at DESC LIMIT ?
) GROUP BY sink
"""

COUNTED = 100_000  # letters of one sink: 10 ms.
DEAD_COUNTED = 20_000  # dead letters, which no index tells apart by sink: 30 ms.
WRITE_PAGES = 4  # The letters, the index of their ids, that of those that wait, and the counts.
LETTER_BYTES = 1_024  # What one adds: letters of one batch mostly share their pages.
NEWEST: Place = (1 << 62, "")  # Before it lies every letter.

_encode = msgspec.json.Encoder().encode
_decode_action = msgspec.json.Decoder(Action).decode
_decode_rows = msgspec.json.Decoder(list[tuple[int, int, int, int, int | None]]).decode


class SqliteOutbox:
    """The letters of one store. It writes on the store's connection, under its lock."""

    def __init__(
        self,
        reader: sqlite3.Connection,
        writer: sqlite3.Connection,
        writer_lock: Lock,
        checkpointer: Checkpointer,
    ) -> None:
        self._checkpointer = checkpointer
        self._reader = reader
        self._reader_lock = Lock()
        self._writer = writer
        self._writer_lock = writer_lock

    def waiting(self, sink: str, *, now: int, limit: int) -> list[Letter]:
        """Return letters for a sink that are due, oldest first."""
        return self._letters(_WAITING, (sink, now, limit))

    def next_due(self, sink: str) -> int | None:
        """Return when the next letter for a sink is due, ms."""
        query = "SELECT min(due_at) FROM outbox WHERE sink = ? AND dead_at IS NULL"
        with self._reader_lock:
            due_at: int | None = self._reader.execute(query, (sink,)).fetchone()[0]
            return due_at

    def settle(self, settled: Sequence[tuple[Letter, Delivery]]) -> None:
        """Take letters that are done out of the outbox."""
        ids = _encode([letter.action.id for letter, _ in settled]).decode()
        self._write(_SETTLE, (ids,))

    def postpone(self, letters: Sequence[Letter]) -> None:
        """Store letters' new attempts, due_at, last_error and dead_at."""
        pieces: list[bytes] = []
        rows: list[tuple[str, int, int, int, int, int | None]] = []
        start = 1
        for letter in letters:
            piece = letter.last_error.encode("utf-8", "surrogatepass")
            pieces.append(piece)
            rows.append((letter.action.id, letter.attempts, letter.due_at, start, len(piece), letter.dead_at))
            start += len(piece)
        self._write(_POSTPONE, (b"".join(pieces), _encode(rows).decode()))

    def sinks(self) -> list[str]:
        """Return the sinks that letters wait for, by name."""
        with self._reader_lock:
            return [name for (name,) in self._reader.execute(_SINKS)]

    def queues(self) -> dict[str, Queue]:
        """Return what waits for each sink: at most COUNTED letters, among the DEAD_COUNTED newest dead."""
        with self._reader_lock:
            dead = dict(self._reader.execute(_DEAD_BY_SINK, (DEAD_COUNTED,)).fetchall())
        names = self.sinks()
        return {name: self._queue(name, dead.get(name, 0)) for name in dict.fromkeys([*names, *dead])}

    def _queue(self, sink: str, n_dead: int) -> Queue:
        with self._reader_lock:
            n_waiting, oldest = self._reader.execute(_QUEUE, (sink, COUNTED)).fetchone()
            query = "SELECT body FROM outbox WHERE id = ?"
            row = self._reader.execute(query, (oldest,)).fetchone() if n_waiting else None
        return Queue(
            waiting=n_waiting, dead=n_dead, oldest_at=None if row is None else _decode_action(row[0]).at
        )

    def dead(self, *, limit: int = 100, before: Place | None = None) -> list[Letter]:
        """Return dead letters, newest first; `before` a letter's place, to page."""
        return self._letters(_DEAD, (*(before or NEWEST), limit))

    def revive(self, action_ids: Sequence[str] | None, *, now: int) -> int:
        """Put dead letters (all, with None) back, with no attempts; return how many."""
        if action_ids is None:
            return self._write(_REVIVE_ALL, (now,))
        return self._write(_REVIVE, (now, _encode(action_ids).decode()))

    def counts(self) -> tuple[int, int]:
        """Return how many letters wait, and how many are dead."""
        with self._reader_lock:
            waiting, dead = self._reader.execute("SELECT waiting, dead FROM outbox_counts").fetchone()
        return waiting, dead

    def count_of(self, people: Collection[str]) -> int:
        """Return how many letters people have, waiting or dead; it looks at every letter."""
        with self._reader_lock:
            n_letters: int = self._reader.execute(_COUNT_OF, (_encode(sorted(people)).decode(),)).fetchone()[
                0
            ]
        return n_letters

    def close(self) -> None:
        """Release its reader; the store releases the rest."""
        with self._reader_lock:
            self._reader.close()

    def _write(self, statement: str, parameters: tuple[object, ...]) -> int:
        """Change letters; return how many it were."""
        with self._writer_lock:
            n_letters = self._writer.execute(statement, parameters).rowcount
            self._checkpointer.committed(n_letters * LETTER_BYTES, n_pages=WRITE_PAGES)
        return n_letters

    def _letters(self, query: str, parameters: tuple[object, ...]) -> list[Letter]:
        with self._reader_lock:
            index, bodies, errors = self._reader.execute(query, parameters).fetchone()
        letters: list[Letter] = []
        body_at = error_at = 0
        for n_body, attempts, due_at, n_error, dead_at in _decode_rows(index):
            body = bodies[body_at : body_at + n_body]
            error = errors[error_at : error_at + n_error] if n_error else b""
            letter = Letter(action=_decode_action(body), attempts=attempts, due_at=due_at, dead_at=dead_at)
            letter.last_error = error.decode("utf-8", "surrogatepass")
            letters.append(letter)
            body_at += n_body
            error_at += n_error
        return letters


def insert_actions(writer: sqlite3.Connection, actions: Sequence[Action]) -> int:
    """Add actions that are not there yet, in the caller's transaction; return how many bytes they have."""
    pieces: list[bytes] = []
    rows: list[tuple[str, str, int, int, int]] = []
    start = 1
    for action in actions:
        piece = _encode(action)
        pieces.append(piece)
        rows.append((action.id, action.sink, action.at, start, len(piece)))
        start += len(piece)
    writer.execute(_INSERT, (b"".join(pieces), _encode(rows).decode()))
    return start


def withdraw(writer: sqlite3.Connection, people: Collection[str]) -> int:
    """Take people's letters out, in the caller's transaction; return how many. It looks at every letter."""
    if not people:
        return 0
    return writer.execute(_WITHDRAW, (_encode(sorted(people)).decode(),)).rowcount


def rewrite(writer: sqlite3.Connection, is_gone: Callable[[Action], bool]) -> None:
    """Write the table anew without some letters, in the caller's transaction: its old pages become free."""
    rows = writer.execute("SELECT * FROM outbox ORDER BY id").fetchall()
    kept = [row for row in rows if not is_gone(_decode_action(row[5]))]
    statement = ""
    for line in f"{_DROP}{SCHEMA};".splitlines(keepends=True):  # a script would end the transaction
        statement += line
        if sqlite3.complete_statement(statement):
            writer.execute(statement)
            statement = ""
    writer.executemany("INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?)", kept)
    writer.execute(_COUNT)
