"""The log on SQLite: one row per block of events, and nothing acknowledged before it is on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import msgspec

from sojourn.adapters.sqlite import marks
from sojourn.adapters.sqlite.database import Checkpointer, open_database, transaction
from sojourn.adapters.sqlite.erasing import clear_free, truncate
from sojourn.adapters.sqlite.reading import CACHE_MB, SqliteLogReader
from sojourn.model.event import Entry, Event, FailedEvent
from sojourn.model.ids import message_digest
from sojourn.model.ports import Appended

VERSION = 1
SCHEMA = f"""
CREATE TABLE blocks (
    first INTEGER PRIMARY KEY,
    n INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    digests BLOB NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE failed (id INTEGER PRIMARY KEY, body BLOB NOT NULL, mark BLOB UNIQUE);
{marks.SCHEMA}
"""

DAY_MS = 86_400_000
BLOCK_EVENTS = 1_000  # A reader pays for whole blocks.
FAILED_BODY_BYTES = 32_768  # The largest event a Segment client sends.
APPEND_PAGES = 1  # measured: an append of one event puts 16.9 kB into the WAL.
PAGE_BYTES = 16_384  # Blocks are large: appending measured 15 % faster, and reading 40 %, than with 4,096.

_encode = msgspec.json.Encoder().encode
_encode_failed = msgspec.msgpack.Encoder().encode


class SqliteLog:
    """A log in `log.db` and `marks/` of a data folder, for one process; any thread may call it."""

    def __init__(
        self,
        folder: Path,
        *,
        window_ms: int = 30 * DAY_MS,
        floor: int = 0,
        max_open_marks: int = marks.MAX_OPEN,
    ) -> None:
        """Open or make the log.

        `floor` is the clock of the store's last commit, ms: a sealed clock is not written down, but timers it
        let fire are, and no entry may be stamped before them.
        """
        path = folder / "log.db"
        self._lock = Lock()
        self._writer = open_database(path, SCHEMA, version=VERSION, cache_mb=CACHE_MB, page_bytes=PAGE_BYTES)
        self._reader = SqliteLogReader(folder)
        self._checkpointer = Checkpointer(path, self._writer, page_bytes=PAGE_BYTES)
        row = self._writer.execute(
            "SELECT first + n - 1, last_at FROM blocks ORDER BY first DESC LIMIT 1"
        ).fetchone()
        self._position: int = row[0] if row else 0
        self._clock = max(row[1] if row else 0, floor)
        self._marks = marks.Marks(
            folder / "marks", self._writer, window_ms=window_ms, max_open=max_open_marks
        )

    def append(
        self,
        events: Sequence[Event],
        *,
        now: int,
        failed: Sequence[FailedEvent] = (),
        play: bool = False,
        shadow: bool = False,
    ) -> Appended:
        """Add events atomically; return once they are on disk. See the port."""
        digests = [
            message_digest(event.source, event.message_id) for event in events
        ]  # 1 us each, outside the lock
        with self._lock:
            duplicates = self._marks.find(digests, now=now)
            if duplicates:
                gone = set(duplicates)
                events = [event for index, event in enumerate(events) if index not in gone]
                digests = [mark for index, mark in enumerate(digests) if index not in gone]
            entries = _stamp(events, self._position, self._clock, now=None if play else now, shadow=shadow)
            if entries or failed:
                self._write(entries, digests, failed, now)
            if entries:
                self._position, self._clock = entries[-1].position, entries[-1].at
                self._marks.add(digests, now=now, last=self._position)
        return Appended(entries, duplicates)

    def read(self, after: int, limit: int) -> list[Entry]:
        """Return the entries of all blocks that begin in the next `limit` positions, in order.

        Their `properties`, `traits`, ... are views of one buffer: keep copies where few are kept for long.
        """
        return self._reader.read(after, limit)

    def end(self) -> int:
        """Return the last position."""
        return self._position

    def seal(self, now: int) -> tuple[int, int]:
        """Move the clock up to `now`; return (clock, last position)."""
        with self._lock:
            self._clock = max(self._clock, now)
            return self._clock, self._position

    def failed(self, *, limit: int = 100, before: int | None = None) -> list[FailedEvent]:
        """Return failed events, newest first; `before` an id, to page."""
        return self._reader.failed(limit=limit, before=before)

    def mark_retried(self, ids: Sequence[int], *, at: int) -> None:
        """Note durably that failed events were tried again and taken."""
        with self._lock, transaction(self._writer):
            for number in ids:
                found = self._reader.failed(limit=1, before=number + 1)
                if found and found[0].id == number:
                    body = _encode_failed(msgspec.structs.replace(found[0], id=None, retried_at=at))
                    self._writer.execute("UPDATE failed SET body = ? WHERE id = ?", (body, number))

    def overwrite(self, first: int, body: bytes) -> None:
        """Write a block's entries over, as long as they were where that can be; return once it is on disk."""
        with self._lock:
            self._writer.execute("UPDATE blocks SET body = ? WHERE first = ?", (body, first))
            self._checkpointer.committed(len(body), n_pages=APPEND_PAGES)

    def erase_failed(self, ids: Sequence[int]) -> None:
        """Write zeros over failed events: they stay refused as duplicates, and nobody is shown them."""
        with self._lock, transaction(self._writer):
            self._writer.executemany(
                "UPDATE failed SET body = zeroblob(length(body)) WHERE id = ?", [(each,) for each in ids]
            )

    def clean(self) -> bool:
        """Leave no trace of what was overwritten; False where a reader is in the way: ask again."""
        with self._lock:
            clear_free(self._writer)
            return truncate(self._writer)

    @property
    def n_marks(self) -> int:
        """How many duplicate marks are held."""
        return self._marks.n_marks

    def close(self) -> None:
        """Release everything; the log can be opened again."""
        with self._lock:
            self._marks.close()
            self._checkpointer.close()
            self._reader.close()
            self._writer.close()

    def _write(
        self, entries: list[Entry], digests: list[bytes], failed: Sequence[FailedEvent], now: int
    ) -> None:
        blocks = [
            _block(entries[start : start + BLOCK_EVENTS], digests[start : start + BLOCK_EVENTS], now)
            for start in range(0, len(entries), BLOCK_EVENTS)
        ]
        refused = [(_encode_failed(_bounded(event)), event.mark) for event in failed]
        insert = "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?)"
        if len(blocks) == 1 and not refused:
            # Its own transaction: the interpreter's lock is given up once, not three times.
            self._writer.execute(insert, blocks[0])
        else:
            with transaction(self._writer):
                self._writer.executemany(insert, blocks)
                self._writer.executemany("INSERT OR IGNORE INTO failed (body, mark) VALUES (?, ?)", refused)
        self._checkpointer.committed(
            sum(len(block[-1]) for block in blocks) + sum(len(body) for body, _ in refused),
            n_pages=APPEND_PAGES,
        )


def _stamp(
    events: Sequence[Event], position: int, clock: int, *, now: int | None, shadow: bool
) -> list[Entry]:
    """Give events their place and instant; without `now` they live by their own."""
    entries: list[Entry] = []
    for place, event in enumerate(events, start=position + 1):
        moment = event.occurred_at if now is None else now
        is_history = now is None and moment < clock
        clock = max(clock, moment)
        entries.append(Entry(position=place, at=clock, event=event, is_history=is_history, is_shadow=shadow))
    return entries


def _block(entries: list[Entry], digests: list[bytes], now: int) -> tuple[int, int, int, int, bytes, bytes]:
    first, last = entries[0], entries[-1]
    return first.position, len(entries), now, last.at, b"".join(digests), _encode(entries)


def _bounded(event: FailedEvent) -> FailedEvent:
    if len(event.body) <= FAILED_BODY_BYTES:
        return event
    return msgspec.structs.replace(event, body=event.body[:FAILED_BODY_BYTES])
