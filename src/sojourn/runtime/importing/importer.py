"""Importing: a file's rows, read, put in time order, and appended to the log in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

from sojourn.model.event import Event, FailedEvent
from sojourn.model.ports import Appended
from sojourn.runtime.importing.ordering import Item, in_time_order
from sojourn.runtime.importing.reader import Reading, Row

BATCH_ROWS = 2_000
"""Appended in one commit, and run through the engine in one; 1,000 and 4,000 measured the same."""

TELL_ROWS = 500
"""How many rows go by between two steps told."""


class Imported(Struct, frozen=True):
    """What came of an import, row by row."""

    accepted: int = 0
    duplicate: int = 0
    failed: int = 0


class Step(Struct, frozen=True):
    """How far an import is."""

    phase: Literal["reading", "appending"]
    done: int
    total: int
    unit: Literal["bytes", "rows"]


class Append(Protocol):
    """Appends to the log, durably once it returns; the engine takes it up in its own time."""

    def __call__(self, events: Sequence[Event], failed: Sequence[FailedEvent], /) -> Appended: ...


Tell = Callable[[Step], None]


def import_file(reading: Reading, *, append: Append, tell: Tell, scratch: Path | None = None) -> Imported:
    """Import a file, whole: nothing is appended before its last row is read.

    Killed at any moment and started again, it ends as if it had run once: rows are named after their content,
    batches are atomic, and time order makes what was appended a prefix of what comes now.

    Raises:
        ConfigError: The columns and the column map do not fit, or there is no room for temporary files.
        InputError: The file as a whole cannot be read.
    """
    counted = _Counted(reading, tell)
    accepted = duplicate = failed = 0
    for batch in _batches(in_time_order(counted, scratch=scratch)):
        events = [item for item in batch if isinstance(item, Event)]
        refused = [item for item in batch if isinstance(item, FailedEvent)]
        appended = append(events, refused)
        accepted += len(appended.entries)
        duplicate += len(appended.duplicates)
        failed += len(refused)
        tell(Step("appending", accepted + duplicate + failed, counted.n_rows, "rows"))
    return Imported(accepted, duplicate, failed)


class _Counted:
    """Rows on their way, telling how far the reading is."""

    def __init__(self, reading: Reading, tell: Tell) -> None:
        self._reading = reading
        self._tell = tell
        self.n_rows = 0

    def __iter__(self) -> Iterator[Row]:
        reading = self._reading
        for row in reading:
            self.n_rows += 1
            if self.n_rows % TELL_ROWS == 0:
                self._tell(Step("reading", reading.done, reading.total, reading.unit))
            yield row
        self._tell(Step("reading", reading.total, reading.total, reading.unit))


def _batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch
