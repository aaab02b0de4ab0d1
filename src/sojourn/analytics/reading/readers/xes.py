"""XES: event logs as XML (IEEE 1849), read as a stream.

A case (`trace`) is followed as a person is. The table is that of pm4py: an event's attributes by their keys,
those of its case behind `case:`. Attributes inside attributes are not read, and what an extension or a global
declares is not needed.

A log is somebody else's XML. The parser is the standard library's expat, told to refuse any document type
declaration: without one there are no entities to expand and nothing outside to fetch. It is fed a piece at a
time; in memory are one case, and rows up to a bound.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from xml.parsers import expat

import numpy as np

from sojourn.analytics.reading.mapping import unknown_column
from sojourn.analytics.sql.names import quoted, text_sql
from sojourn.model.errors import ConfigError, InputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SAMPLE_EVENTS = 200  # to learn which attributes there are.
PIECE_BYTES = 1 << 18
MAX_TAG_BYTES = 1 << 24  # expat keeps a tag whole: one longer than this is no attribute of an event.
ROWS_AT_ONCE = 100_000
MAX_CASE_EVENTS = 5_000_000  # a case is kept until its end, for its attributes may stand there.

CASE = "case:"
NAME = "concept:name"
_ATTRIBUTES = frozenset(["string", "date", "int", "float", "boolean", "id"])

Row = dict[str, str]


class Xes:
    """One log."""

    def __init__(self, path: Path, connection: DuckDBPyConnection) -> None:
        """Look at the first events: which attributes they have.

        Raises:
            InputError: It is no log.
        """
        self._path = path
        self._connection = connection
        log = _Log(path)
        for _ in _rows(path, log):
            if log.n_events >= SAMPLE_EVENTS:
                break
        self.fields = [CASE + NAME, *(key for key in log.fields if key != CASE + NAME)]
        """The attributes, those of cases with `case:`."""

    def stage(self, columns: Sequence[str], part: Path) -> tuple[Path, int]:
        """Write some attributes as Parquet, named as asked for; return (the file, 0: all lines are rows).

        Raises:
            ConfigError: No event has such an attribute.
            InputError: The file is damaged.
        """
        log = _Log(self._path)
        pieces: list[Path] = []
        rows: list[Row] = []
        for row in _rows(self._path, log):
            rows.append(row)
            if len(rows) == ROWS_AT_ONCE:
                pieces.append(self._write(rows, columns, part.with_suffix(f".{len(pieces)}")))
                rows = []
        pieces.append(self._write(rows, columns, part.with_suffix(f".{len(pieces)}")))
        for column in columns:
            if column not in log.fields and column != CASE + NAME:
                raise unknown_column(column, list(log.fields), place=str(self._path))
        files = ", ".join(text_sql(str(piece)) for piece in pieces)
        self._connection.execute(
            f"copy (from read_parquet([{files}])) to {text_sql(str(part))} (format parquet)"
        )
        for piece in pieces:
            piece.unlink()
        return part, 0

    def _write(self, rows: list[Row], columns: Sequence[str], piece: Path) -> Path:
        xes_rows = {}
        for i, column in enumerate(columns):
            cells = np.empty(len(rows), dtype=object)
            cells[:] = [row.get(column) for row in rows]
            xes_rows[f"c{i}"] = cells
        # Of no rows, DuckDB would not know the types. It finds the arrays by the name of the variable.
        chosen = ", ".join(f"c{i}::varchar as {quoted(column)}" for i, column in enumerate(columns))
        empty = ", ".join(f"null::varchar as {quoted(column)}" for column in columns)
        source = f"select {chosen} from xes_rows" if rows else f"select {empty} where false"
        self._connection.sql(source).to_parquet(str(piece))
        return piece


class _Log:
    """What the parser has met: complete cases are `done` rows, to be taken away by who feeds it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tags: list[str] = []
        self._case: Row = {}
        self._events: list[Row] = []
        self.done: list[Row] = []
        self.fields: dict[str, None] = {}
        """Every attribute met, in that order."""
        self.n_events = 0
        self._n_cases = 0

    def start(self, tag: str, attributes: Row) -> None:
        """Go into an element."""
        tag = tag.rpartition(":")[2]
        inside = self._tags[-1] if self._tags else ""
        self._tags.append(tag)
        if tag == "trace":
            self._case, self._events = {}, []
            self._n_cases += 1
        elif tag == "event":
            self.n_events += 1
            self._events.append({})
            if len(self._events) > MAX_CASE_EVENTS:
                raise self.refused("xes-case", f"has a case of over {MAX_CASE_EVENTS:,} events")
        elif tag in _ATTRIBUTES and inside in ("trace", "event"):
            self._note(inside, attributes.get("key", ""), attributes.get("value", ""))
        elif not inside and tag != "log":
            raise self.refused("no-xes", f"is no event log: expected <log>, found <{tag}>")

    def _note(self, inside: str, key: str, value: str) -> None:
        if not key:
            return
        if inside == "trace":
            self._case[key] = value
            self.fields.setdefault(CASE + key)
        else:
            self._events[-1][key] = value
            self.fields.setdefault(key)

    def end(self, tag: str) -> None:
        """Leave an element."""
        self._tags.pop()
        tag = tag.rpartition(":")[2]
        if tag == "trace":
            name = self._case.get(NAME) or self._case.get("identity:id") or f"trace {self._n_cases}"
            case = {CASE + key: value for key, value in {**self._case, NAME: name}.items()}
            self.done += [{**event, **case} for event in self._events]
            self._events = []
        elif tag == "event" and self._tags[-1:] == ["log"]:
            self.done += self._events  # An event of no case: nobody's.
            self._events = []

    def refuse_doctype(self, *_: Any) -> None:
        """Refuse what could declare entities."""
        raise self.refused("xes-doctype", "declares a document type, which no event log needs; remove it")

    def refused(self, code: str, reason: str) -> InputError:
        """Make the error that refuses the file."""
        return InputError(code, reason, path=str(self._path))


def _rows(path: Path, log: _Log) -> Iterator[Row]:
    """Yield the rows of complete cases."""
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = log.start, log.end
    parser.StartDoctypeDeclHandler = log.refuse_doctype
    n_fed = 0
    try:
        with _opened(path) as file:
            while piece := file.read(PIECE_BYTES):
                parser.Parse(piece, False)
                n_fed += len(piece)
                if n_fed - parser.CurrentByteIndex > MAX_TAG_BYTES:
                    raise log.refused("xes-tag", f"has a tag of over {MAX_TAG_BYTES >> 20} MB")
                yield from log.done
                log.done = []
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise log.refused("damaged-file", f"cannot be read as XML ({error})") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise log.refused("damaged-file", f"cannot be unpacked ({error})") from None


def _opened(path: Path) -> IO[bytes]:
    try:
        with path.open("rb") as file:
            is_gzipped = file.read(2) == b"\x1f\x8b"
        return gzip.open(path, "rb") if is_gzipped else path.open("rb")  # type: ignore[return-value]
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
