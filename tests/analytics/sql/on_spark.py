"""On Spark: run by the Python of Spark's own environment, asks it texts of SQL and writes the rows as JSON.

    python on_spark.py ASKED.json ANSWERED.json

ASKED is {"tables": {name: Parquet file or folder}, "queries": {name: text}}; ANSWERED is
{name: [columns, rows]}.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pyspark.sql import SparkSession


def main(asked: Path, answered: Path) -> None:
    """Answer every text."""
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "3",  # several, so that what depends on their order shows
        # Another zone than UTC, with changes of the clock: no answer may depend on it.
        "spark.sql.session.timeZone": "America/New_York",
    }
    builder = SparkSession.builder.master("local[2]").appName("sojourn")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    wanted = json.loads(asked.read_text(encoding="utf-8"))
    for name, place in wanted["tables"].items():
        spark.read.parquet(place).createOrReplaceTempView(name)
    answers = {}
    for name, text in wanted["queries"].items():
        frame = spark.sql(text)
        answers[name] = [frame.columns, [list(row) for row in frame.collect()]]
    answered.write_text(json.dumps(answers), encoding="utf-8")
    spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
