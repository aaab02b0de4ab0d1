"""Names: names and texts of users, written so that they can be nothing else in DuckDB's SQL."""

from __future__ import annotations


def quoted(name: str) -> str:
    """Write a name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def text_sql(text: str) -> str:
    """Write a text as SQL."""
    return "'" + text.replace("'", "''") + "'"
