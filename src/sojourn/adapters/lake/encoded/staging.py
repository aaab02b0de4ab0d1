"""Staging: rows of a lake's files put down in pieces, and encoded a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from os import SEEK_END
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sojourn.adapters.lake.encoded.delta import PLACE, Columns, expressions
from sojourn.adapters.lake.encoded.rows import AT, NAME, POSITION, PROFILE, TEXT, VISIT, Rows
from sojourn.adapters.lake.resolving import JOIN_PEOPLE
from sojourn.adapters.lake.writing import text
from sojourn.analytics.names import Names
from sojourn.analytics.reading.columns import Schema
from sojourn.analytics.reading.encoding import Dictionary, Encoder

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PIECE = 1 << 20
"""Rows that are in memory at once, about."""
_GROUPS = 8  # of rows, in a file of so many rows.
WHO = "person"
"""The column of people, where it is asked for."""
_TEXTS = (WHO, PROFILE, NAME)
_KINDS = {POSITION: np.int64, AT: np.int64, VISIT: np.uint64}
MEMORY = "400MB"
"""Of DuckDB's own: what needs more is done on disk, where it can be."""


class Staged:
    """Rows with some columns, put down as they came, in pieces."""

    def __init__(
        self,
        connection: DuckDBPyConnection,
        folder: Path,
        *,
        chosen: Mapping[str, str],
        columns: Columns,
        end: int,
    ) -> None:
        """Put down what the schema `raw` has of events.

        Args:
            connection: Where it is; with `WHO` among the chosen, `resolve_people` was there.
            folder: Where rows are put down; who made it, removes it.
            chosen: SQL of columns of a row `t`, by name.
            columns: The attributes, which are columns, too.
            end: The last position.
        """
        schema = Schema.of_relation(connection.sql("SELECT * FROM raw.events"), place=PLACE)
        all_chosen = {POSITION: "t.position", **chosen, **expressions(schema, columns)}
        self._connection = connection
        self._names = {name: f"c{i}" for i, name in enumerate(all_chosen)}
        selected = ", ".join(f"{sql} AS {self._names[name]}" for name, sql in all_chosen.items())
        place = folder / "rows"
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(
            f"COPY (SELECT {selected} FROM raw.events t {JOIN_PEOPLE if WHO in chosen else ''} "
            f"WHERE t.profile_id IS NOT NULL AND t.position <= {end}) "
            f"TO {text(place)} (FORMAT parquet, COMPRESSION lz4, ROW_GROUP_SIZE {PIECE // _GROUPS}, "
            f"ROW_GROUPS_PER_FILE {_GROUPS})"
        )
        # From here on columns are read one after another, in the order in which rows lie.
        connection.execute("SET preserve_insertion_order = true")
        self._files = sorted(place.glob("*.parquet"))
        encoder = Encoder(connection, f"read_parquet({text(place / '*.parquet')})")
        self._dictionaries: dict[str, Dictionary] = {}
        self.words: dict[str, Names] = {}
        """The texts of columns of text, sorted."""
        for name, column in self._names.items():
            if name in _TEXTS or name.startswith(TEXT):
                dictionary = encoder.dictionary(column)
                self.words[name] = Names.of(dictionary.texts)
                self._dictionaries[name] = dictionary._replace(texts=[])

    def pieces(self) -> Iterator[Rows]:
        """Yield the columns of each piece; rows are in one order, of no meaning."""
        for file in self._files:
            encoder = Encoder(self._connection, f"read_parquet({text(file)})")
            yield {name: self._column(encoder, name) for name in self._names}

    def _column(self, encoder: Encoder, name: str) -> NDArray[Any]:
        column, dictionary = self._names[name], self._dictionaries.get(name)
        if dictionary is not None:
            return encoder.codes(column, dictionary)
        fetched = encoder.fetch(column)
        if name in _KINDS:
            return np.ma.getdata(fetched).astype(_KINDS[name], copy=False)
        return np.ma.filled(fetched.astype(np.float64, copy=False), np.nan)


class Spool:
    """Columns in files of their own, written a stretch at a time."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._files: dict[str, tuple[BinaryIO, np.dtype[Any]]] = {}

    def write(self, rows: Rows, first: int) -> None:
        """Write rows from a place on."""
        for name, values in rows.items():
            if name not in self._files:
                self._files[name] = (self._folder / f"{len(self._files)}").open("w+b"), values.dtype
            file, kind = self._files[name]
            file.seek(first * kind.itemsize)
            values.tofile(file)

    def read(self, first: int, last: int) -> Rows:
        """Return the rows of a stretch."""
        found: Rows = {}
        for name, (file, kind) in self._files.items():
            file.seek(first * kind.itemsize)
            found[name] = np.fromfile(file, kind, last - first)
        return found

    def columns(self) -> Rows:
        """Return all rows, as they lie on disk; they stay readable where the files are removed."""
        found: Rows = {}
        for name, (file, kind) in self._files.items():
            file.flush()
            is_empty = not file.seek(0, SEEK_END)
            found[name] = np.empty(0, kind) if is_empty else np.asarray(np.memmap(file, kind, "r"))
        return found

    def close(self) -> None:
        """Release the files, and remove them."""
        for file, _ in self._files.values():
            file.close()
        rmtree(self._folder)


def by_people(staged: Staged, folder: Path) -> tuple[Spool, NDArray[np.int64], list[int]]:
    """Put rows down so that those of some people lie together, in no order among themselves.

    Returns:
        The rows; how many each person has; and the rows at which stretches begin, and where the last ends.
    """
    raw, dealt = Spool(folder / "raw"), Spool(folder / "dealt")
    counts, n = np.zeros(len(staged.words[WHO]), dtype=np.int64), 0
    for rows in staged.pieces():
        counts += np.bincount(rows[WHO], minlength=len(counts))
        raw.write(rows, n)
        n += len(rows[WHO])
    ends = np.cumsum(counts)
    firsts = np.unique(np.searchsorted(ends, np.arange(PIECE, n, PIECE), side="right"))  # people
    starts = [0, *np.append(0, ends)[firsts].tolist(), n]
    free = starts[:-1]
    for first in range(0, max(n, 1), PIECE):  # Columns are there, though nothing is in them.
        rows = raw.read(first, min(first + PIECE, n))
        stretch = np.searchsorted(firsts, rows[WHO], side="right").astype(np.uint16)
        order = np.argsort(stretch, kind="stable")
        bounds = np.searchsorted(stretch[order], np.arange(len(free) + 1))
        rows = {name: column[order] for name, column in rows.items()}
        for i, (low, high) in enumerate(pairwise(bounds.tolist())):
            dealt.write({name: column[low:high] for name, column in rows.items()}, free[i])
            free[i] += high - low
    raw.close()
    return dealt, counts, starts


def confine(connection: DuckDBPyConnection, folder: Path, memory: str | None) -> None:
    """Let a database take so much memory, and a folder for what it has no room for."""
    connection.execute(f"SET temp_directory = {text(folder / 'spilled')}")
    if memory is not None:
        connection.execute(f"SET memory_limit = '{memory}'")
