"""pm4py: an event log, its directly-follows graph, where activities stand, and who eventually did what."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd
import pm4py

from bench.analytics.peers.answering import Answer, answer
from bench.analytics.shop import FUNNEL

N_COLUMNS = 10


def journeys(file: str) -> Answer:
    """Answer graph, step matrix and funnel, as near to a funnel as it has."""
    rows = pd.read_parquet(file, columns=["user_id", "event", "timestamp"])
    log = pm4py.format_dataframe(rows, case_id="user_id", activity_key="event", timestamp_key="timestamp")
    graph, _, _ = pm4py.discover_dfg(log)
    places = {name: pm4py.get_activity_position_summary(log, name) for name in log["event"].unique()}
    return {
        "graph": [[source, target, int(count)] for (source, target), count in graph.items()],
        "matrix": [
            [int(place) + 1, name, int(count)]
            for name, counts in places.items()
            for place, count in counts.items()
            if int(place) < N_COLUMNS
        ],
        "funnel": _funnel(log),
    }


def _funnel(log: pd.DataFrame) -> list[int]:
    """Chain its filter "eventually follows", which is what it has of a funnel."""
    left = pm4py.filter_event_attribute_values(log, "concept:name", [FUNNEL[0]], level="case", retain=True)
    counts = [left["case:concept:name"].nunique()]
    for pair in pairwise(FUNNEL):
        left = pm4py.filter_eventually_follows_relation(left, [pair])
        counts.append(left["case:concept:name"].nunique())
    return counts


if __name__ == "__main__":
    answer({"journeys": journeys})
