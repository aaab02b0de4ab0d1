"""retentioneering: an event stream, its transition graph, its step matrix and its funnel."""

from __future__ import annotations

import pandas as pd
import retentioneering

from bench.analytics.peers.answering import Answer, answer
from bench.analytics.shop import FUNNEL

N_COLUMNS = 10
ADDED = ("path_start", "path_end")
"""Events that it puts around each path."""


def journeys(file: str) -> Answer:
    """Answer graph, step matrix and funnel."""
    rows = pd.read_parquet(file, columns=["user_id", "event", "timestamp"])
    schema = {"path_cols": ["user_id"], "event_col": "event", "timestamp_col": "timestamp"}
    stream = retentioneering.Eventstream(rows, schema=schema)
    return {
        "graph": _cells(stream.transition_graph_data(edge_weight="count")),
        "matrix": _places(stream.step_matrix_data(max_steps=N_COLUMNS), rows["user_id"].nunique()),
        "funnel": [step["unique_paths"] for step in stream.funnel_data(steps=list(FUNNEL))["steps"]],
    }


def _cells(table: pd.DataFrame) -> list[list[object]]:
    return [
        [source, target, int(count)]
        for source, row in table.iterrows()
        for target, count in row.items()
        if count and source not in ADDED and target not in ADDED
    ]


def _places(shares: pd.DataFrame, n_people: int) -> list[list[object]]:
    """Turn shares of people into people; place 0 is the added start."""
    return [
        [int(place), event, round(share * n_people)]
        for event, row in shares.iterrows()
        for place, share in row.items()
        if share and event not in ADDED and int(place) >= 1
    ]


if __name__ == "__main__":
    answer({"journeys": journeys})
