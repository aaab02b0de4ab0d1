"""Moving a folder: all of its log, its outbox and its failed events, read in order beside their writers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from sojourn.adapters.sqlite.database import connect
from sojourn.model.action import Action, Letter
from sojourn.model.event import Entry, FailedEvent
from sojourn.model.ids import DIGEST_BYTES

CACHE_MB = 4
PAGE = 500

_BLOCK = "SELECT first, accepted_at, digests, body FROM blocks WHERE first > ? ORDER BY first LIMIT 1"
_LETTERS = """
SELECT id, body, attempts, due_at, last_error, dead_at FROM outbox WHERE id > ? ORDER BY id LIMIT ?
"""
_FAILED = "SELECT id, body FROM failed WHERE id > ? AND substr(body, 1, 1) <> x'00' ORDER BY id LIMIT ?"

_decode = msgspec.json.Decoder(list[Entry]).decode
_decode_action = msgspec.json.Decoder(Action).decode
_decode_failed = msgspec.msgpack.Decoder(FailedEvent).decode


class FolderReader:
    """What is in `log.db` and `state.db` of a folder that nobody works in. One thread calls it."""

    def __init__(self, folder: Path) -> None:
        """Open a folder that is there."""
        self._log = connect(folder / "log.db", cache_mb=CACHE_MB)
        self._state = connect(folder / "state.db", cache_mb=CACHE_MB)

    def blocks(self) -> Iterator[tuple[int, Sequence[bytes], Sequence[Entry]]]:
        """Yield the log: when some entries were appended (ms), the digests of their messages, the entries."""
        first = 0
        while (row := self._log.execute(_BLOCK, (first,)).fetchone()) is not None:
            first, appended_at, digests, body = row
            cuts = range(0, len(digests), DIGEST_BYTES)
            yield appended_at, [digests[cut : cut + DIGEST_BYTES] for cut in cuts], _decode(body)

    def letters(self) -> Iterator[Letter]:
        """Yield the outbox, what waits and what is dead, the oldest first."""
        number = 0
        while rows := self._state.execute(_LETTERS, (number, PAGE)).fetchall():
            for number, body, attempts, due_at, last_error, dead_at in rows:  # noqa: B007 - the last is where it goes on
                yield Letter(
                    action=_decode_action(body),
                    attempts=attempts,
                    due_at=due_at,
                    last_error=last_error.decode("utf-8", "surrogatepass"),
                    dead_at=dead_at,
                )

    def failed(self) -> Iterator[FailedEvent]:
        """Yield the events that could not be taken, the oldest first."""
        number = 0
        while rows := self._log.execute(_FAILED, (number, PAGE)).fetchall():
            for number, body in rows:  # noqa: B007
                yield _decode_failed(body)

    def counts(self) -> dict[str, int]:
        """Return how much there is of what is counted nowhere else."""
        (n_failed,) = self._log.execute("SELECT count(*) FROM failed").fetchone()
        (n_entries,) = self._log.execute("SELECT coalesce(sum(n), 0) FROM blocks").fetchone()
        (last_group,) = self._state.execute("SELECT coalesce(max(last_group), 0) FROM commits").fetchone()
        return {"entries": n_entries, "failed": n_failed, "groups": last_group}

    def close(self) -> None:
        """Release the files."""
        self._log.close()
        self._state.close()
