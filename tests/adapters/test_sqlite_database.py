"""Database files: a transaction that cannot end leaves nothing, and a WAL does not grow without bound."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from sojourn.adapters.sqlite import SqliteLog, SqliteStore, database
from sojourn.adapters.sqlite.database import connect, transaction
from sojourn.model.action import Letter
from sojourn.model.event import Event
from sojourn.model.ports import Commit, Write
from tests.runtime.outboxes import action

BOUND_BYTES = 256 << 10
N_WRITES = 600
WITH_CHILD = """
CREATE TABLE parent (id INTEGER PRIMARY KEY);
CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)
"""


def test_a_transaction_that_cannot_be_committed_leaves_none_open(tmp_path: Path) -> None:
    """What is written next would be in it: acknowledged, and gone with the connection."""
    connection = connect(tmp_path / "one.db", cache_mb=1)
    connection.executescript(WITH_CHILD)
    connection.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(sqlite3.IntegrityError), transaction(connection):
        connection.execute("INSERT INTO child VALUES (1)")
    assert not connection.in_transaction
    assert connection.execute("SELECT count(*) FROM child").fetchone() == (0,)
    connection.close()


def append_one_by_one(folder: Path) -> Path:
    """Append events as they come where little comes: each by itself."""
    log = SqliteLog(folder)
    for number in range(N_WRITES):
        event = Event(
            source="web", message_id=str(number), kind="track", name="Seen", occurred_at=0, received_at=0
        )
        log.append([event], now=number)
    return folder / "log.db-wal"


def commit_one_by_one(folder: Path) -> Path:
    """Store one person at a time."""
    store = SqliteStore(folder)
    for number in range(N_WRITES):
        store.commit(Commit(number, number, [Write(("profile", "u:1"), b"state", None, b"")], []))
    return folder / "state.db-wal"


def postpone_one_by_one(folder: Path) -> Path:
    """Try one action again and again, while no event comes."""
    store = SqliteStore(folder)
    store.commit(Commit(1, 1, [], [action()]))
    for attempts in range(N_WRITES):
        store.outbox.postpone([Letter(action=action(), attempts=attempts, due_at=attempts)])
    return folder / "state.db-wal"


def keep_one_by_one(folder: Path) -> Path:
    """Keep a document again and again."""
    store = SqliteStore(folder)
    for number in range(2 * N_WRITES):
        store.keep("notes", str(number).encode())
    return folder / "state.db-wal"


@pytest.mark.parametrize(
    "write", [append_one_by_one, commit_one_by_one, postpone_one_by_one, keep_one_by_one]
)
def test_a_wal_does_not_grow_with_small_writes(
    disk_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], Path]
) -> None:
    """A database writes whole pages: events that come one by one fill a WAL fifty times as fast."""
    monkeypatch.setattr(database, "CHECKPOINT_BYTES", BOUND_BYTES)
    assert write(disk_path).stat().st_size < 6 * BOUND_BYTES
