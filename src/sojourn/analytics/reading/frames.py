"""Frames: tables in memory of whoever speaks Arrow's C stream interface, as DuckDB sees them.

pandas, polars, pyarrow, a `Table`, another database's relation: the interface is theirs, so none of them is a
dependency of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sojourn.analytics.sql.names import quoted
from sojourn.model.errors import ConfigError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def is_frame(source: Any) -> bool:
    """Tell whether something is a frame."""
    return hasattr(source, "__arrow_c_stream__")


def copy_frame(connection: DuckDBPyConnection, frame: Any, name: str) -> None:
    """Make a frame a table; it is asked once, since some can give their rows only once.

    Raises:
        ConfigError: It is no frame.
    """
    if not is_frame(frame):
        raise ConfigError(
            f"{type(frame).__name__}: is no table that could be read; give a file, a DuckDB relation, or a frame "
            "that speaks Arrow (pandas, polars, pyarrow)"
        )
    connection.register("given", _Stream(frame))
    try:
        connection.execute(f"create temp table {quoted(name)} as from given")
    finally:
        connection.unregister("given")


class _Stream:
    """A frame as nothing but its stream: DuckDB would look for more in those it knows, and refuse its own."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)
