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
    """Make a frame a table; it is asked for its rows once, since some can give them only once.

    Raises:
        ConfigError: It is no frame.
    """
    if not is_frame(frame):
        raise no_table(frame)
    connection.register("given", frame.__arrow_c_stream__())
    try:
        connection.execute(f"create temp table {quoted(name)} as from given")
    finally:
        connection.unregister("given")


def no_table(source: Any) -> ConfigError:
    """Make the error for what can be no table."""
    return ConfigError(
        f"{type(source).__name__}: is no table that could be read; give a file, a DuckDB relation, or a "
        "frame that speaks Arrow (pandas, polars, pyarrow)"
    )
