"""Reading the log: its blocks and its failed events, in the process that writes them or beside it."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

import msgspec

from sojourn.adapters.sqlite.database import connect
from sojourn.model.event import Entry, FailedEvent

CACHE_MB = 4  # The log is written once and read in order.

_READ = """
SELECT CAST(group_concat(body, ',') AS BLOB)
FROM (
    SELECT body FROM blocks
    WHERE first >= coalesce((SELECT max(first) FROM blocks WHERE first <= ?1), 1) AND first <= ?2
    ORDER BY first LIMIT -1
)
"""
_END = "SELECT coalesce((SELECT first + n - 1 FROM blocks ORDER BY first DESC LIMIT 1), 0)"
_FAILED = "SELECT id, body FROM failed WHERE id < ? AND substr(body, 1, 1) <> x'00' ORDER BY id DESC LIMIT ?"
"""Those that were erased are zeros."""

_decode = msgspec.json.Decoder(list[list[Entry]]).decode
_decode_failed = msgspec.msgpack.Decoder(FailedEvent).decode


class SqliteLogReader:
    """What `log.db` of a data folder holds. It takes no lock, writes nothing, and any thread may call it."""

    def __init__(self, folder: Path) -> None:
        """Open a log that is there."""
        self._lock = Lock()
        self._connection = connect(folder / "log.db", cache_mb=CACHE_MB)

    def read(self, after: int, limit: int) -> list[Entry]:
        """Return the entries of all blocks that begin in the next `limit` positions, in order.

        Their `properties`, `traits`, ... are views of one buffer: keep copies where few are kept for long.
        """
        with self._lock:
            (bodies,) = self._connection.execute(_READ, (after + 1, after + limit)).fetchone()
        if bodies is None:
            return []
        blocks = _decode(b"[" + bodies + b"]")
        entries = [entry for block in blocks for entry in block]
        entries = entries[max(after + 1 - entries[0].position, 0) :]
        assert not entries or entries[-1].position - entries[0].position == len(entries) - 1, (
            "blocks out of order"
        )
        return entries

    def end(self) -> int:
        """Return the last position; 0 where nothing was appended."""
        with self._lock:
            end: int = self._connection.execute(_END).fetchone()[0]
            return end

    def failed(self, *, limit: int = 100, before: int | None = None) -> list[FailedEvent]:
        """Return failed events, newest first; `before` an id, to page."""
        with self._lock:
            rows = self._connection.execute(
                _FAILED, (1 << 62 if before is None else before, limit)
            ).fetchall()
        return [msgspec.structs.replace(_decode_failed(body), id=number) for number, body in rows]

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()
