"""Dialects: the few things that engines write differently; all else is in the SQL they share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from sojourn.analytics.sql.names import quoted, text_sql
from sojourn.model.errors import ConfigError

DialectName = Literal["duckdb", "spark"]


class Dialect(Protocol):
    """How one engine writes what others write differently."""

    def name(self, name: str) -> str:
        """Write the name of a column."""
        ...

    def text(self, text: str) -> str:
        """Write a text."""
        ...

    def milliseconds(self, column: str) -> str:
        """Turn a timestamp in UTC into whole ms since 1970, rounded down."""
        ...

    def joined(self, value: str, separator: str, order: str) -> str:
        """Join the texts of a group, in an order; of none: null.

        Args:
            value: SQL of the text; null is passed over.
            separator: SQL of what stands between.
            order: SQL of a number that is another one for each row.
        """
        ...


class DuckDB:
    """DuckDB 1.2 and later."""

    def name(self, name: str) -> str:
        """Write it in double quotes."""
        return quoted(name)

    def text(self, text: str) -> str:
        """Double the quotes in it."""
        return text_sql(text)

    def milliseconds(self, column: str) -> str:
        """Ask the function that does it."""
        return f"EPOCH_MS({column})"

    def joined(self, value: str, separator: str, order: str) -> str:
        """Ask the aggregate that does it."""
        return f"STRING_AGG({value}, {separator} ORDER BY {order})"


class Spark:
    """Spark 3.4 and later by its documentation; the tests ask 4.3."""

    def name(self, name: str) -> str:
        """Write it in backticks."""
        return "`" + name.replace("`", "``") + "`"

    def text(self, text: str) -> str:
        """Escape: in Spark two quotes in a row may end a text and begin another, and a backslash escapes."""
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def milliseconds(self, column: str) -> str:
        """Add up the parts of the clock.

        UNIX_MILLIS would read a timestamp without a zone, as the lake's are, by the session's zone, in which
        hours are left out and doubled.
        """
        seconds = f"CAST(FLOOR(EXTRACT(SECOND FROM {column}) * 1000) AS BIGINT)"
        return (
            f"CAST(UNIX_DATE(CAST({column} AS DATE)) AS BIGINT) * 86400000"
            f" + HOUR({column}) * 3600000 + MINUTE({column}) * 60000 + {seconds}"
        )

    def joined(self, value: str, separator: str, order: str) -> str:
        """Collect, sort and join: LISTAGG is there from Spark 4 only."""
        pairs = f"COLLECT_LIST(CASE WHEN {value} IS NOT NULL THEN STRUCT({order} AS n, {value} AS v) END)"
        return f"NULLIF(ARRAY_JOIN(TRANSFORM(ARRAY_SORT({pairs}), each -> each.v), {separator}), '')"


DIALECTS: Mapping[DialectName, Dialect] = {"duckdb": DuckDB(), "spark": Spark()}


def dialect_named(name: DialectName) -> Dialect:
    """Return a dialect; raise ConfigError where nobody speaks it."""
    if name not in DIALECTS:
        raise ConfigError(f"{name!r}: expected a dialect of {', '.join(DIALECTS)}")
    return DIALECTS[name]
