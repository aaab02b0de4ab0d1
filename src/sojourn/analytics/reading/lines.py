"""Lines: CSV and JSON lines, plain or gzipped, read once into Parquet; all that is written stays text."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from sojourn.analytics.reading.columns import json_pointer
from sojourn.analytics.reading.mapping import unknown_column
from sojourn.analytics.sql.names import quoted, text_sql
from sojourn.model.errors import ConfigError, InputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SAMPLE_LINES = 200  # of JSON, to learn which fields there are.
SAMPLE_DEPTH = 3  # levels of objects: `properties.cart.id`.

_DELIMITERS = ",;\t|"
_WHOLE_LINES = "delim = '', quote = '', escape = '', header = false"
_BAD = "sojourn: not an object"  # a column that no field of JSON is asked for by.


class Text:
    """One file of lines."""

    def __init__(self, path: Path, format_: Literal["csv", "jsonl"], connection: DuckDBPyConnection) -> None:
        """Look at the beginning of the file: which fields it has.

        Raises:
            InputError: It is no file of this format.
        """
        self._path = path
        self._connection = connection
        self._is_csv = format_ == "csv"
        self._delimiter = ","
        self._is_gzipped = _is_gzipped(path)
        with _opened(path, is_gzipped=self._is_gzipped) as file:
            try:
                self.fields = self._header(file) if self._is_csv else _sampled(file, path)
            except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
                raise _damaged(path, error) from None
        """The columns, or the fields of JSON with their dots."""

    def stage(self, columns: Sequence[str], part: Path) -> tuple[Path, int]:
        """Write some columns as Parquet, named as asked for; return (the file, how many lines were no rows).

        Raises:
            ConfigError: CSV without such a column.
            InputError: The file is damaged.
        """
        import duckdb  # noqa: PLC0415 - it takes longer to load than the command line's help

        before = self._n_rejected()
        try:
            self._connection.execute(
                f"copy ({self._rows(columns)}) to {text_sql(str(part))} (format parquet)"
            )
            n_bad = self._n_rejected() - before
            return part, n_bad if self._is_csv else n_bad + self._drop_bad(part)
        except duckdb.Error as error:
            raise _damaged(self._path, error) from None

    def _rows(self, columns: Sequence[str]) -> str:
        return self._csv_rows(columns) if self._is_csv else self._json_rows(columns)

    def _csv_rows(self, columns: Sequence[str]) -> str:
        chosen = dict.fromkeys(self._top(column) for column in columns)
        types = ", ".join(f"{text_sql(name)}: 'VARCHAR'" for name in self.fields)
        options = f"delim = {text_sql(self._delimiter)}, quote = '\"', escape = '\"', header = true"
        return f"select {', '.join(map(quoted, chosen))} from {self._file(f'{{{types}}}', options)}"

    def _json_rows(self, columns: Sequence[str]) -> str:
        pointers = [json_pointer(column.split(".")) for column in columns]
        whole = [json_pointer([column]) for column in columns]
        listed = ", ".join(map(text_sql, [*whole, *pointers]))
        chosen = ", ".join(
            f"coalesce(found[{i + 1}], found[{i + 1 + len(columns)}]) as {quoted(column)}"
            for i, column in enumerate(columns)
        )
        line_file = self._file("{'line': 'VARCHAR'}", _WHOLE_LINES)
        is_object = "json_valid(line) and starts_with(ltrim(line), '{')"
        return (
            f"select {chosen}, found is null as {quoted(_BAD)} from (select case when {is_object} then"
            f" json_extract_string(line, [{listed}]) end as found from {line_file} where trim(line) <> '')"
        )

    def _file(self, types: str, options: str) -> str:
        compression = "gzip" if self._is_gzipped else "none"
        return (
            f"read_csv({text_sql(str(self._path))}, columns = {types}, {options}, auto_detect = false,"
            f" compression = '{compression}', store_rejects = true)"
        )

    def _top(self, column: str) -> str:
        """Return the column that a name begins with: what is behind a dot is a field of JSON text in it."""
        head = column
        while head and head not in self.fields:
            head = head.rpartition(".")[0]
        if not head:
            raise unknown_column(column, self.fields, place=str(self._path))
        return head

    def _header(self, file: IO[str]) -> list[str]:
        line = file.readline()
        if not line.strip():
            raise ConfigError(f"{self._path}: has no header; its first line must name the columns")
        self._delimiter = max(_DELIMITERS, key=line.count)
        names = [name.strip() for name in next(csv.reader([line], delimiter=self._delimiter))]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ConfigError(f"{self._path}: two columns are named {min(twice)!r}; name them apart")
        # An index without a name, as pandas writes it, needs one here; nobody can ask for it.
        return [name or f"column {i + 1}" for i, name in enumerate(names)]

    def _n_rejected(self) -> int:
        if not self._connection.execute(
            "select count(*) from duckdb_tables() where table_name = 'reject_errors'"
        ).fetchall()[0][0]:
            return 0
        counted = "select count(*) from (select distinct scan_id, file_id, line from reject_errors)"
        return int(self._connection.execute(counted).fetchall()[0][0])

    def _drop_bad(self, part: Path) -> int:
        """Take the rows that are no objects out of a part; return how many they were."""
        kept = f"read_parquet({text_sql(str(part))})"
        counted = f"select count(*) from {kept} where {quoted(_BAD)}"
        n_bad = int(self._connection.execute(counted).fetchall()[0][0])
        if n_bad:
            clean = part.with_suffix(".clean")
            query = f"select * from {kept} where not {quoted(_BAD)}"
            self._connection.execute(f"copy ({query}) to {text_sql(str(clean))} (format parquet)")
            clean.replace(part)
        return n_bad


def _is_gzipped(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(2) == b"\x1f\x8b"
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None


def _opened(path: Path, *, is_gzipped: bool) -> IO[str]:
    if is_gzipped:
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _sampled(file: IO[str], path: Path) -> list[str]:
    """List the fields of the first objects, in the order they are met."""
    found: dict[str, None] = {}
    for i, line in enumerate(islice(file, SAMPLE_LINES)):
        if i == 0 and line.lstrip().startswith("["):
            message = "is one JSON array; write one object a line (jq -c '.[]' FILE > FILE.jsonl)"
            raise InputError("not-lines", message, path=str(path))
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            continue
        found |= dict.fromkeys(_paths(fields, "", SAMPLE_DEPTH))
    if not found:
        message = f"has no JSON object in its first {SAMPLE_LINES} lines; write one object a line"
        raise InputError("not-lines", message, path=str(path))
    return list(found)


def _paths(value: Any, head: str, depth: int) -> Iterator[str]:
    if not isinstance(value, dict) or not depth:
        return
    for name, inner in value.items():
        yield f"{head}{name}"
        yield from _paths(inner, f"{head}{name}.", depth - 1)


def _damaged(path: Path, error: Exception) -> InputError:
    reason = f"cannot be read as its name says ({str(error).splitlines()[0]})"
    return InputError("damaged-file", reason, path=str(path))
