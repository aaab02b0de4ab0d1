"""A folder that is made of what a cluster had: entries and facts are put down as they come, then in order.

Until it is finished it has another name, so that nobody takes a part of it for the whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from sojourn.adapters.sqlite.database import connect, open_database, transaction
from sojourn.adapters.sqlite.log import BLOCK_EVENTS, PAGE_BYTES, SCHEMA, VERSION
from sojourn.adapters.sqlite.store import SqliteStore
from sojourn.model.event import Entry, FailedEvent, is_erased
from sojourn.model.fact import Fact
from sojourn.model.ids import message_digest

UNFINISHED = ".unfinished"
CACHE_MB = 64
PAGE = 2_000

_STAGING = """
CREATE TABLE entries (at INTEGER, position INTEGER, digest BLOB, body BLOB);
CREATE TABLE facts (at INTEGER, position INTEGER, number INTEGER PRIMARY KEY, body BLOB);
CREATE TABLE marks (digest BLOB PRIMARY KEY);
CREATE TABLE seen (digest BLOB PRIMARY KEY, at INTEGER) WITHOUT ROWID;
CREATE TABLE places (old INTEGER PRIMARY KEY, new INTEGER)
"""

_encode = msgspec.json.Encoder().encode
_decode_entry = msgspec.json.Decoder(Entry).decode
_decode_fact = msgspec.json.Decoder(Fact).decode
_encode_failed = msgspec.msgpack.Encoder().encode


class FolderMaker:
    """Makes one folder. One thread calls it."""

    def __init__(self, data: Path, *, window_ms: int) -> None:
        """Begin, from nothing; what an earlier try left is removed."""
        self._data = data
        self._window_ms = window_ms
        self.folder = data.with_name(data.name + UNFINISHED)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self._staging = connect(self.folder / "staging.db", cache_mb=CACHE_MB)
        self._staging.executescript(f"PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF; {_STAGING}")
        self._log = open_database(
            self.folder / "log.db", SCHEMA, version=VERSION, cache_mb=CACHE_MB, page_bytes=PAGE_BYTES
        )
        self.store = SqliteStore(self.folder)

    # -- What comes, in any order but for one: a shard's entries as they lie.

    def is_new(self, entry: Entry, *, shard: int, at: int) -> bool:
        """Take note of a message of a shard, at an instant (ms); False where it was there in the window."""
        digest = message_digest(entry.event.source, entry.event.message_id) + shard.to_bytes(2, "big")
        row = self._staging.execute("SELECT at FROM seen WHERE digest = ?", (digest,)).fetchone()
        if row is not None and row[0] > at - self._window_ms:
            return False
        self._staging.execute("INSERT OR REPLACE INTO seen VALUES (?, ?)", (digest, at))
        return True

    def put_entries(self, entries: Sequence[tuple[Entry, bytes]]) -> None:
        """Put entries down, each with the digest of the message it was."""
        rows = [(one.at, one.position, digest, _encode(one)) for one, digest in entries]
        with transaction(self._staging):
            self._staging.executemany("INSERT INTO entries VALUES (?, ?, ?, ?)", rows)

    def put_marks(self, digests: Sequence[bytes]) -> None:
        """Keep the digests of messages of which nothing else is left."""
        with transaction(self._staging):
            self._staging.executemany("INSERT OR IGNORE INTO marks VALUES (?)", [(one,) for one in digests])

    def put_facts(self, facts: Sequence[Fact]) -> None:
        """Put facts down."""
        rows = [(one.at, one.position, _encode(one)) for one in facts]
        with transaction(self._staging):
            self._staging.executemany("INSERT INTO facts (at, position, body) VALUES (?, ?, ?)", rows)

    def put_failed(self, failed: Sequence[FailedEvent]) -> None:
        """Keep events that could not be taken."""
        rows = [(_encode_failed(msgspec.structs.replace(one, id=None)), one.mark) for one in failed]
        with transaction(self._log):
            self._log.executemany("INSERT OR IGNORE INTO failed (body, mark) VALUES (?, ?)", rows)

    # -- What is made of it.

    def number(self, *, left: tuple[int, int]) -> tuple[int, int]:
        """Write the log, numbered from 1 by (at, position); return its end, and where what is done ends."""
        query = "SELECT at, position, digest, body FROM entries ORDER BY at, position"
        cursor, n_all, n_done = self._staging.execute(query), 0, 0
        orphans = self._orphans()
        while rows := cursor.fetchmany(BLOCK_EVENTS):
            entries = []
            places = []
            for number, (at, position, _, body) in enumerate(rows, n_all + 1):
                entries.append(msgspec.structs.replace(_decode_entry(body), position=number))
                places.append((position, number))
                n_done += (at, position) <= left
            accepted_at = max(one.event.received_at for one in entries)
            digests = b"".join(
                orphans.pop() if orphans and is_erased(entry.event) else row[2]
                for entry, row in zip(entries, rows, strict=True)
            )
            block = (n_all + 1, len(rows), accepted_at, entries[-1].at, digests, _encode(entries))
            with transaction(self._log):
                self._log.execute("INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?)", block)
            with transaction(self._staging):
                self._staging.executemany("INSERT OR REPLACE INTO places VALUES (?, ?)", places)
            n_all += len(rows)
        return n_all, n_done

    def _orphans(self) -> list[bytes]:
        """Return marks that are no entry's: one that was erased has room for one, whichever it was."""
        query = "SELECT digest FROM marks WHERE digest NOT IN (SELECT digest FROM entries)"
        return [digest for (digest,) in self._staging.execute(query)]

    def facts(self) -> Iterator[list[Fact]]:
        """Yield the facts in the order of the log, with its new positions; 0 where an entry is not there."""
        query = (
            "SELECT coalesce(places.new, 0), body FROM facts LEFT JOIN places ON places.old = facts.position "
            "ORDER BY facts.at, coalesce(places.new, 0), number"
        )
        cursor = self._staging.execute(query)
        while rows := cursor.fetchmany(PAGE):
            yield [msgspec.structs.replace(_decode_fact(body), position=position) for position, body in rows]

    def finish(self) -> None:
        """Give the folder its name."""
        self.close()
        (self.folder / "staging.db").unlink()
        if self._data.exists():
            self._data.rmdir()  # an empty one
        self.folder.rename(self._data)

    def close(self) -> None:
        """Release the files."""
        self._staging.close()
        self._log.close()
        self.store.close()
