"""Writing a lake: a slice becomes files, then one rename makes it count.

Files are complete and on disk before they get their names; `progress.json` says up to where they count. A
crash in between leaves files beyond it, which the next start removes and writes again from the log: no row
is lost, none is there twice.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from sojourn import __version__
from sojourn.adapters.lake import columns
from sojourn.adapters.lake.compacting import choose, put_in_place, remove_old, retire
from sojourn.adapters.lake.durable import locked, replace_file, sync
from sojourn.adapters.lake.erasing import MADE, Erasure, finish, is_counting, next_plan
from sojourn.adapters.lake.files import (
    PARTITION,
    File,
    counting,
    list_day,
    list_days,
    name_of,
)
from sojourn.analytics.sql.names import text_sql
from sojourn.model.errors import ConfigError, FolderInUseError
from sojourn.model.lake import EVENTS, TABLES, VERSION, LakeSize, Reach, Slice, date_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PROGRESS = "progress.json"
STAGING = ".staging"
"""What does not count yet; as its name begins with a dot, no reader takes it for a table."""
OLD = ".old"
ENCODED = "encoded"
"""What is kept of the files as numbers; a cache (`adapters/lake/encoded`)."""
SPILL = ".spill"
WRITER_LOCK = "lock"
READERS_LOCK = "readers"
MEMORY = "400MB"  # of DuckDB's own; a merge that needs more sorts on disk.
FORMAT = "FORMAT parquet, COMPRESSION zstd"
MAX_DAYS_OPEN = 100_000  # files open at once where an import's slice spans years.


Day = tuple[str, str]
"""A table and a date."""


class Written(Struct, frozen=True):
    """What `progress.json` says."""

    version: int
    reach: Reach
    mark: str = ""
    """What the log had at `reach.position`."""


def read_progress(lake: Path) -> Written:
    """Read how far a lake is written; raises ConfigError where a newer release, or none, wrote that down."""
    path = lake / PROGRESS
    try:
        written = msgspec.json.decode(path.read_bytes(), type=Written)
    except FileNotFoundError:
        return Written(VERSION, Reach())
    except msgspec.DecodeError as error:
        raise ConfigError(
            f"{path}: is not ours ({error}); move {lake} away, and it is made anew from the log [lake-file]"
        ) from None
    if written.version > VERSION:
        raise ConfigError(
            f"{path}: was written by a newer Sojourn (version {written.version}, this one writes {VERSION}); "
            "use that release, or move the folder away: it is made anew from the log [lake-newer]"
        )
    return written


class ParquetLake:
    """The lake of one data folder, open to write; by one process, and one thread."""

    def __init__(self, lake: Path, *, wait: bool = False) -> None:
        """Open or make it, and remove what a crash left.

        Raises FolderInUseError where another process writes it (with `wait`, waits for it), and ConfigError
        where it is not ours to write.
        """
        self._lake = lake
        self._stack = ExitStack()
        lake.mkdir(parents=True, exist_ok=True)
        if not self._stack.enter_context(locked(lake / WRITER_LOCK, wait=wait)):
            raise FolderInUseError(
                f"{lake}: is being written by a server, which compacts it by itself; stop the server first, "
                "or leave it to it [lake-locked]"
            )
        try:
            self._written = read_progress(lake)
            self._days = self._clean()
        except BaseException:
            self._stack.close()
            raise
        self._connection: DuckDBPyConnection | None = None
        self._erasure: Erasure | None = None

    @property
    def reach(self) -> Reach:
        """How far it is written."""
        return self._written.reach

    @property
    def mark(self) -> str:
        """What the log had at the last position written; empty where nothing was."""
        return self._written.mark

    def size(self) -> LakeSize:
        """Return how much it holds."""
        files = [file for day in self._days.values() for file in day]
        return LakeSize(len(files), sum(file.n_bytes for file in files), len(self._days))

    def write(self, slice_: Slice) -> None:
        """Make the slice that comes next part of the lake; return once it is on disk, and counts.

        Raises OSError where the disk is full or fails: then close it, and open it anew.
        """
        assert slice_.after == self.reach, "slices are written in order"
        self._write(
            lambda connection: columns.fill(connection, slice_, schema="main"), slice_.reach, slice_.mark
        )

    def fill(self, insert: Callable[[DuckDBPyConnection], Iterable[str]], reach: Reach) -> None:
        """Make rows that come from no log part of the lake: a simulation's.

        Args:
            insert: Adds rows to the tables, which lie empty in the database it is called with, by name, with
                a column `date` beside those of the layout; returns the names of those that got rows.
            reach: What is in them.
        """
        self._write(insert, reach, "")

    def _write(self, insert: Callable[[DuckDBPyConnection], Iterable[str]], reach: Reach, mark: str) -> None:
        staging = self._staging()
        connection = self._database()
        for table in TABLES.values():
            columns.empty(connection, table, schema="main")
        for name in insert(connection):
            self._copy(name, staging)
        for day, staged in _staged(staging):
            self._take(day, staged, reach)
        replace_file(self._lake / PROGRESS, msgspec.json.encode(Written(VERSION, reach, mark)))
        self._written = Written(VERSION, reach, mark)

    def erase(self) -> bool:
        """Do one piece of what a plan in `forget/` says: make a file anew, or let those made count.

        Returns whether there was something to do; False as well while a reader of ours is at work.
        """
        if self._erasure is None:
            plan = next_plan(self._lake)
            if plan is None:
                return False
            files = [file for day in self._days.values() for file in day]
            self._erasure = Erasure(self._lake, plan, files, self._database())
        if self._erasure.make(self._copy_query):
            return True
        with locked(self._lake / READERS_LOCK) as is_alone:
            if is_alone:
                self._erasure.count(caches=[self._lake / ENCODED, self._lake / OLD])
                self._erasure = None
                for day in self._days:
                    self._days[day] = counting(list_day(self._lake, *day), self.reach)
        return is_alone

    def compact(self, *, is_final: bool = False) -> bool:
        """Merge small files of one day of one table; return whether there was something to merge.

        With `is_final`, also of today, and however few. False as well while a reader of ours is at work.
        """
        if self._erasure is not None:
            return False
        remove_old(self._lake / OLD)
        today = date_of(self.reach.clock)
        for day, files in self._days.items():
            is_closed = is_final or day[1] < today
            chosen = choose(files, is_closed=is_closed)
            if chosen:
                with locked(self._lake / READERS_LOCK) as is_alone:
                    if is_alone:
                        self._merge(day, chosen, is_sorted=is_closed)
                    return is_alone
        return False

    def expire(self, *, before: str) -> int:
        """Remove the days before a date, of all tables but those that today's answers rest on; count them."""
        old = [day for day in self._days if day[1] < before and not TABLES[day[0]].is_kept_for_ever]
        if not old or self._erasure is not None:
            return 0
        with locked(self._lake / READERS_LOCK) as is_alone:
            if not is_alone:
                return 0
            for table, date in old:
                retire(self._place((table, date)), self._lake / OLD)
                sync(self._lake / table)
                del self._days[table, date]
        return len(old)

    def close(self) -> None:
        """Release everything."""
        if self._connection is not None:
            self._connection.close()
        self._stack.close()

    def _database(self) -> DuckDBPyConnection:
        if self._connection is None:
            self._connection = open_database(spill=self._lake / SPILL)
        return self._connection

    def _staging(self) -> Path:
        """Return the folder for what does not count yet, empty."""
        staging = self._lake / STAGING
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        return staging

    def _run(self, statement: str) -> None:
        """Let DuckDB do something; raises OSError where the disk or the memory is at its end."""
        import duckdb  # noqa: PLC0415 - as in `open_database`

        try:
            self._database().execute(statement)
        except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
            raise OSError(str(error)) from error

    def _copy_query(self, table: str, query: str, path: Path) -> None:
        self._run(f"COPY ({query}) TO {text(path)} ({FORMAT}, {described(table)})")

    def _copy(self, table: str, staging: Path) -> None:
        """Write a table's rows, a file for each day; nearly always that is one day, which is cheaper."""
        dates = f"SELECT CAST(min(date) AS VARCHAR), CAST(max(date) AS VARCHAR) FROM main.{table}"
        first, last = self._database().execute(dates).fetchall()[0]
        if first == last:
            place = staging / table / f"{PARTITION}{first}"
            place.mkdir(parents=True)
            self._run(
                f"COPY (SELECT * EXCLUDE (date) FROM main.{table}) TO {text(place / 'all.parquet')} "
                f"({FORMAT}, {described(table)})"
            )
        else:
            self._run(
                f"COPY (SELECT * FROM main.{table}) TO {text(staging / table)} "
                f"({FORMAT}, PARTITION_BY (date), FILENAME_PATTERN '{{i}}', {described(table)})"
            )

    def _take(self, day: Day, staged: Path, reach: Reach) -> None:
        """Give a staged file its place and name."""
        after = self.reach
        first, last = after.group + 1, reach.group
        if day[0] == EVENTS.name:
            first, last = after.position + 1, reach.position
        place = self._place(day)
        if not place.exists():
            place.mkdir(parents=True)
            sync(place.parent)
        path = place / f"{name_of(first, last)}.parquet"
        sync(staged)
        staged.rename(path)
        sync(place)
        file = File(*day, first, last, path, path.stat().st_size)
        self._days[day] = [*self._days.get(day, []), file]

    def _merge(self, day: Day, files: Sequence[File], *, is_sorted: bool) -> None:
        """Merge neighbours of a day; sorted by whom they are about, a person's rows lie together."""
        folder = self._staging() / "day"
        folder.mkdir()
        merged = folder / f"{name_of(files[0].first, files[-1].last)}.parquet"
        paths = ", ".join(text(file.path) for file in files)
        order = "profile_id, position" if day[0] == EVENTS.name else "profile_id, fact_group, fact_n"
        self._run(
            f"COPY (SELECT * FROM read_parquet([{paths}], union_by_name = true, hive_partitioning = false) "
            f"{f'ORDER BY {order}' if is_sorted else ''}) TO {text(merged)} ({FORMAT}, {described(day[0])})"
        )
        put_in_place(merged, self._place(day), files, old=self._lake / OLD)
        self._days[day] = counting(list_day(self._lake, *day), self.reach)

    def _place(self, day: Day) -> Path:
        return self._lake / day[0] / f"{PARTITION}{day[1]}"

    def _clean(self) -> dict[Day, list[File]]:
        """Remove what a crash left; return the files that count, day by day."""
        if is_counting(self._lake):
            with locked(self._lake / READERS_LOCK, wait=True):
                finish(self._lake)
        for unfinished in (STAGING, OLD, SPILL, MADE):
            shutil.rmtree(self._lake / unfinished, ignore_errors=True)
        days: dict[Day, list[File]] = {}
        for table in TABLES:
            for place in list_days(self._lake, table):
                day = (table, place.name.removeprefix(PARTITION))
                files = list_day(self._lake, *day)
                kept = counting(files, self.reach)
                for file in files:
                    if file not in kept:
                        file.path.unlink()
                if kept:
                    days[day] = kept
        return days


