"""A data folder in which a history is lived, and the lake beside it, written at whatever pace a test says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from sojourn.adapters.lake import NAMES, LakeReading, ParquetLake, read_lake
from sojourn.adapters.sqlite import SqliteLog, SqliteStore
from sojourn.adapters.sqlite.tail import SqliteTail
from sojourn.definitions.journey import Catalogue
from sojourn.model.event import Entry, Event
from sojourn.model.fact import Fact
from sojourn.runtime.driver import Driver

T0 = 1_700_000_000_000
Numbered = tuple[int, int, Fact]
"""A fact with its group and its place in it."""
Rows = list[tuple[Any, ...]]


class Folder:
    """Log, store and engine on a folder, and what a lake reads of them."""

    def __init__(self, path: Path, catalogue: Catalogue) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.lake_path = path / "lake"
        self.store = SqliteStore(path)
        self.log = SqliteLog(path, floor=self.store.progress().clock)
        self.driver = Driver(self.log, self.store, catalogue)
        self.tail = SqliteTail(path)

    def live(self, events: Sequence[Event], *, now: int, play: bool = False, shadow: bool = False) -> None:
        """Append events and take them through the engine; those that are duplicates are refused."""
        appended = self.log.append(events, now=now, play=play, shadow=shadow)
        self.driver.take(appended.entries)

    def wait(self, until: int) -> None:
        """Let time pass."""
        clock, _ = self.log.seal(until)
        self.driver.settle((), until=clock)

    def entries(self) -> list[Entry]:
        """Return all that the engine has taken."""
        position = self.store.progress().position
        return [entry for entry in self.log.read(0, 1 << 30) if entry.position <= position]

    def facts(self) -> list[Numbered]:
        """Return all facts, in order."""
        return [
            (group, n, fact)
            for group, facts in self.store.facts_after(0, 1 << 30)
            for n, fact in enumerate(facts)
        ]

    def flush(self, lake: ParquetLake, *, n_events: int = 1_000) -> None:
        """Write one slice, where there is one."""
        reach = self.tail.reach()
        if reach != lake.reach:
            lake.write(self.tail.read(lake.reach, reach, n_events=n_events))

    @contextmanager
    def reading(self) -> Iterator[LakeReading]:
        """Open the lake to read."""
        with read_lake(self.lake_path, self.tail) as reading:
            yield reading

    def close(self) -> None:
        """Release everything."""
        self.tail.close()
        self.log.close()
        self.store.close()


def read_all(reading: LakeReading) -> dict[str, Rows]:
    """Return every table, rows sorted; instants in ms, days left out."""
    found = {}
    for name in NAMES:
        found[name] = rows(reading, name)
    return found


def rows(reading: LakeReading, name: str, columns: str = "*") -> Rows:
    """Return a table's rows, sorted; instants in ms, the day of the folder left out."""
    table = reading.connection.sql(f"SELECT {columns} FROM {name}")
    chosen = ", ".join(
        f'epoch_ms("{column}")' if kind == "TIMESTAMP" else f'"{column}"'
        for column, kind in zip(table.columns, map(str, table.types), strict=True)
        if column != "date"
    )
    return sorted(table.project(chosen).fetchall(), key=repr)


def event(n: int | str, name: str = "Viewed", *, at: int = T0, **fields: Any) -> Event:
    """Write one event of a person."""
    who = fields if {"user_id", "anonymous_id"} & fields.keys() else {"user_id": "ann", **fields}
    kind = {"$identify": "identify", "$alias": "alias", "$group": "group", "$page": "page"}.get(name, "track")
    raws = {key: Raw(msgspec.json.encode(value)) for key, value in who.items() if isinstance(value, dict)}
    return Event(
        source="shop",
        message_id=f"m{n}",
        kind=kind,
        name=name,
        occurred_at=at,
        received_at=at,
        **(who | raws),
    )
