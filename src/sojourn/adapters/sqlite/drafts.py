"""Drafts: what authors are writing, kept beside the data until it is published or dropped."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from sojourn.adapters.sqlite.database import open_database, transaction
from sojourn.model.authored import DraftView
from sojourn.model.errors import InputError

FILE = "drafts.db"
VERSION = 1
CACHE_MB = 1
MAX_DRAFTS = 1_000  # at once: some for each file of a large product.
SCHEMA = """
CREATE TABLE drafts (
    file TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    etag TEXT NOT NULL,
    base_etag TEXT,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL
) WITHOUT ROWID;
"""

_ALL = "SELECT file, text, etag, base_etag, updated_at, updated_by FROM drafts"


class SqliteDrafts:
    """The drafts of one data folder, for one process. Any thread may call it."""

    def __init__(self, folder: Path) -> None:
        self._lock = Lock()
        self._connection = open_database(folder / FILE, SCHEMA, version=VERSION, cache_mb=CACHE_MB)
        self._connection.execute("PRAGMA wal_autocheckpoint=100")

    def all(self) -> list[DraftView]:
        """Return all of them, by the names of their files."""
        with self._lock:
            rows = self._connection.execute(_ALL + " ORDER BY file").fetchall()
        return [_view(row) for row in rows]

    def find(self, file: str) -> DraftView | None:
        """Return the draft over a file."""
        with self._lock:
            return self._find(file)

    def put(self, draft: DraftView, *, before: str | None) -> bool:
        """Keep a draft in the place of the one with the etag `before` (None: of none), durably.

        Returns False, and keeps nothing, where another one is there. Raises InputError where there are too
        many.
        """
        with self._lock, transaction(self._connection):
            found = self._find(draft.file)
            if (found.etag if found else None) != before:
                return False
            if found is None and self._count() >= MAX_DRAFTS:
                reason = f"there are {MAX_DRAFTS:,} drafts already; publish some, or drop them"
                raise InputError("too-many-drafts", reason, status=422)
            self._connection.execute(
                "INSERT OR REPLACE INTO drafts VALUES (?, ?, ?, ?, ?, ?)",
                (draft.file, draft.text, draft.etag, draft.base_etag, draft.updated_at, draft.updated_by),
            )
        return True

    def drop(self, file: str, *, etag: str | None) -> bool:
        """Let the draft over a file go, where it has this etag (None: whichever); return whether it went."""
        with self._lock, transaction(self._connection):
            query = "DELETE FROM drafts WHERE file = ? AND (? IS NULL OR etag = ?)"
            return self._connection.execute(query, (file, etag, etag)).rowcount > 0

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()

    def _find(self, file: str) -> DraftView | None:
        row = self._connection.execute(_ALL + " WHERE file = ?", (file,)).fetchone()
        return _view(row) if row else None

    def _count(self) -> int:
        n: int = self._connection.execute("SELECT count(*) FROM drafts").fetchone()[0]
        return n


def _view(row: tuple[str, str, str, str | None, int, str]) -> DraftView:
    file, text, etag, base_etag, updated_at, updated_by = row
    return DraftView(
        file=file, text=text, etag=etag, base_etag=base_etag, updated_at=updated_at, updated_by=updated_by
    )
