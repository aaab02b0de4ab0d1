"""Erasing: rows found by bytes in them, written over in place, and no trace of what was there before.

What is overwritten with as many bytes stays where it is: SQLite then changes those bytes alone, and no page
is split or joined, which would leave old copies in pages nobody looks at.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from sojourn.adapters.sqlite.database import connect, transaction
from sojourn.adapters.sqlite.groups import Groups, decode_groups
from sojourn.model.event import Entry, FailedEvent

PAGE_ROWS = 32  # looked into by one query: some MB, in which the interpreter is not held.
MAX_NEEDLES = 200  # of one query; more are looked for one query after the other.
CACHE_MB = 4
FILL = 1 << 20  # bytes of a row that fills free pages.

Table = Literal["blocks", "facts", "failed"]
_KEY = {"blocks": "first", "facts": "first", "failed": "id"}

_decode = msgspec.json.Decoder(list[Entry]).decode
_decode_failed = msgspec.msgpack.Decoder(FailedEvent).decode


class Finder:
    """Looks for bytes in the rows of a log, or of a store's facts, beside whoever writes them."""

    def __init__(self, folder: Path) -> None:
        """Open what is there."""
        self._log = connect(folder / "log.db", cache_mb=CACHE_MB)
        self._state = connect(folder / "state.db", cache_mb=CACHE_MB)

    def entries(self, needles: Sequence[bytes], *, through: int) -> Iterator[tuple[int, bytes, list[Entry]]]:
        """Yield (first position, body, entries) of blocks that have one of these; nothing for other pages.

        Blocks that begin up to `through`, in order.
        """
        for first, body in self._rows("blocks", needles, through=through):
            yield first, body, _decode(body)

    def block(self, position: int) -> tuple[int, bytes, list[Entry]]:
        """Return (first position, body, entries) of the block that has an entry."""
        query = "SELECT first, body FROM blocks WHERE first <= ? ORDER BY first DESC LIMIT 1"
        first, body = self._log.execute(query, (position,)).fetchone()
        return first, body, _decode(body)

    def commit(self, group: int) -> tuple[int, Groups]:
        """Return (first group, groups) of the commit that has a group of facts."""
        query = "SELECT first, body FROM facts WHERE first <= ? ORDER BY first DESC LIMIT 1"
        first, body = self._state.execute(query, (group,)).fetchone()
        return first, decode_groups(body)

    def groups(self, needles: Sequence[bytes], *, through: int) -> Iterator[tuple[int, bytes, Groups]]:
        """Yield (first group, body, groups) of commits whose facts have one of these."""
        for first, body in self._rows("facts", needles, through=through):
            yield first, body, decode_groups(body)

    def failed(self, needles: Sequence[bytes]) -> Iterator[tuple[int, FailedEvent]]:
        """Yield (number, failed event) of those that have one of these."""
        for number, body in self._rows("failed", needles, through=1 << 62):
            if body[:1] != b"\0":
                yield number, _decode_failed(body)

    def close(self) -> None:
        """Release the files."""
        self._log.close()
        self._state.close()

    def _rows(self, table: Table, needles: Sequence[bytes], *, through: int) -> Iterator[tuple[int, bytes]]:
        connection = self._state if table == "facts" else self._log
        key, after = _KEY[table], 0
        while True:
            found: dict[int, bytes] = {}
            last: int | None = None
            for start in range(0, len(needles), MAX_NEEDLES):
                part = needles[start : start + MAX_NEEDLES]
                rows = connection.execute(_page(table, key, len(part)), (after, through, PAGE_ROWS, *part))
                for number, body in rows.fetchall():
                    last = number
                    if body is not None:
                        found[number] = body
            yield from sorted(found.items())
            if last is None:
                return
            after = last


def _page(table: str, key: str, n_needles: int) -> str:
    """Return SQL of a page of rows: each row's number, and its body where it has a needle."""
    has = " OR ".join(f"instr(body, ?{place}) > 0" for place in range(4, 4 + n_needles)) or "0"
    return (
        f"SELECT number, CASE WHEN {has} THEN body END FROM (SELECT {key} AS number, body FROM {table} "  # noqa: S608
        f"WHERE {key} > ?1 AND {key} <= ?2 ORDER BY {key} LIMIT ?3) ORDER BY number"
    )


def padded(body: bytes, n_bytes: int) -> bytes:
    """Fill JSON up with blanks, so that it is as long as what it takes the place of."""
    return body + b" " * max(0, n_bytes - len(body))


def clear_free(connection: sqlite3.Connection) -> None:
    """Write zeros over every page that became free, with the writer's lock held."""
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    with transaction(connection):
        connection.execute("CREATE TABLE filling (zeros BLOB)")
        while n_free := connection.execute("PRAGMA freelist_count").fetchone()[0]:
            n_bytes = min(FILL, max(1, n_free - 1) * (page_bytes - 4))
            connection.execute("INSERT INTO filling VALUES (zeroblob(?))", (n_bytes,))
        connection.execute("DROP TABLE filling")


def truncate(connection: sqlite3.Connection) -> bool:
    """Move all of the WAL into its file and cut it to nothing; False where a reader is in the way."""
    connection.execute("PRAGMA busy_timeout=200")
    try:
        busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.OperationalError:
        return False
    finally:
        connection.execute("PRAGMA busy_timeout=10000")
    return busy == 0


def vacuum(connection: sqlite3.Connection) -> bool:
    """Write a whole file anew, without what was deleted; False where somebody is in the way."""
    try:
        connection.execute("VACUUM")
    except sqlite3.OperationalError:
        return False
    return truncate(connection)


def rewrite_small(connection: sqlite3.Connection, table: str) -> None:
    """Write a small table anew, in the caller's transaction: its old pages become free."""
    rows = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - a name of ours
    connection.execute(f"DELETE FROM {table}")  # noqa: S608
    if rows:
        places = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)  # noqa: S608
