"""Reading: a file of events, row by row, in bounded memory; a bad row is kept with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from sojourn.model.errors import ConfigError, InputError
from sojourn.model.event import Event, FailedEvent
from sojourn.model.ids import derive
from sojourn.runtime.importing.judging import Origin
from sojourn.runtime.importing.lines import LINE_BYTES, Lines
from sojourn.runtime.importing.mapping import ColumnMap, ColumnMapper, guess_column_map
from sojourn.runtime.importing.records import Record, Records
from sojourn.runtime.importing.segment import segment_event

Format = Literal["jsonl", "csv", "parquet"]

FORMATS: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}

BODY_BYTES = 32_768  # Of a failed row: what Segment lets one event weigh.

FETCH_ROWS = 2_000
PARQUET_MEMORY = "256MB"  # For DuckDB's own buffers; what it returns is bounded by FETCH_ROWS.


class Row(Struct, frozen=True):
    """One row, read and judged."""

    number: int
    """Its place in the file: the line it begins on, or the row of a Parquet file, from 1."""
    item: Event | FailedEvent
    weight: int
    """About how many bytes it holds in memory."""


class Reading:
    """A file being read, and how far it is."""

    def __init__(
        self, path: Path, *, origin: Origin, format: Format | None = None, column_map: ColumnMap | None = None
    ) -> None:
        """Prepare to read; `format` is told by the file's name where it is None.

        Raises:
            ConfigError: There is no such file, or its name does not tell its format.
        """
        if not path.is_file():
            raise ConfigError(f"{path}: there is no such file; name the file to import")
        self.path = path
        self.unit: Literal["bytes", "rows"] = "bytes"
        self.total = path.stat().st_size
        self.done = 0
        self._origin = origin
        self._map = column_map
        self._format = format or _format_of(path)

    def __iter__(self) -> Iterator[Row]:
        """Yield every row that is not blank, in the file's order.

        Raises:
            ConfigError: The columns and the column map do not fit.
            InputError: The file as a whole cannot be read.
        """
        match self._format:
            case "jsonl":
                return self._json_lines()
            case "csv":
                return self._records()
            case "parquet":
                return self._parquet()

    def _json_lines(self) -> Iterator[Row]:
        lines = Lines(self.path)
        map_line = self._line_mapper()
        try:
            for line in lines:
                if not line or line.isspace():
                    continue
                if lines.number == 1 and line.lstrip().startswith(b"["):
                    raise _not_lines(self.path)
                if lines.number % 100 == 0:
                    self.done = lines.read_bytes
                try:
                    if len(line) > LINE_BYTES:
                        raise InputError("too-long", f"expected a line of at most {LINE_BYTES} bytes")
                    yield Row(lines.number, map_line(line, lines.number), len(line))
                except InputError as error:
                    yield self._failed(lines.number, error, line)
            self.done = self.total
        finally:
            lines.close()

    def _line_mapper(self) -> Any:
        if self._map is None:
            return lambda line, number: segment_event(line, number, origin=self._origin)
        return _JsonColumns(self._map, origin=self._origin, file=self.path.name)

    def _records(self) -> Iterator[Row]:
        lines = Lines(self.path)
        try:
            records = iter(Records(lines))
            header = next(records, None)
            if header is None:
                return
            mapper = self._mapper(_header(header, self.path))
            for record in records:
                if record.number % 100 == 0:
                    self.done = lines.read_bytes
                yield self._record(record, mapper)
            self.done = self.total
        finally:
            lines.close()

    def _record(self, record: Record, mapper: ColumnMapper) -> Row:
        try:
            if record.problem:
                raise InputError("bad-row", record.problem)
            event = mapper(record.values, record.number, record.values)
        except InputError as error:
            return self._failed(record.number, error, b"\n".join(record.text))
        return Row(record.number, event, sum(map(len, record.text)))

    def _parquet(self) -> Iterator[Row]:
        import duckdb  # noqa: PLC0415 - takes longer to load than the whole command line, and only Parquet needs it

        self.unit, self.done, self.total = "rows", 0, 0
        connection = duckdb.connect(config={"memory_limit": PARQUET_MEMORY, "threads": 1})
        try:
            file = [str(self.path)]
            self.total = connection.execute(
                "select coalesce(sum(num_rows), 0) from parquet_file_metadata(?)", file
            ).fetchall()[0][0]
            rows = connection.execute("select * from read_parquet(?)", file)
            mapper = self._mapper([column[0] for column in rows.description])
            while batch := rows.fetchmany(FETCH_ROWS):
                for values in batch:
                    self.done += 1
                    yield self._parquet_row(values, mapper)
        except duckdb.Error as error:
            reason = f"is no readable Parquet file ({str(error).splitlines()[0]})"
            raise InputError("damaged-file", reason, path=self.path.name) from None
        finally:
            connection.close()

    def _parquet_row(self, values: Sequence[Any], mapper: ColumnMapper) -> Row:
        content = msgspec.json.encode(values, enc_hook=str)
        try:
            event = mapper(values, self.done, (content.decode(),))
        except InputError as error:
            return self._failed(self.done, error, content)
        return Row(self.done, event, len(content))

    def _mapper(self, columns: list[str]) -> ColumnMapper:
        column_map = self._map or guess_column_map(columns, self.path.name)
        return ColumnMapper(columns, column_map, origin=self._origin, file=self.path.name)

    def _failed(self, number: int, error: InputError, text: bytes) -> Row:
        origin = self._origin
        place = "row" if self._format == "parquet" else "line"
        failed = FailedEvent(
            source=origin.source,
            received_at=origin.now_ms,
            code=error.code,
            reason=f"{error.path}: {error.reason}" if error.path else error.reason,
            path=f"{self.path.name}:{place} {number}",
            body=text[:BODY_BYTES],
            message_id=derive(origin.source, str(number), text.decode(errors="backslashreplace")),
        )
        return Row(number, failed, len(failed.body))


def read_rows(
    path: Path, *, origin: Origin, format: Format | None = None, column_map: ColumnMap | None = None
) -> Iterator[Row]:
    """Read a file's rows as a stream; see `Reading`."""
    return iter(Reading(path, origin=origin, format=format, column_map=column_map))


