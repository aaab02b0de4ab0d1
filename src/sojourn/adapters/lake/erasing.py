"""Erasing from a lake: files with rows of somebody who was forgotten are written anew, and count all at once.

    forget/<request>.json     what is to go: numbers of entries and facts
    .forget/<table>/date=.../ files made anew, under their names
    forgetting.json           those count now: by one rename; what is not in its place yet is put there

A file with fewer rows keeps its name, which says a range. A crash before that rename leaves the old files.
What is left after it the next start does, and a reader in between reads the new files where they lie.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from sojourn.adapters.lake.durable import replace_file, sync
from sojourn.adapters.lake.files import PARTITION, File
from sojourn.analytics.sql.names import text_sql
from sojourn.model.lake import EVENTS, Gone

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PLANS = "forget"
MADE = ".forget"
COUNTING = "forgetting.json"
REFUSALS = "identity_changes"

_TABLES = """
CREATE OR REPLACE TABLE gone_positions (position BIGINT);
CREATE OR REPLACE TABLE gone_facts (fact_group BIGINT, fact_n BIGINT);
CREATE OR REPLACE TABLE renamed (fact_group BIGINT, fact_n BIGINT, other_id VARCHAR, message_id VARCHAR);
"""
_HAS_EVENT = "position IN (SELECT position FROM gone_positions)"
_HAS_FACT = """EXISTS (
    SELECT 1 FROM gone_facts g WHERE g.fact_group = t.fact_group AND g.fact_n = t.fact_n
)"""
_IS_RENAMED = "EXISTS (SELECT 1 FROM renamed r WHERE r.fact_group = t.fact_group AND r.fact_n = t.fact_n)"
_RENAMED = """
SELECT t.* REPLACE (coalesce(r.other_id, t.other_id) AS other_id,
                    coalesce(r.message_id, t.message_id) AS message_id)
FROM read_parquet({file}, hive_partitioning = false) t
LEFT JOIN renamed r ON r.fact_group = t.fact_group AND r.fact_n = t.fact_n
WHERE NOT {gone}
"""


class Counting(Struct, frozen=True):
    """What `forgetting.json` says: the files that count in the place of others."""

    request: str
    files: list[tuple[str, str, str]]
    """(table, date, name) of each."""


class Erasure:
    """One plan under way, in the process that writes the lake."""

    def __init__(self, lake: Path, plan: Path, files: Iterable[File], connection: DuckDBPyConnection) -> None:
        """Begin; nothing counts before `count`."""
        gone = msgspec.json.decode(plan.read_bytes(), type=Gone)
        self._lake = lake
        self._plan = plan
        self._connection = connection
        self._waiting = [file for file in files if _concerns(gone, file)]
        self._made: list[tuple[str, str, str]] = []
        shutil.rmtree(lake / MADE, ignore_errors=True)
        (lake / MADE).mkdir()
        _fill(connection, gone)

    def make(self, copy: Callable[[str, str, Path], None]) -> bool:
        """Make the next file anew, where it has rows that go; return whether there was one to look at.

        `copy` writes what a query says of a table to a file.
        """
        if not self._waiting:
            return False
        file = self._waiting.pop(0)
        source = text_sql(str(file.path))
        gone = _HAS_EVENT if file.table == EVENTS.name else _HAS_FACT
        concerned = f"({gone} OR {_IS_RENAMED})" if file.table == REFUSALS else gone
        counted = (
            f"SELECT count(*) FROM read_parquet({source}, hive_partitioning = false) t WHERE {concerned}"
        )
        if self._connection.execute(counted).fetchall()[0][0]:
            query = f"SELECT * FROM read_parquet({source}, hive_partitioning = false) t WHERE NOT {gone}"
            if file.table == REFUSALS:
                query = _RENAMED.format(file=source, gone=gone)
            made = _made(self._lake, file)
            made.parent.mkdir(parents=True, exist_ok=True)
            copy(file.table, query, made)
            sync(made)
            self._made.append((file.table, file.date, file.path.name))
        return True

    def count(self, *, caches: Sequence[Path]) -> None:
        """Let all files made count, with the readers' lock held; caches of the old ones go."""
        for cache in caches:
            shutil.rmtree(cache, ignore_errors=True)
        for folder in sorted(
            {(self._lake / MADE / table / f"{PARTITION}{date}") for table, date, _ in self._made}
        ):
            sync(folder)
        counting = Counting(self._plan.stem, self._made)
        replace_file(self._lake / COUNTING, msgspec.json.encode(counting))
        finish(self._lake)


def next_plan(lake: Path) -> Path | None:
    """Return a plan that waits; None where none does."""
    plans = sorted((lake / PLANS).glob("*.json")) if (lake / PLANS).is_dir() else []
    return plans[0] if plans else None


def finish(lake: Path) -> None:
    """Put the files that count in their places; what was made and does not count is removed."""
    counting = _counting(lake)
    if counting is not None:
        for table, date, name in counting.files:
            place = lake / table / f"{PARTITION}{date}"
            made = lake / MADE / table / place.name / name
            if made.exists() and (place / name).exists():  # else it is there, or its day was removed
                made.replace(place / name)
                sync(place)
        plans = lake / PLANS
        replace_file(plans / f"{counting.request}.done", str(len(counting.files)).encode())
        (plans / f"{counting.request}.json").unlink(missing_ok=True)
        (lake / COUNTING).unlink()
        sync(lake)
    shutil.rmtree(lake / MADE, ignore_errors=True)


def standing(lake: Path, files: Iterable[File]) -> list[File]:
    """Return files from where they lie: those that count and are not in their places yet, too."""
    counting = _counting(lake)
    if counting is None:
        return list(files)
    named = set(counting.files)
    found = []
    for file in files:
        made = _made(lake, file)
        is_new = (file.table, file.date, file.path.name) in named and made.exists()
        found.append(replace(file, path=made, n_bytes=made.stat().st_size) if is_new else file)
    return found


def is_counting(lake: Path) -> bool:
    """Tell whether files that count are still to be put in their places."""
    return (lake / COUNTING).exists()


def _counting(lake: Path) -> Counting | None:
    try:
        return msgspec.json.decode((lake / COUNTING).read_bytes(), type=Counting)
    except FileNotFoundError:
        return None


def _made(lake: Path, file: File) -> Path:
    return lake / MADE / file.table / f"{PARTITION}{file.date}" / file.path.name


def _concerns(gone: Gone, file: File) -> bool:
    if file.table == EVENTS.name:
        numbers = np.array(gone.positions, dtype=np.int64)
    else:
        numbers = np.array(sorted({*(g for g, _ in gone.facts), *(one.group for one in gone.renamed)}))
    first, after = np.searchsorted(numbers, [file.first, file.last + 1])
    return bool(first < after)


def _fill(connection: DuckDBPyConnection, gone: Gone) -> None:
    connection.execute(_TABLES)
    facts = np.array(gone.facts, dtype=np.int64).reshape(-1, 2)
    incoming = {
        "gone_positions": {"position": np.array(gone.positions, dtype=np.int64)},
        "gone_facts": {"fact_group": facts[:, 0].copy(), "fact_n": facts[:, 1].copy()},
    }
    for table, arrays in incoming.items():
        connection.register("incoming", arrays)
        connection.execute(f"INSERT INTO {table} SELECT * FROM incoming")
        connection.unregister("incoming")
    for one in gone.renamed:
        values = [one.group, one.n, one.other_id, one.message_id]
        connection.execute("INSERT INTO renamed VALUES (?, ?, ?, ?)", values)
