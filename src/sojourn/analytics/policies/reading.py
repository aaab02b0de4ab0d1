"""Reading: files and frames of logged decisions, one a row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sojourn.analytics.policies.encoding import COLUMNS, NUMBERS, Logged, encode
from sojourn.analytics.reading.frames import copy_frame
from sojourn.analytics.sql.names import quoted, text_sql
from sojourn.definitions.suggestions import did_you_mean
from sojourn.model.errors import ConfigError, InputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NEEDED = 3  # of COLUMNS
_READERS = {
    ".parquet": "read_parquet({file})",
    ".csv": "read_csv({file}, header = true, all_varchar = true)",
    ".tsv": "read_csv({file}, header = true, all_varchar = true, delim = '\t')",
    ".jsonl": "read_json({file}, format = 'newline_delimited')",
}


def parse_columns(text: str) -> dict[str, str]:
    """Read `variant=item_id,reward=click` (what=column).

    Raises:
        ConfigError: A part is not what=column, stands twice, or is nothing that a decision has.
    """
    columns: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        what, _, column = (piece.strip() for piece in part.partition("="))
        if what not in COLUMNS or not column or what in columns:
            raise ConfigError(
                f"--map: expected what=column, each once, of {', '.join(COLUMNS)}; got {part!r}"
            )
        columns[what] = column
    return columns


def read_decisions(source: Path | str | Any, columns: Mapping[str, str] = {}) -> Logged:
    """Read decisions from Parquet, CSV, TSV or JSON lines (text packed with gzip or not), or from a table.

    Columns are `variant`, `reward` and `propensity`, and, where they are there: `context` (the name of a
    cell), `person`, `eligible` (JSON: variant -> probability) and `target` (the probability under the policy
    to be evaluated).

    Args:
        source: A file, or whatever speaks Arrow: a frame of pyarrow, polars or pandas, a `Table`.
        columns: Other names of columns: `{"variant": "item_id"}`.

    Raises:
        ConfigError: There is no such file, or a column is missing.
        InputError: It cannot be read, or a row cannot be; it says which.
    """
    import duckdb  # noqa: PLC0415 - takes longer to load than the command line's help

    place = str(source) if isinstance(source, str | Path) else "the table"
    with duckdb.connect() as connection:
        try:
            if isinstance(source, str | Path):
                connection.execute(f"create view rows as from {_call(Path(source))}")
            else:
                copy_frame(connection, source, "rows")
            return encode(connection, "rows", _expressions(connection, place, columns), place=place)
        except duckdb.Error as error:
            raise InputError("damaged-file", str(error).splitlines()[0], path=place) from None


def _call(file: Path) -> str:
    suffixes = [suffix.lower() for suffix in file.suffixes]
    is_packed = suffixes[-1:] == [".gz"]
    kind = "".join(suffixes[:-1][-1:] if is_packed else suffixes[-1:])
    if kind not in _READERS or (is_packed and kind == ".parquet"):
        raise ConfigError(f"{file}: expected a file named *.parquet, *.csv, *.tsv or *.jsonl, text also *.gz")
    if not file.is_file():
        raise ConfigError(f"{file}: there is no such file")
    return _READERS[kind].format(file=text_sql(str(file)))


def _expressions(connection: DuckDBPyConnection, place: str, others: Mapping[str, str]) -> dict[str, str]:
    """Return what the rows say, each as an expression of a number or of a text."""
    there = [str(row[0]) for row in connection.execute("describe rows").fetchall()]
    found = {name: name for name in COLUMNS if name in there}
    for what, column in others.items():
        if column not in there:
            raise ConfigError(f"{place}: has no column {column!r}{did_you_mean(column, there)}")
        found[what] = column
    missing = [name for name in COLUMNS[:_NEEDED] if name not in found]
    if missing:
        known, example = ", ".join(there)[:300], ",".join(f"{name}=COLUMN" for name in missing)
        raise ConfigError(
            f"{place}: its columns ({known}) do not say {' and '.join(missing)}: --map {example}"
        )
    texts = {what: f"{quoted(column)}::varchar" for what, column in found.items()}
    # Trimmed, which a reader of CSV cannot do by itself: otherwise it casts, and fails where it should not.
    return {
        what: f"try_cast(trim({text}) as double)" if what in NUMBERS else text for what, text in texts.items()
    }