class _JsonColumns:
    """Map lines of JSON by a column map: a column is a field, or `a.b` for a field inside a field."""

    def __init__(self, column_map: ColumnMap, *, origin: Origin, file: str) -> None:
        if column_map.rest is not None:
            raise ConfigError(f"{file}: '*' takes columns and JSON has none; write properties=FIELD")
        self._paths = [column.split(".") for _, column in column_map.pairs]
        columns = [column for _, column in column_map.pairs]
        self._mapper = ColumnMapper(columns, column_map, origin=origin, file=file)

    def __call__(self, line: bytes, number: int) -> Event:
        try:
            text = line.decode()
            fields = msgspec.json.decode(text, type=dict[str, Any])
        except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as error:
            raise InputError("bad-json", f"expected one JSON object, got {error}") from None
        return self._mapper([_pick(fields, path) for path in self._paths], number, (text,))


def _pick(fields: dict[str, Any], path: list[str]) -> Any:
    whole = fields.get(".".join(path))
    if whole is not None:
        return whole
    value: Any = fields
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _format_of(path: Path) -> Format:
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in (".gz", ".gzip")]
    found = FORMATS.get(suffixes[-1]) if suffixes else None
    if found is None:
        raise ConfigError(f"{path}: its name does not tell its format; add --format jsonl, csv or parquet")
    return found


def _header(header: Record, path: Path) -> list[str]:
    if header.problem:
        raise InputError("bad-header", header.problem, path=f"{path.name}:line {header.number}")
    return [column.strip() for column in header.values]


def _not_lines(path: Path) -> InputError:
    return InputError(
        "not-lines",
        "is one JSON array; write one object a line (jq -c '.[]' FILE > FILE.jsonl)",
        path=path.name,
    )
