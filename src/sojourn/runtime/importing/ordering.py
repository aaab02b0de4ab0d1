"""Ordering: rows by the instant they happened, in bounded memory.

The log's clock never goes back and journeys live by it, so history is appended in time order. Rows are sorted
in runs; where there is more than one, they wait in unnamed temporary files and are merged. A killed import
leaves none behind.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from heapq import merge
from operator import itemgetter
from pathlib import Path
from typing import IO

import msgspec

from sojourn.model.errors import ConfigError
from sojourn.model.event import Event, FailedEvent
from sojourn.runtime.importing.reader import Row

Item = Event | FailedEvent

RUN_ROWS = 100_000  # About 100 MB of Python objects.
RUN_BYTES = 67_108_864  # 64 MiB of rows' own bytes: a file of huge rows makes shorter runs.
FAN_IN = 32  # Runs merged at once, and so the files open on each level: a process may open 1,024.

BEFORE_ALL = -1
"""Where failed rows stand: an import speaks of them first."""

_Keyed = tuple[int, int, Event | None, FailedEvent | None]

_by_time = itemgetter(0, 1)


def in_time_order(
    rows: Iterable[Row], *, run_rows: int = RUN_ROWS, run_bytes: int = RUN_BYTES, scratch: Path | None = None
) -> Iterator[Item]:
    """Yield failed rows, then events by (occurred_at, number in the file), once `rows` has ended.

    Args:
        rows: Any number of rows, in the order of their numbers.
        run_rows: How many are kept in memory at most.
        run_bytes: How many bytes of rows are kept in memory, about, at most.
        scratch: The folder of temporary files; None: the system's.

    Raises:
        ConfigError: There is no room for temporary files.
    """
    with ExitStack() as stack:
        runs = _Runs(scratch, stack)
        run: list[_Keyed] = []
        weight = 0
        for row in rows:
            run.append(_keyed(row))
            weight += row.weight
            if len(run) >= run_rows or weight >= run_bytes:
                run.sort(key=_by_time)
                runs.add(run)
                run, weight = [], 0
        run.sort(key=_by_time)
        for _, _, event, failed in merge(*runs.all(), run, key=_by_time):
            item = event or failed
            assert item is not None
            yield item


def _keyed(row: Row) -> _Keyed:
    item = row.item
    if isinstance(item, Event):
        return item.occurred_at, row.number, item, None
    return BEFORE_ALL, row.number, None, item


class _Runs:
    """Sorted runs in files, merged whenever a level has `FAN_IN` of them: so few files are ever open."""

    def __init__(self, scratch: Path | None, stack: ExitStack) -> None:
        self._scratch = scratch
        self._stack = stack
        self._levels: list[list[IO[bytes]]] = []

    def add(self, run: Iterable[_Keyed], level: int = 0) -> None:
        """Store one run."""
        if level == len(self._levels):
            self._levels.append([])
        files = self._levels[level]
        files.append(self._write(run))
        if len(files) == FAN_IN:
            self.add(merge(*map(_read, files), key=_by_time), level + 1)
            for file in files:
                file.close()
            files.clear()

    def all(self) -> list[Iterator[_Keyed]]:
        """Return every stored run, ready to be read."""
        return [_read(file) for files in self._levels for file in files]

    def _write(self, run: Iterable[_Keyed]) -> IO[bytes]:
        try:
            file = tempfile.TemporaryFile(dir=self._scratch)  # noqa: SIM115 - the stack closes it
            self._stack.callback(file.close)
            for keyed in run:
                file.write(_encode(keyed))
                file.write(b"\n")
            file.seek(0)
        except OSError as error:
            where = self._scratch or tempfile.gettempdir()
            raise ConfigError(
                f"{where}: cannot keep temporary files ({error.strerror}); name a folder with room in TMPDIR"
            ) from None
        return file


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Keyed).decode


def _read(file: IO[bytes]) -> Iterator[_Keyed]:
    for line in file:
        yield _decode(line)
