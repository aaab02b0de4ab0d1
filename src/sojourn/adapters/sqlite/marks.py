"""Duplicate marks: which messages the log has had in the last weeks, exactly, and cheaply.

A random-key index in a database is the slow part of a log, so there is none. New marks are in a dict, made
again from the log's blocks at a start. A full dict becomes a sorted file; files of like size are merged, so
that they stay few; what is older than the window falls out on the way. Files are written on a thread of their
own, and count once they are recorded: a crash between the two loses nothing, because the blocks have every
digest.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from threading import Thread

import numpy as np
from msgspec import Struct

from sojourn.adapters.sqlite.database import transaction
from sojourn.adapters.sqlite.segment import Segment, halves, merge_segments, write_segment
from sojourn.model.ids import DIGEST_BYTES

SCHEMA = """
CREATE TABLE segments (last INTEGER PRIMARY KEY, newest_at INTEGER NOT NULL, name TEXT NOT NULL)
"""

MAX_OPEN = 1 << 17  # Marks in the dict: about 17 MB; a file then takes some 50 ms to write.
MAX_WAITING = 4  # Dictfuls. Where the disk cannot keep up, appends then wait for the file under way.
SLACK_MS = 86_400_000  # A day: a wall clock set back finds the marks it expects.


class Record(Struct, frozen=True):
    """A segment as the database knows it: all marks up to a position, since the segment before it."""

    last: int
    newest_at: int
    name: str


class Marks:
    """The marks of one log. Not safe for threads: the log's lock is held around every call."""

    def __init__(
        self, folder: Path, connection: sqlite3.Connection, *, window_ms: int, max_open: int = MAX_OPEN
    ) -> None:
        """Open the segments recorded in the database, and gather the younger marks from its blocks."""
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._connection = connection
        self._window_ms = window_ms
        self._max_open = max_open
        self._open: dict[bytes, int] = {}
        self._retiring: dict[bytes, int] = {}
        self._records: list[Record] = []
        self._segments: dict[str, Segment] = {}
        self._last = 0
        self._job: _Job | None = None
        self._restore()

    @property
    def n_marks(self) -> int:
        """How many marks are held, those that are too old but not dropped yet included."""
        n_filed = sum(segment.n_marks for segment in self._segments.values())
        return len(self._open) + len(self._retiring) + n_filed

    def find(self, digests: Sequence[bytes], *, now: int) -> list[int]:
        """Return the indexes of digests that are marked, or come for the second time in this batch."""
        after = now - self._window_ms
        marked: list[int] = []
        asked: list[int] = []
        seen: set[bytes] = set()
        for index, mark in enumerate(digests):
            at = self._open.get(mark)
            if at is None:
                at = self._retiring.get(mark)
            if mark in seen or (at is not None and at > after):
                marked.append(index)
                continue
            seen.add(mark)
            if at is None:
                asked.append(index)
        filed = self._find_filed([digests[index] for index in asked], after)
        return sorted(marked + [asked[index] for index in filed]) if filed else marked

    def add(self, digests: Sequence[bytes], *, now: int, last: int) -> None:
        """Mark digests that were appended just now; `last` is the log's last position."""
        self._open.update(dict.fromkeys(digests, now))
        self._last = last
        if self._job is not None and (
            not self._job.is_alive() or len(self._open) > MAX_WAITING * self._max_open
        ):
            self._adopt()
        if self._job is None and len(self._open) >= self._max_open:
            self._retire(after=now - self._window_ms - SLACK_MS)

    def close(self) -> None:
        """Wait for the file under way, and record it."""
        if self._job is not None:
            self._adopt()

    def _find_filed(self, digests: Sequence[bytes], after: int) -> list[int]:
        segments = [
            self._segments[one.name]
            for one in self._records
            if one.newest_at > after and one.name in self._segments
        ]
        if not segments or not digests:
            return []
        first, second = halves(b"".join(digests))
        order = np.argsort(first)
        first, second = first[order], second[order]
        found = np.zeros(len(order), dtype=np.bool_)
        for segment in segments:
            found |= segment.find(first, second, after=after)
        indexes: list[int] = order[found].tolist()
        return indexes

    def _retire(self, *, after: int) -> None:
        self._retiring, self._open = self._open, {}
        held = [(record, self._segments.get(record.name)) for record in self._records]
        self._job = _Job(self._folder, self._retiring, held, last=self._last, after=after)
        self._job.start()

    def _adopt(self) -> None:
        """Record the finished file, and let go of what it replaces."""
        assert self._job is not None
        job, self._job = self._job, None
        job.join()
        try:
            if job.error is not None:
                raise job.error
            self._record(job)
        except BaseException:
            # The next file says it has all marks since the one before: these must go with it.
            self._open = self._retiring | self._open
            self._retiring = {}
            raise
        self._retiring = {}
        for record in job.replaced:
            self._segments.pop(record.name, None)
            (self._folder / record.name).unlink(missing_ok=True)

    def _record(self, job: _Job) -> None:
        made = {record.name: Segment(self._folder / record.name) for record in job.made}
        rows = [(record.last, record.newest_at, record.name) for record in job.made]
        with transaction(self._connection):
            self._connection.executemany(
                "DELETE FROM segments WHERE last = ?", [(old.last,) for old in job.replaced]
            )
            self._connection.executemany("INSERT INTO segments VALUES (?, ?, ?)", rows)
        self._segments.update(made)
        self._records = [record for record in self._records if record not in job.replaced] + job.made

    def _restore(self) -> None:
        rows = self._connection.execute("SELECT last, newest_at, name FROM segments ORDER BY last").fetchall()
        self._records = [Record(*row) for row in rows]
        before = 0
        for record in self._records:
            try:
                self._segments[record.name] = Segment(self._folder / record.name)
            except (OSError, ValueError):
                # The file is gone; its marks are in the blocks, and the next file written takes its place.
                self._gather(before, record.last)
            before = record.last
        self._gather(before, 1 << 62)
        for path in self._folder.iterdir():
            if path.name not in self._segments:
                path.unlink()

    def _gather(self, after: int, last: int) -> None:
        """Mark what the blocks hold above a position up to another; segments end where blocks end."""
        blocks = self._connection.execute(
            "SELECT first + n - 1, accepted_at, digests FROM blocks "
            "WHERE first > ? AND first <= ? ORDER BY first",
            (after, last),
        )
        for end, accepted_at, digests in blocks:
            cuts = range(0, len(digests), DIGEST_BYTES)
            self._open.update(dict.fromkeys([digests[cut : cut + DIGEST_BYTES] for cut in cuts], accepted_at))
            self._last = end


