"""Instants: SQL reads times as the import does."""

from __future__ import annotations

import duckdb
import pytest

from sojourn.analytics.reading.instants import instant_sql
from sojourn.runtime.importing.instants import parse_instant

TEXTS = [
    "2024-03-13 10:21:14", "2024-03-13T10:21:14Z", "2024-03-13T10:21:14+02:00", "2024-03-13 10:21:14 UTC",
    "2024-03-13T10:21:14.123456789Z", "2024-03-13", "20240313", " 2024-03-13T10:21 ", "1710325274",
    "1710325274.5", "1710325274000", "1710325274000000", "1710325274000000001", "-5", "2024-02-30",
    "13/03/2024", "x", "infinity", "1e9", "9999999999999999999999999999",
    "1969-12-31T23:59:59.9995Z",
]  # fmt: skip


def read(type_: str, value: str | int) -> int | None:
    """Read one value as the SQL of its type does."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        query = f"select {instant_sql('t', type_)} from (select ?::{type_} as t)"
        found: int | None = connection.execute(query, [value]).fetchall()[0][0]
    return found


@pytest.mark.parametrize("text", TEXTS)
def test_text_is_the_instant_the_import_reads(text: str) -> None:
    """One file must not have two times, one for the engine and one for its graph."""
    try:
        expected = parse_instant(text)
    except ValueError:
        expected = None
    assert read("VARCHAR", text) == expected


@pytest.mark.parametrize("number", [5, -5, 1_710_325_274, 1_710_325_274_123, 1_710_325_274_123_456, 2**62])
def test_a_whole_number_is_the_instant_the_import_reads(number: int) -> None:
    """Its unit is told by its size."""
    assert read("BIGINT", number) == parse_instant(number)
