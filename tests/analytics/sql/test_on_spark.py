"""On Spark: the same questions, over the same Parquet, have the same rows as answers as on DuckDB.

`make spark-test` makes Spark's environment and runs this; Spark is no dependency of ours.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sojourn.analytics import sql
from sojourn.analytics.sql import DialectName, Steps
from tests.analytics.sql.histories import Happened, fill, histories, questions
from tests.cli.commands import run
from tests.cli.test_commands import EVENTS, shop
from tests.soak import tries

__all__ = ["shop"]  # the fixture

SPARK = "SOJOURN_SPARK_PYTHON"
MINUTES = 10

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def spark() -> str:
    """Find the Python of Spark's environment."""
    python = os.environ.get(SPARK, "")
    if not python:
        pytest.skip(f"{SPARK} names no Python that has pyspark: `make spark-test` makes one")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java, and there is none")
    return str(Path(python).absolute())  # a shop is another folder


@pytest.fixture(scope="module")
def history() -> list[Happened]:
    """Make a history of many people, with ties, changes of the clock, and rows that are no events."""
    strategy, drawn = histories(), []
    for seed in range(40):
        drawn += [one._replace(who=f"{one.who}{seed}") for one in _drawn(strategy, seed)]
    return drawn


def _drawn(strategy: Any, seed: int) -> list[Happened]:
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded

    found: list[list[Happened]] = []

    @seeded(seed)
    @settings(
        max_examples=tries(6),
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(strategy)
    def draw(one: list[Happened]) -> None:
        found.append(one)

    draw()
    return max(found, key=len)


def test_spark_gives_the_rows_that_duckdb_gives(spark: str, history: list[Happened], tmp_path: Path) -> None:
    """Though it deals rows out over several tasks, and its session's zone has changes of the clock."""
    connection = duckdb.connect()
    fill(connection, history)
    connection.sql("FROM history").write_parquet(str(tmp_path / "history.parquet"))
    answers = asked(spark, {"history": tmp_path / "history.parquet"}, questions("spark"), tmp_path)
    texts = questions("duckdb")
    assert answers.keys() == texts.keys()
    for name, text in texts.items():
        relation = connection.sql(text)
        columns, rows = answers[name]
        assert columns == relation.columns, name
        assert len(rows) > 2, name
        assert rows == [exactly(row) for row in relation.fetchall()], name


def test_spark_reads_the_lakes_own_files(spark: str, shop: Path) -> None:
    """A folder by days, as the server writes it; nothing is converted before."""
    path = shop / "events.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in EVENTS), encoding="utf-8")
    assert run("import", str(path)).exit_code == run("lake", "compact").exit_code == 0
    steps = Steps(table="written", person="profile_id")

    def texts(dialect: DialectName) -> dict[str, str]:
        return {
            "nodes": sql.journey_nodes(steps, dialect=dialect),
            "weeks": sql.retention(steps, period="week", dialect=dialect),
            "paths": sql.touch_paths(["Signed Up"], steps, dialect=dialect),
        }

    answers = asked(spark, {"written": shop / "data/lake/steps"}, texts("spark"), shop)
    connection = duckdb.connect()
    files = f"{shop}/data/lake/steps/*/*.parquet"
    connection.execute(f"CREATE VIEW written AS FROM read_parquet('{files}', hive_partitioning = true)")
    for name, text in texts("duckdb").items():
        rows = connection.sql(text).fetchall()
        assert rows, name
        assert answers[name][1] == [exactly(row) for row in rows], name


def asked(spark: str, tables: dict[str, Path], queries: dict[str, str], folder: Path) -> dict[str, Any]:
    """Let Spark answer queries over Parquet."""
    request, answer = folder / "asked.json", folder / "answered.json"
    told = {"tables": {name: str(path) for name, path in tables.items()}, "queries": queries}
    request.write_text(json.dumps(told), encoding="utf-8")
    script = Path(__file__).with_name("on_spark.py")
    done = subprocess.run(
        [spark, str(script), str(request), str(answer)],
        capture_output=True,
        text=True,
        check=False,
        timeout=MINUTES * 60,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    # What Spark says of a window that gathers all rows in one task.
    assert "No Partition Defined" not in done.stderr
    found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return found


def exactly(row: tuple[Any, ...]) -> list[Any]:
    """Compare sums of fractions, which engines may add up in another order, to twelve digits."""
    return [pytest.approx(value, rel=1e-12) if isinstance(value, float) else value for value in row]
