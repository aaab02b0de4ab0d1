"""Databases: how each SQLite file is opened, kept durable, and kept from growing.

Many rows go in or out in one statement: the `sqlite3` module gives up the interpreter's lock at every row,
and beside a busy thread each row then waits up to 5 ms to get it back (measured: 4,400 us a row instead of
5). So rows travel as one JSON array of numbers and one blob of bytes that the numbers point into.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from sojourn.model.errors import ConfigError

BUSY_TIMEOUT_MS = 10_000  # Only a person with the sqlite3 shell can be in the way.
PAGE_BYTES = 4_096  # Measured with 1M states: 1,024 and 2,048 were slower, and Linux writes pages of 4,096.
CHECKPOINT_BYTES = 16 << 20  # The WAL grows to about this before its pages move into the file.


def open_database(
    path: Path, schema: str, *, version: int, cache_mb: int, page_bytes: int = PAGE_BYTES
) -> sqlite3.Connection:
    """Open a file for writing, making it with `schema` where it is new.

    Nothing is committed before it is on disk (`synchronous=FULL`). Raises ConfigError where the file was
    made by a newer release, or is not a database.
    """
    try:
        connection = connect(path, cache_mb=cache_mb)
        connection.execute(f"PRAGMA page_size={page_bytes}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        # What is deleted is overwritten with zeros: who is forgotten must leave no trace. FAST would leave
        # pages that become free as they are, and what takes their place seldom fills them.
        connection.execute("PRAGMA secure_delete=ON")
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found == 0:
            connection.executescript(f"BEGIN;{schema};PRAGMA user_version={version};COMMIT;")
    except sqlite3.Error as error:
        raise ConfigError(
            f"{path}: cannot be opened ({error}); is it ours, and can we write it? [data-file]"
        ) from error
    if found > version:
        connection.close()
        raise ConfigError(
            f"{path}: was written by a newer Sojourn (file version {found}, this one reads {version}); "
            "use that release, or another data folder [data-file-newer]"
        )
    return connection


def connect(path: Path, *, cache_mb: int) -> sqlite3.Connection:
    """Open one more connection to a file; statements are their own transactions unless one is begun."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute(f"PRAGMA cache_size={-1024 * cache_mb}")
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Make what is done inside one commit, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Let all that is read inside be of one instant."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.rollback()


class Checkpointer:
    """Moves a WAL's pages into its file without holding up commits.

    The bulk moves on a thread of its own; then what little came meanwhile moves at once, so that the WAL
    starts over and does not grow. Call it with the writer's lock held.
    """

    def __init__(self, path: Path, writer: sqlite3.Connection, *, page_bytes: int = PAGE_BYTES) -> None:
        self._path = path
        self._writer = writer
        self._page_bytes = page_bytes
        # A life cut short leaves its WAL behind; many short ones must not add up.
        wal = path.with_name(path.name + "-wal")
        self._n_bytes = wal.stat().st_size if wal.exists() else 0
        self._thread: Thread | None = None

    def committed(self, n_bytes: int, *, n_pages: int) -> None:
        """Note that a transaction with so many new bytes, changing so many pages, went into the WAL."""
        self._n_bytes += n_bytes + n_pages * self._page_bytes
        if self._thread is not None and not self._thread.is_alive():
            self._thread = None
            self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        elif self._thread is None and self._n_bytes >= CHECKPOINT_BYTES:
            self._n_bytes = 0
            self._thread = Thread(target=self._move, name="checkpoint", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Wait for what is under way."""
        if self._thread is not None:
            self._thread.join()

    def _move(self) -> None:
        connection = connect(self._path, cache_mb=1)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        connection.close()