class _Job(Thread):
    """Writes one segment, and merges those of like size into it."""

    def __init__(
        self,
        folder: Path,
        marks: dict[bytes, int],
        held: Sequence[tuple[Record, Segment | None]],
        *,
        last: int,
        after: int,
    ) -> None:
        super().__init__(name="marks", daemon=True)
        self.made: list[Record] = []
        self.replaced: list[Record] = []
        self.error: Exception | None = None
        self._folder = folder
        self._marks = marks
        self._held = held
        self._last = last
        self._after = after

    def run(self) -> None:
        """Work; what came of it is in `made` and `replaced`, or in `error`."""
        try:
            self._write()
        except Exception as error:  # Raised again by the next append, on its own thread.
            self.error = error

    def _write(self) -> None:
        unmerged = self._folder / f"{self._last}-{len(self._marks)}.marks"
        first, second = halves(b"".join(self._marks))
        at = np.fromiter(self._marks.values(), dtype=np.uint64, count=len(self._marks))
        write_segment(unmerged, (first, second, at))
        newest_at = max(self._marks.values())
        young = Segment(unmerged)
        merged, n_marks = [young], young.n_marks
        is_merging = True
        for record, segment in reversed(self._held):
            # Up to twice as large: sizes are then about powers of two, and their number a logarithm.
            is_merging = is_merging and (segment is None or segment.n_marks <= 2 * n_marks)
            if segment is None or record.newest_at <= self._after:
                self.replaced.append(record)
            elif is_merging:
                self.replaced.append(record)
                merged.append(segment)
                n_marks += segment.n_marks
                newest_at = max(newest_at, record.newest_at)
        name = unmerged.name
        if len(merged) > 1:
            name = f"{self._last}-{n_marks}.merged.marks"
            merge_segments(self._folder / name, merged, after=self._after)
            unmerged.unlink()
        self.made = [Record(self._last, newest_at, name)]
