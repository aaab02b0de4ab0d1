"""Files of a lake: their names say what they hold, so that a listing is enough to know which ones count.

`lake/<table>/date=YYYY-MM-DD/<first>-<last>.parquet`: the day is that of the log's clock, in UTC; `first` and
`last` are positions of the log (of `events`) or groups of facts (of all others). Ranges of the files of one
day never overlap, but that one may lie inside another: then it was merged into that, and does not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from sojourn.model.lake import EVENTS, TABLES, Reach

PARTITION = "date="
DIGITS = 15  # 10^15 events: 3,000 years of 10,000 a second.

_NAME = re.compile(r"(\d+)-(\d+)\.parquet")


class File(Struct, frozen=True):
    """One Parquet file."""

    table: str
    date: str
    """YYYY-MM-DD."""
    first: int
    last: int
    path: Path
    n_bytes: int


def name_of(first: int, last: int) -> str:
    """Name a file, without its suffix, by what it holds."""
    return f"{first:0{DIGITS}}-{last:0{DIGITS}}"


def list_files(lake: Path, *, tables: Iterable[str] = TABLES) -> Iterator[File]:
    """Yield every file of a lake, day by day; those that do not count as well."""
    for table in tables:
        for day in list_days(lake, table):
            yield from list_day(lake, table, day.name.removeprefix(PARTITION))


def list_days(lake: Path, table: str) -> list[Path]:
    """Return the folders of a table's days, the oldest first."""
    place = lake / table
    if not place.is_dir():
        return []
    return sorted(each for each in place.iterdir() if each.name.startswith(PARTITION))


def list_day(lake: Path, table: str, date: str) -> list[File]:
    """Return the files of one day in the order of what they hold; those that do not count as well."""
    place = lake / table / f"{PARTITION}{date}"
    files = []
    for path in place.iterdir():
        found = _NAME.fullmatch(path.name)
        if found:
            n_bytes = path.stat().st_size
            files.append(File(table, date, int(found[1]), int(found[2]), path, n_bytes))
    return sorted(files, key=lambda file: (file.first, -file.last))


def counting(files: Iterable[File], reach: Reach) -> list[File]:
    """Return the files (of one day, in order) that count: written whole, and not merged into another."""
    kept: list[File] = []
    for file in files:
        if file.last <= end_of(file.table, reach) and not (kept and file.last <= kept[-1].last):
            kept.append(file)
    return kept


def end_of(table: str, reach: Reach) -> int:
    """Return up to where a table is written, in what its files' names count."""
    return reach.position if table == EVENTS.name else reach.group
