"""Following: slices of log and store, as news to what is known."""

from __future__ import annotations

from sojourn.adapters.lake import columns as laying
from sojourn.adapters.lake.encoded.delta import Columns, Delta, read_delta
from sojourn.adapters.lake.encoded.keeping import READ
from sojourn.adapters.lake.reading import join_tables
from sojourn.adapters.lake.writing import open_database
from sojourn.model.lake import EVENTS, TABLES, Slice

_OF_EVENTS = ("position", "logged_at", "occurred_at", "name", "profile_id", "session_id")


class Slices:
    """A database in memory that holds one slice at a time: the same tables, read by the same SQL as files."""

    def __init__(self, columns: Columns) -> None:
        """Take the attributes that are asked for."""
        self._columns = columns
        self._connection = open_database()
        join_tables(self._connection, [])
        asked = {name.partition(".")[0] for name in (*columns.texts, *columns.numbers)}
        self._wanted = {name: {column.name for column in TABLES[name].columns} for name in READ}
        self._wanted[EVENTS.name] = {*_OF_EVENTS, *asked}
        self._filled: list[str] = []

    def delta(self, slice_: Slice) -> Delta:
        """Read what a slice holds."""
        for name in self._filled:
            self._connection.execute(f"TRUNCATE tail.{name}")
        self._filled = laying.fill(self._connection, slice_, schema="tail", wanted=self._wanted)
        return read_delta(self._connection, self._columns)

    def close(self) -> None:
        """Release the memory."""
        self._connection.close()
