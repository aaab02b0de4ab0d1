"""Plain SQL: the same three questions as three queries, in DuckDB; and what reading alone takes.

`python -m bench.analytics.plain TASK FILE ANSWER`
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import duckdb

from bench.analytics.shop import FUNNEL

GRAPH = """
    select source, target, count(*) from (
        select event as source, lead(event) over (partition by user_id order by timestamp) as target
        from events
    ) where target is not null group by all
"""
MATRIX = """
    select place, event, count(*) from (
        select event, row_number() over (partition by user_id order by timestamp) as place from events
    ) where place <= 10 group by all
"""


def reading(file: str) -> Any:
    """Read the three columns, and nothing else: below this no answer from this file can come in DuckDB."""
    return duckdb.execute(
        "select sum(hash(user_id) % 2 + hash(event) % 2), max(timestamp)::varchar from read_parquet(?)",
        [file],
    ).fetchall()


def reading_paths(file: str) -> Any:
    """Read the columns of paths, and nothing else."""
    return duckdb.execute(
        "select sum(hash(path) % 2), sum(total_conversions), sum(total_conversion_value), sum(total_null)"
        " from read_parquet(?)",
        [file],
    ).fetchall()


def journeys(file: str) -> Any:
    """Answer graph, step matrix and funnel."""
    duckdb.execute("create view events as select user_id, event, timestamp from read_parquet('" + file + "')")
    return {
        "graph": duckdb.execute(GRAPH).fetchall(),
        "matrix": duckdb.execute(MATRIX).fetchall(),
        "funnel": duckdb.execute(_funnel()).fetchone(),
    }


def _funnel() -> str:
    """Find who did each step, and when first after the step before it."""
    parts = [
        f"step1 as (select user_id, min(timestamp) as since from events where event = '{FUNNEL[0]}'"
        " group by 1)"
    ]
    for i, name in enumerate(FUNNEL[1:], start=2):
        parts.append(
            f"step{i} as (select e.user_id, min(timestamp) as since from events e join step{i - 1} s"
            f" on e.user_id = s.user_id and timestamp > since where event = '{name}' group by 1)"
        )
    counts = ", ".join(f"(select count(*) from step{i})" for i in range(1, len(FUNNEL) + 1))
    return f"with {', '.join(parts)} select {counts}"


def main() -> None:
    """Do one task."""
    task, file, answer = sys.argv[1:]
    found = {"reading": reading, "reading-paths": reading_paths, "journeys": journeys}[task](file)
    Path(answer).write_text(json.dumps(found, default=str), encoding="utf-8")


if __name__ == "__main__":
    main()
