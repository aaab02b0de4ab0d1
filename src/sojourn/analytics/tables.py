"""Tables: answers as named columns, for programs and notebooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.sql.names import quoted
from sojourn.definitions.counts import counted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

Values = NDArray[Any] | Sequence[Any]

SHOWN_ROWS = 50  # of a table in a notebook; it says how many more there are.


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns of equal length, in the order they were given.

    It is an Arrow stream (`__arrow_c_stream__`), so pyarrow, polars and pandas take it as it is:
    `polars.DataFrame(table)`. NaN and None both arrive as null.

    Raises:
        ValueError: Columns differ in length.
    """

    columns: Mapping[str, Values]
    """NumPy arrays of one dimension, or lists of text, numbers, booleans or lists of these."""
    definition: Mapping[str, Any] = field(default_factory=dict)
    """What the numbers mean: unit, window, selection, rules."""

    def __post_init__(self) -> None:
        """Refuse columns that are no table."""
        lengths = {name: len(values) for name, values in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns differ in length: {lengths}")

    def __len__(self) -> int:
        """Count the rows."""
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, name: str) -> Values:
        """Return one column as it was given."""
        return self.columns[name]

    def __repr__(self) -> str:
        """Name the table's size and columns."""
        return f"Table({counted(len(self), 'row')}: {', '.join(self.columns)})"

    @property
    def names(self) -> list[str]:
        """Name the columns."""
        return list(self.columns)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield each row as plain Python values."""
        return zip(*(_plain(values) for values in self.columns.values()), strict=True)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return each row as plain Python values by column."""
        names = self.names
        return [dict(zip(names, row, strict=True)) for row in self.rows()]

    def relation(self, connection: DuckDBPyConnection | None = None) -> DuckDBPyRelation:
        """Return a DuckDB relation, on a database of its own where no connection is given."""
        import duckdb  # noqa: PLC0415 - takes longer to load than most questions

        connection = connection or duckdb.connect()
        sojourn_columns = {f"c{i}": _as_array(values) for i, values in enumerate(self.columns.values())}
        types = [_sql_type(array) for array in sojourn_columns.values()]
        if not len(self):
            empty = (
                f"null::{type_} as {quoted(name)}" for type_, name in zip(types, self.columns, strict=True)
            )
            return connection.sql(f"select {', '.join(empty)} where false")
        named = (
            f"{column}::{type_} as {quoted(name)}"
            for column, type_, name in zip(sojourn_columns, types, self.columns, strict=True)
        )
        # DuckDB finds the dictionary of arrays by the name of the variable.
        return connection.sql(f"select {', '.join(named)} from sojourn_columns")

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Give the rows to whoever speaks Arrow's C stream interface."""
        return self.relation().__arrow_c_stream__(requested_schema)

    def _repr_html_(self) -> str:
        """Show the first rows in a notebook."""
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        shown = [row for row, _ in zip(self.rows(), range(SHOWN_ROWS), strict=False)]
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in shown
        )
        more = len(self) - len(shown)
        rest = f"<p>and {more:,} more rows</p>" if more else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"


_SQL_TYPES = {str: "varchar", bool: "boolean", int: "bigint", float: "double"}


def _plain(values: Values) -> Sequence[Any]:
    if isinstance(values, np.ndarray):
        plain: list[Any] = values.tolist()
        return plain
    return values


def _as_array(values: Values) -> NDArray[Any]:
    if isinstance(values, np.ndarray) and values.dtype.kind in "biufM":
        return values
    # One cell a value: NumPy would make rows of equally long lists a matrix.
    cells = np.empty(len(values), dtype=object)
    for i, value in enumerate(_plain(values)):
        cells[i] = value
    return cells


def _sql_type(array: NDArray[Any]) -> str:
    kind = array.dtype.kind
    if kind == "O":
        return _type_of(next((value for value in array if value is not None), ""))
    if kind == "b":
        return "boolean"
    if kind == "M":
        return "timestamp"
    if kind == "f":
        return "double"
    return ("u" if kind == "u" else "") + {1: "tinyint", 2: "smallint", 4: "integer", 8: "bigint"}[
        array.dtype.itemsize
    ]


def _type_of(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"{_type_of(value[0] if value else '')}[]"
    return _SQL_TYPES.get(type(value), "varchar")
