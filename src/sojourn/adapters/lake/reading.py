"""Reading a lake: files and what came since, as one table each, in one database in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sojourn.adapters.lake import columns
from sojourn.adapters.lake.durable import locked
from sojourn.adapters.lake.files import File, counting, list_files
from sojourn.adapters.lake.resolving import resolve
from sojourn.adapters.lake.writing import READERS_LOCK, open_database, read_progress, text
from sojourn.model.errors import ConfigError
from sojourn.model.lake import DERIVED, TABLES, Reach, check_origin
from sojourn.model.ports import Tail

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

SLICE_EVENTS = 20_000

NAMES = (*TABLES, *(table.name for table in DERIVED))
"""Every table that can be asked for."""


class LakeReading:
    """All tables of a data folder as of one instant; files are read when a table is asked."""

    def __init__(self, connection: DuckDBPyConnection, reach: Reach, files: list[File]) -> None:
        self.connection = connection
        """Tables lie in it by name, resolved; in the schema `raw`, as they were written."""
        self.names = NAMES
        self.reach = reach
        """What is in them: all up to here."""
        self.files = files

    def table(self, name: str) -> DuckDBPyRelation:
        """Return one table; raises ConfigError where there is none of the name."""
        if name not in NAMES:
            raise ConfigError(f"{name!r} is no table of the lake; those are {', '.join(NAMES)} [lake-table]")
        return self.connection.sql(f"SELECT * FROM {name}")

    def write(self, name: str, path: Path, options: str) -> int:
        """Write a table to a file, as DuckDB's COPY does with these options; return how many rows it has.

        Raises ConfigError where the file cannot be written.
        """
        import duckdb  # noqa: PLC0415 - as in `open_database`

        relation = self.table(name)
        try:
            copied = self.connection.execute(f"COPY ({relation.sql_query()}) TO '{text(path)}' ({options})")
        except duckdb.IOException as error:
            reason = str(error).splitlines()[0]
            raise ConfigError(f"{path}: cannot be written ({reason}) [lake-export]") from None
        return int(copied.fetchall()[0][0])

    def ask(self, sql: str, *, limit: int | None = None) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Answer a question in SQL: the columns' names and the rows, at most `limit`.

        Raises ConfigError where it cannot be answered.
        """
        import duckdb  # noqa: PLC0415

        try:
            cursor = self.connection.execute(sql)
            columns = [column[0] for column in cursor.description or ()]
            return columns, cursor.fetchall() if limit is None else cursor.fetchmany(limit)
        except duckdb.Error as error:
            raise ConfigError(f"{error} [lake-query]") from None


@contextmanager
def read_lake(lake: Path, tail: Tail) -> Iterator[LakeReading]:
    """Open a lake to read, together with what is not in its files yet.

    Until it is left, nobody compacts the lake: the files stay. Raises ConfigError where the lake belongs to
    another log.
    """
    with locked(lake / READERS_LOCK, shared=True, wait=True):
        written, reach = read_progress(lake), tail.reach()
        log_mark = tail.mark(written.reach.position)
        check_origin(written.reach, written.mark, log=reach, log_mark=log_mark)
        files = [
            file
            for _, day in groupby(list_files(lake), key=lambda file: (file.table, file.date))
            for file in counting(day, written.reach)
        ]
        connection = open_database()
        try:
            connection.execute("CREATE SCHEMA tail; CREATE SCHEMA raw")
            _read_tail(connection, tail, written.reach, reach)
            _join(connection, files)
            resolve(connection)
            yield LakeReading(connection, reach, files)
        finally:
            connection.close()


def _read_tail(connection: DuckDBPyConnection, tail: Tail, after: Reach, reach: Reach) -> None:
    for table in TABLES.values():
        columns.empty(connection, table, schema="tail")
    while (after.position, after.group) != (reach.position, reach.group):
        slice_ = tail.read(after, reach, n_events=SLICE_EVENTS)
        columns.fill(connection, slice_, schema="tail")
        after = slice_.reach


def _join(connection: DuckDBPyConnection, files: list[File]) -> None:
    """Make each table of its files and its tail; a column that a file does not have yet is NULL in it."""
    for name in TABLES:
        paths = ", ".join(f"'{text(file.path)}'" for file in files if file.table == name)
        older = (
            f" UNION ALL BY NAME SELECT * FROM read_parquet([{paths}], union_by_name = true, "
            "hive_partitioning = true, hive_types = {'date': DATE})"
        )
        connection.execute(f"CREATE VIEW raw.{name} AS SELECT * FROM tail.{name}" + (older if paths else ""))
