"""Sources: files and relations as Parquet, which DuckDB reads column by column and as often as it must.

Parquet is read where it lies. Anything else is read once, into Parquet in a folder that goes away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Dictionary
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from sojourn.analytics.reading import lines
from sojourn.analytics.reading.columns import Schema
from sojourn.analytics.reading.frames import copy_frame, no_table
from sojourn.analytics.reading.mapping import Mapping, complete, unknown_column
from sojourn.analytics.reading.readers import warehouse
from sojourn.analytics.reading.readers.xes import Xes
from sojourn.analytics.sql.names import quoted, text_sql
from sojourn.model.errors import ConfigError, InputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

FORMATS = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".csv": "csv", ".tsv": "csv",
    ".parquet": "parquet", ".pq": "parquet", ".xes": "xes",
}  # fmt: skip
"""How a file's name tells its format; `.gz` behind it is looked through."""


class Source(Struct, frozen=True, kw_only=True):
    """Where events lie, and which of its columns say what."""

    schema: Schema
    mapping: Mapping
    """Complete; every column it names is there."""
    left_out: Dictionary[str, int] = {}
    """What of it is no row any more, by reason: lines that are none, and duplicates."""


def open_paths(
    connection: DuckDBPyConnection, paths: Sequence[Path], mapping: Mapping, *, folder: Path
) -> Source:
    """Open files: a warehouse's tables as one history, and others as events, one after another.

    Arguments and errors are those of `open_files`.
    """
    is_database = len(paths) == 1 and paths[0].suffix in warehouse.DATABASES
    tables = (
        warehouse.tables_of_database(connection, paths[0])
        if is_database
        else warehouse.tables_of_files(connection, paths)
    )
    if tables is None:
        return open_files(connection, paths, mapping, folder=folder)
    found = warehouse.open_warehouse(connection, tables, mapping, folder=folder)
    schema = _parquet(connection, [found.part], place=_place(paths))
    return Source(schema=schema, mapping=found.mapping, left_out={"duplicate": found.n_duplicates})


def open_files(
    connection: DuckDBPyConnection, paths: Sequence[Path], mapping: Mapping, *, folder: Path
) -> Source:
    """Open files of one or several formats.

    Args:
        connection: Where they are read.
        paths: In the order that breaks ties.
        mapping: What is known of the columns; the rest is guessed from the first file's.
        folder: Where text is kept as Parquet, for as long as the source is read.

    Raises:
        ConfigError: A column is missing, or the columns tell too little.
        InputError: A file is damaged.
    """
    formats = [_format_of(path) for path in paths]
    if set(formats) == {"parquet"}:
        return _checked(_parquet(connection, paths, place=_place(paths)), mapping)
    parts, n_bad_lines = [], 0
    for i, (path, format_) in enumerate(zip(paths, formats, strict=True)):
        if format_ == "parquet":
            schema = _parquet(connection, [path], place=str(path))
            mapping = _checked(schema, mapping).mapping
            part, n_bad = _stage(connection, schema, mapping, folder / f"{i:06}.parquet"), 0
        else:
            text = Xes(path, connection) if format_ == "xes" else lines.Text(path, format_, connection)
            mapping = complete(mapping, text.fields, place=str(path))
            part, n_bad = text.stage(mapping.columns(), folder / f"{i:06}.parquet")
        parts.append(part)
        n_bad_lines += n_bad
    staged = _checked(_parquet(connection, parts, place=_place(paths)), mapping)
    return structs.replace(staged, left_out={"bad-line": n_bad_lines})


def open_frame(connection: DuckDBPyConnection, frame: Any, mapping: Mapping, *, folder: Path) -> Source:
    """Open whatever speaks Arrow: it is asked once."""
    copy_frame(connection, frame, "frame")
    return open_relation(connection, connection.sql("from frame"), mapping, folder=folder, place="the frame")


def open_relation(
    connection: DuckDBPyConnection,
    relation: DuckDBPyRelation,
    mapping: Mapping,
    *,
    folder: Path,
    place: str = "the relation",
) -> Source:
    """Open a DuckDB relation: it is asked once, on its own connection; two answers may differ in order."""
    schema = Schema.of_relation(relation, place=place)
    mapping = _checked(schema, mapping).mapping
    part = folder / "relation.parquet"
    tops = dict.fromkeys(schema.top(column) for column in mapping.columns())
    relation.project(", ".join(map(quoted, tops))).to_parquet(str(part))
    return _checked(_parquet(connection, [part], place=schema.place), mapping)


def find_files(pattern: str | Path | Iterable[str | Path]) -> list[Path]:
    """List the files that paths and patterns name, each pattern's and each folder's by name.

    Raises:
        ConfigError: One names nothing.
    """
    found = []
    is_one = isinstance(pattern, str | Path) or not hasattr(pattern, "__iter__")
    several: Iterable[Any] = [pattern] if is_one else pattern  # type: ignore[assignment]
    for one in several:
        if not isinstance(one, str | Path):
            raise no_table(one)
        is_pattern = has_magic(str(one)) and not Path(one).exists()
        named = sorted(glob(str(one), recursive=True)) if is_pattern else [one]  # noqa: PTH207 - from any root
        paths = [path for path in map(Path, named) if not (is_pattern and path.is_dir())]
        if len(paths) == 1 and paths[0].is_dir():
            paths = sorted(path for path in paths[0].rglob("*") if path.is_file() and _known_format(path))
            if not paths:
                raise ConfigError(f"{one}: this folder holds no file of events")
        if not paths or not all(path.is_file() for path in paths):
            raise ConfigError(
                f"{one}: there is no such file; give a file, or a pattern such as events/*.parquet"
            )
        found += paths
    return found


def _checked(schema: Schema, mapping: Mapping) -> Source:
    mapping = complete(mapping, schema.names(), place=schema.place)
    for column in mapping.columns():
        if schema.find(column) is None:
            raise unknown_column(column, schema.names(), place=schema.place)
    return Source(schema=schema, mapping=mapping)


def _parquet(connection: DuckDBPyConnection, paths: Sequence[Path], *, place: str) -> Schema:
    import duckdb  # noqa: PLC0415 - it takes longer to load than the command line's help

    files = ", ".join(text_sql(str(path)) for path in paths)
    relation = f"read_parquet([{files}], union_by_name = {str(len(paths) > 1).lower()})"
    try:
        return Schema.of_relation(connection.sql(f"from {relation}"), place=place, sql=relation)
    except duckdb.Error as error:
        reason = f"is no readable Parquet file ({str(error).splitlines()[0]})"
        raise InputError("damaged-file", reason, path=place) from None


def _stage(connection: DuckDBPyConnection, schema: Schema, mapping: Mapping, part: Path) -> Path:
    tops = dict.fromkeys(schema.top(column) for column in mapping.columns())
    chosen = ", ".join(map(quoted, tops))
    connection.sql(f"select {chosen} from {schema.sql}").to_parquet(str(part))
    return part


def _place(paths: Sequence[Path]) -> str:
    return str(paths[0]) if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"


def _format_of(path: Path) -> Any:
    found = _known_format(path)
    if found is None:
        known = ", ".join(sorted(FORMATS))
        raise ConfigError(f"{path}: its name does not tell its format; rename it to end in one of {known}")
    return found


def _known_format(path: Path) -> Any:
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in (".gz", ".gzip")]
    return FORMATS.get(suffixes[-1]) if suffixes else None
