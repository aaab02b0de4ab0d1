"""Polars: the same three questions as lazy frames."""

from __future__ import annotations

import polars as pl

from bench.analytics.peers.answering import Answer, answer
from bench.analytics.shop import FUNNEL

N_COLUMNS = 10


def journeys(file: str) -> Answer:
    """Answer graph, step matrix and funnel from events that are ordered once."""
    columns = [pl.col("user_id").cast(pl.Categorical), pl.col("event").cast(pl.Categorical), "timestamp"]
    events = pl.scan_parquet(file).select(columns).collect().sort("user_id", "timestamp")
    is_same = pl.col("user_id") == pl.col("user_id").shift(-1)
    moves = events.lazy().select(source="event", target=pl.col("event").shift(-1), is_move=is_same)
    place = pl.int_range(pl.len()).over("user_id") + 1
    placed = events.lazy().select("event", place=place).filter(pl.col("place") <= N_COLUMNS)
    asked = [
        moves.filter("is_move").group_by("source", "target").len(),
        placed.group_by("place", "event").len(),
    ]
    graph, matrix = pl.collect_all(asked)
    return {"graph": graph.rows(), "matrix": matrix.rows(), "funnel": _funnel(events)}


def _funnel(events: pl.DataFrame) -> list[int]:
    """Find who did each step, and when first after the step before it."""
    some = events.lazy().filter(pl.col("event").cast(pl.String).is_in(list(FUNNEL))).collect()
    passed = _first(some.filter(pl.col("event") == FUNNEL[0]))
    counts = [passed.height]
    for name in FUNNEL[1:]:
        later = some.filter(pl.col("event") == name).join(passed, on="user_id")
        passed = _first(later.filter(pl.col("timestamp") > pl.col("since")))
        counts.append(passed.height)
    return counts


def _first(events: pl.DataFrame) -> pl.DataFrame:
    return events.group_by("user_id").agg(since=pl.col("timestamp").min())


if __name__ == "__main__":
    answer({"journeys": journeys})
