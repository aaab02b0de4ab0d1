"""Tables: what goes in comes out, by every door."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sojourn.analytics.tables import Table

MIXED = Table(
    {
        "step": ["View", "Cart", "Buy"],
        "count": np.array([3, 2, 1], dtype=np.int32),
        "share": np.array([1.0, 2 / 3, np.nan]),
        "is_end": np.array([False, False, True]),
        "walk": [["View"], ["View", "Cart"], []],
        "note": [None, 'said "so"', ""],
    }
)


def test_rows_are_plain_python_values() -> None:
    """A program that wants JSON must not meet NumPy's numbers."""
    first = next(MIXED.rows())
    assert first == ("View", 3, 1.0, False, ["View"], None)
    assert [type(value) for value in first[1:4]] == [int, float, bool]


def test_a_relation_says_the_same_with_its_types() -> None:
    """Whoever goes on in SQL finds numbers as numbers."""
    relation = MIXED.relation()
    assert relation.columns == MIXED.names
    types = ["VARCHAR", "INTEGER", "DOUBLE", "BOOLEAN", "VARCHAR[]", "VARCHAR"]
    assert [str(type_) for type_ in relation.types] == types
    assert relation.fetchall() == [
        ("View", 3, 1.0, False, ["View"], None),
        ("Cart", 2, 2 / 3, False, ["View", "Cart"], 'said "so"'),
        ("Buy", 1, None, True, [], ""),
    ]


def test_a_relation_outlives_what_made_it() -> None:
    """The table may be gone when its rows are read."""
    assert Table({"n": np.arange(3)}).relation().fetchall() == [(0,), (1,), (2,)]


@pytest.mark.parametrize(
    ("values", "type_"), [(np.array([], dtype=np.int64), "BIGINT"), ([], "VARCHAR"), (np.array([]), "DOUBLE")]
)
def test_an_empty_table_keeps_its_columns(values: Any, type_: str) -> None:
    """Nothing found is an answer with columns."""
    relation = Table({'od"d': values}).relation()
    assert (relation.columns, [str(one) for one in relation.types]) == (['od"d'], [type_])
    assert relation.fetchall() == []


def test_equally_long_lists_stay_one_cell_each() -> None:
    """NumPy alone would make two columns of them."""
    assert Table({"walk": [["a", "b"], ["c", "d"]]}).relation().fetchall() == [(["a", "b"],), (["c", "d"],)]


def test_who_speaks_arrow_takes_a_table_as_it_is() -> None:
    """DuckDB itself reads the stream; pyarrow, polars and pandas do the same."""
    pyarrow = pytest.importorskip("pyarrow")
    assert pyarrow.table(MIXED).to_pylist() == [
        {**row, "share": None if row["share"] != row["share"] else row["share"]} for row in MIXED.to_dicts()
    ]


def test_the_arrow_stream_is_there_without_any_library() -> None:
    """No library has to be installed to hand rows over."""
    assert "arrow_array_stream" in repr(MIXED.__arrow_c_stream__())


def test_columns_of_different_lengths_are_no_table() -> None:
    """A row must say something in every column."""
    with pytest.raises(ValueError, match="differ in length"):
        Table({"a": [1], "b": [1, 2]})


def test_a_notebook_shows_text_from_outside_as_text() -> None:
    """A step may be named by anybody who can send an event."""
    assert "<script>" not in Table({"step": ["<script>alert(1)</script>"] * 60})._repr_html_()


def test_a_notebook_says_how_many_rows_it_does_not_show() -> None:
    """Nothing is cut off in silence."""
    assert "and 10 more rows" in Table({"step": ["a"] * 60})._repr_html_()
