"""Reading: files of events, or any DuckDB relation, as encoded events."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sojourn.analytics.events import Events
from sojourn.analytics.reading.folder import open_events, save_events
from sojourn.analytics.reading.frames import is_frame
from sojourn.analytics.reading.mapping import Mapping, parse_mapping
from sojourn.analytics.reading.rows import encode_source
from sojourn.analytics.reading.sources import find_files, open_frame, open_paths, open_relation
from sojourn.analytics.reading.steps import StepRules, load_steps, read_steps

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

__all__ = [
    "Mapping",
    "StepRules",
    "load_steps",
    "open_events",
    "parse_mapping",
    "read_events",
    "read_steps",
    "save_events",
]

KEEP_ALL = StepRules()


def read_events(
    source: str | Path | Iterable[str | Path] | DuckDBPyRelation | Any,
    mapping: Mapping | None = None,
    *,
    steps: StepRules = KEEP_ALL,
) -> Events:
    """Read events, in the order person, time, sequence, place in the file.

    Ids and names are text as written: `001`, `1` and `1.0` in CSV are three people. A time without a zone is
    UTC. Rows that are no events are counted in `left_out`.

    Args:
        source: Files of Parquet, CSV, JSON lines or XES (plain or gzipped): a path, a folder, a pattern such
            as `events/*.parquet`, or several; a warehouse's tables as files or as a DuckDB database; a DuckDB
            relation; or a frame of pandas, polars, pyarrow, or whatever else speaks Arrow.
        mapping: Which column says what; what it leaves open is guessed from well-known names.
        steps: How names of events become steps.

    Raises:
        ConfigError: There is no such file or column, or the columns do not tell who, what and when.
        InputError: A file is damaged, or holds no event.
    """
    import duckdb  # noqa: PLC0415 - it takes longer to load than the command line's help

    mapping = mapping or Mapping()
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    try:
        with TemporaryDirectory(prefix="sojourn-events-") as folder:
            if isinstance(source, duckdb.DuckDBPyRelation):
                opened = open_relation(connection, source, mapping, folder=Path(folder))
            elif is_frame(source):
                opened = open_frame(connection, source, mapping, folder=Path(folder))
            else:
                opened = open_paths(connection, find_files(source), mapping, folder=Path(folder))
            return encode_source(connection, opened, steps)
    finally:
        connection.close()
