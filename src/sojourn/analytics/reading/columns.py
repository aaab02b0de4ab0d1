"""Columns: a column as a mapping names it, as SQL with a type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from sojourn.analytics.sql.names import quoted, text_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

_JSON = ("VARCHAR", "JSON")


class Found(NamedTuple):
    """A column: its SQL and its DuckDB type."""

    sql: str
    type: str


class Schema:
    """What stands behind FROM, and its columns."""

    def __init__(self, sql: str, columns: dict[str, Any], *, place: str) -> None:
        self.sql = sql
        self.place = place
        """For messages."""
        self._columns = columns
        """Name -> type, as DuckDB's own objects."""

    @classmethod
    def of_relation(cls, relation: DuckDBPyRelation, *, place: str, sql: str = "") -> Schema:
        """Take the columns of a relation; `sql` is what it was made from."""
        return cls(sql, dict(zip(relation.columns, relation.types, strict=True)), place=place)

    def names(self) -> list[str]:
        """List the columns, then the fields inside structs by their dots."""
        inner = [name for column, type_ in self._columns.items() for name in _fields(column, type_)]
        return [*self._columns, *inner]

    def top(self, column: str) -> str:
        """Return the column of the table that a name begins with; it must be there."""
        return next(name for name in _heads(column) if name in self._columns)

    def find(self, column: str) -> Found | None:
        """Return a column, or a field inside a struct, a map or JSON text; None where there is none."""
        head = next((name for name in _heads(column) if name in self._columns), None)
        if head is None:
            return None
        sql, type_ = quoted(head), self._columns[head]
        rest = column[len(head) + 1 :].split(".") if len(column) > len(head) else []
        for i, part in enumerate(rest):
            if type_.id == "struct" and part in (fields := dict(type_.children)):
                sql, type_ = f"struct_extract({sql}, {text_sql(part)})", fields[part]
            elif type_.id == "map":
                sql, type_ = f"map_extract_value({sql}, {text_sql(part)})", dict(type_.children)["value"]
            elif str(type_) in _JSON:
                pointer = text_sql(json_pointer(rest[i:]))
                return Found(
                    f"case when json_valid({sql}) then json_extract_string({sql}, {pointer}) end", "VARCHAR"
                )
            else:
                return None
        return Found(sql, str(type_))


def json_pointer(parts: list[str]) -> str:
    """Write a path into JSON as RFC 6901 does.

    >>> json_pointer(["properties", "a/b"])
    '/properties/a~1b'
    """
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def _heads(column: str) -> Iterator[str]:
    """Yield a dotted name and what is left of it, dot by dot: the longest first."""
    while column:
        yield column
        column = column.rpartition(".")[0]


def _fields(column: str, type_: Any) -> Iterator[str]:
    if type_.id == "struct":
        for name, inner in type_.children:
            yield f"{column}.{name}"
            yield from _fields(f"{column}.{name}", inner)
