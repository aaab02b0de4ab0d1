"""Reading a lake: files and what came since, as one table each, in one database in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from sojourn.adapters.lake import columns
from sojourn.adapters.lake.durable import locked
from sojourn.adapters.lake.erasing import standing
from sojourn.adapters.lake.files import File, counting, list_files
from sojourn.adapters.lake.resolving import resolve
from sojourn.adapters.lake.writing import READERS_LOCK, Written, open_database, read_progress, text
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
            copied = self.connection.execute(f"COPY ({relation.sql_query()}) TO {text(path)} ({options})")
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
    with listed(lake, tail) as listing:
        connection = open_database()
        try:
            join_tables(connection, listing.files)
            fill_tail(connection, tail, listing.written.reach, listing.reach)
            resolve(connection)
            yield LakeReading(connection, listing.reach, listing.files)
        finally:
            connection.close()


class Listing(Struct, frozen=True):
    """What a lake has at one instant."""

    written: Written
    reach: Reach
    """How far the engine is; what lies between is in the tail."""
    files: list[File]
    """Those that count."""


@contextmanager
def listed(lake: Path, tail: Tail) -> Iterator[Listing]:
    """List what a lake has; until it is left, the files stay. Raises ConfigError as `read_lake` does."""
    with locked(lake / READERS_LOCK, shared=True, wait=True):
        written, reach = read_progress(lake), tail.reach()
        log_mark = tail.mark(written.reach.position)
        check_origin(written.reach, written.mark, log=reach, log_mark=log_mark)
        files = [
            file
            for _, day in groupby(list_files(lake), key=lambda file: (file.table, file.date))
            for file in counting(day, written.reach)
        ]
        yield Listing(written, reach, standing(lake, files))


def fill_tail(connection: DuckDBPyConnection, tail: Tail, after: Reach, reach: Reach) -> None:
    """Add to the tables what came after one reach, up to another."""
    while (after.position, after.group) != (reach.position, reach.group):
        slice_ = tail.read(after, reach, n_events=SLICE_EVENTS)
        columns.fill(connection, slice_, schema="tail")
        after = slice_.reach


def join_tables(connection: DuckDBPyConnection, files: Iterable[File]) -> None:
    """Make each table, in the schema `raw`, of its files and an empty tail.

    A column that a file does not have yet is NULL in it.
    """
    connection.execute("CREATE SCHEMA tail; CREATE SCHEMA raw")
    for name, table in TABLES.items():
        columns.empty(connection, table, schema="tail")
        paths = ", ".join(text(file.path) for file in files if file.table == name)
        older = (
            f" UNION ALL BY NAME SELECT * FROM read_parquet([{paths}], union_by_name = true, "
            "hive_partitioning = true, hive_types = {'date': DATE})"
        )
        connection.execute(f"CREATE VIEW raw.{name} AS SELECT * FROM tail.{name}" + (older if paths else ""))
