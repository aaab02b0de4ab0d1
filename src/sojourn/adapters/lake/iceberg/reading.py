"""Reading Iceberg's tables: pyiceberg says which files count, and DuckDB reads them, with no extension."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sojourn.adapters.lake import columns
from sojourn.adapters.lake.iceberg.catalogue import (
    OF_STEPS,
    Place,
    library,
    load_tables,
    open_catalogue,
    reached,
)
from sojourn.adapters.lake.reading import LakeReading
from sojourn.adapters.lake.resolving import resolve
from sojourn.adapters.lake.writing import open_database
from sojourn.analytics.sql.names import quoted, text_sql
from sojourn.model.lake import EVENTS, TABLES, Reach

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from pyiceberg.table import Table as IcebergTable

# What an event's step says of it. The two travel apart, and a step may come later than its event.
_EVENTS = """
CREATE VIEW raw.events AS
SELECT {columns}, e.date FROM written.events e LEFT JOIN raw.steps s ON s.position = e.position
"""


@contextmanager
def read_iceberg(place: Place) -> Iterator[LakeReading]:
    """Open the tables to read, as they are now; raises ConfigError where there are none.

    Of `events` the snapshot is the oldest, so that no step of what it has is missing that had come by then.
    """
    tables = load_tables(open_catalogue(place), place.namespace)  # events come first
    connection = open_database()
    try:
        _join_tables(connection, tables)
        resolve(connection)
        reach = reached(tables[EVENTS.name])
        yield LakeReading(connection, Reach(clock=reach.clock if reach else 0), [])
    finally:
        connection.close()


def _join_tables(connection: DuckDBPyConnection, tables: dict[str, IcebergTable]) -> None:
    """Make each table of its files, in the schema `raw`, with the columns that one-machine lakes have."""
    connection.execute("CREATE SCHEMA empty; CREATE SCHEMA written; CREATE SCHEMA raw")
    for name, table in TABLES.items():
        columns.empty(connection, table, schema="empty")
        source = _source(connection, tables[name]) if name in tables else ""
        joined = f" UNION ALL BY NAME SELECT * FROM {source}" if source else ""
        schema = "written" if table is EVENTS else "raw"
        connection.execute(f"CREATE VIEW {schema}.{name} AS SELECT * FROM empty.{name}{joined}")
    chosen = [f"{'s' if column.name in OF_STEPS else 'e'}.{quoted(column.name)}" for column in EVENTS.columns]
    connection.execute(_EVENTS.format(columns=", ".join(chosen)))


def _source(connection: DuckDBPyConnection, table: IcebergTable) -> str:
    """Return what DuckDB reads a table's rows from; empty where it has none."""
    tasks = list(table.scan().plan_files())
    if not tasks:
        return ""
    paths = [task.file.file_path for task in tasks]
    if any(task.delete_files for task in tasks):
        # Another engine removed rows beside their files: pyiceberg knows how to leave them out.
        return _registered(connection, table, table.scan().to_arrow())
    if all(urlsplit(path).scheme in ("", "file") for path in paths):
        listed = ", ".join(text_sql(_local(path)) for path in paths)
        by_name = "true" if len(table.schemas()) > 1 else "false"
        return f"read_parquet([{listed}], union_by_name = {by_name}, hive_partitioning = false)"
    return _registered(connection, table, _dataset(table, paths))


def _dataset(table: IcebergTable, paths: list[str]) -> Any:
    """Return files of an object store as what Arrow's own client reads, and DuckDB asks for columns of."""
    dataset, arrow = library("pyarrow.dataset"), library("pyiceberg.io.pyarrow")
    at = urlsplit(paths[0])
    files = arrow.PyArrowFileIO(table.io.properties).fs_by_scheme(at.scheme, at.netloc)
    names = [urlsplit(path).netloc + urlsplit(path).path for path in paths]
    schema = arrow.schema_to_pyarrow(table.schema(), include_field_ids=False)
    return dataset.dataset(names, schema=schema, filesystem=files, format="parquet")


def _registered(connection: DuckDBPyConnection, table: IcebergTable, rows: Any) -> str:
    name = f"files_of_{table.name()[-1]}"
    connection.register(name, rows)
    return name


def _local(path: str) -> str:
    """Return where a file lies; what is no address is a path already."""
    return path.removeprefix("file:").removeprefix("//")
