"""Guessing: which columns of a file tell people apart into a few kinds: device, country, plan."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sojourn.analytics.reading.mapping import Mapping, complete
from sojourn.analytics.reading.readers.warehouse import tables_of_files
from sojourn.analytics.reading.sources import find_files
from sojourn.analytics.sql.names import quoted, text_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SAMPLED_ROWS = 50_000
MAX_VALUES = 30


def guess_attributes(source: str | Path | Iterable[str | Path], mapping: Mapping) -> dict[str, str]:
    """Return the text columns of the first file that have 2 to MAX_VALUES values in its first rows.

    Only plain columns, and none that the mapping says (or guesses) to be something else.

    Raises:
        ConfigError: There is no such file, or its columns do not tell who, what and when.
    """
    import duckdb  # noqa: PLC0415 - it takes longer to load than the command line's help

    paths = find_files(source)
    path = paths[0]
    connection = duckdb.connect()
    try:
        if tables_of_files(connection, paths) is not None:
            return {}  # several tables, each with columns of its own
        return _few_valued(connection, path, mapping)
    except duckdb.Error:
        return {}  # reading the file says what is wrong with it, and better
    finally:
        connection.close()


def columns_in(source: str | Path | Iterable[str | Path]) -> list[str]:
    """Return the columns of the first file, those inside structs and JSON left out; none where it is damaged.

    Raises:
        ConfigError: There is no such file.
    """
    import duckdb  # noqa: PLC0415 - as above

    path = find_files(source)[0]
    try:
        with duckdb.connect() as connection:
            described = connection.execute(f"describe select * from {_table(path)}").fetchall()
    except duckdb.Error:
        return []  # reading the file says what is wrong with it, and better
    return [name for name, *_ in described]


def _table(path: Path) -> str:
    """Write a file as it stands behind FROM."""
    is_json = any(suffix in (".jsonl", ".ndjson", ".json") for suffix in path.suffixes)
    place = text_sql(str(path))
    return f"read_json_auto({place})" if is_json else place


def _few_valued(connection: DuckDBPyConnection, path: Path, mapping: Mapping) -> dict[str, str]:
    connection.execute(f"create temp table sampled as select * from {_table(path)} limit {SAMPLED_ROWS}")
    described = connection.execute("describe sampled").fetchall()
    said = set(complete(mapping, [name for name, *_ in described], place=str(path)).columns())
    texts = [name for name, kind, *_ in described if kind in ("VARCHAR", "BOOLEAN") and name not in said]
    if not texts:
        return {}
    counts = connection.execute(
        f"select {', '.join(f'count(distinct {quoted(name)})' for name in texts)} from sampled"
    ).fetchone()
    assert counts is not None, "an aggregate has one row"
    return {name: name for name, count in zip(texts, counts, strict=True) if 2 <= count <= MAX_VALUES}