def open_database(*, spill: Path | None = None) -> DuckDBPyConnection:
    """Open a database in memory that reads columns as they are given, and uses one thread."""
    import duckdb  # noqa: PLC0415 - takes longer to load than the rest of a command

    connection = duckdb.connect(config={"threads": 1})
    # An object column is text: nobody is to guess from its first values that it is something else.
    connection.execute("SET pandas_analyze_sample = 0")
    connection.execute(f"SET partitioned_write_max_open_files = {MAX_DAYS_OPEN}")
    if spill is not None:
        connection.execute(f"SET memory_limit = '{MEMORY}'")
        connection.execute(f"SET temp_directory = {text(spill)}")
    return connection


def described(table: str) -> str:
    """Write what a file's own metadata says of it."""
    said = {"sojourn_table": table, "sojourn_lake": str(VERSION), "sojourn_release": __version__}
    return "KV_METADATA {" + ", ".join(f"{key}: '{value}'" for key, value in said.items()) + "}"


def text(path: Path) -> str:
    """Write a path as SQL."""
    return text_sql(str(path))


def _staged(staging: Path) -> Iterator[tuple[Day, Path]]:
    """Yield each day of each table that was written, and its one file."""
    for table in sorted(staging.iterdir()):
        for place in list_days(staging, table.name):
            (staged,) = place.iterdir()
            yield (table.name, place.name.removeprefix(PARTITION)), staged
