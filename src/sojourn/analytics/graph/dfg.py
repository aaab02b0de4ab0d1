"""DFG: the directly-follows graph as process miners hand it around: counts by pairs, starts and ends."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sojourn.analytics.graph.journey_graph import JourneyGraph


class Dfg(NamedTuple):
    """What pm4py's `discover_dfg` returns, in that order: `edges, starts, ends = dfg(graph)`."""

    edges: dict[tuple[str, str], int]
    """(step, the step right after it) -> how often; only what happened."""
    starts: dict[str, int]
    """Step -> how many cases begin with it."""
    ends: dict[str, int]
    """Step -> how many cases end with it."""


def dfg(graph: JourneyGraph) -> Dfg:
    """Return a journey graph's counts; steps beyond its limit are one, `(other)`.

    All edges are there, also those that the graph shows as one row. What comes into a step and begins with it
    is what goes out of it and ends with it.
    """
    names = list(graph.nodes["name"])
    sources, targets = np.nonzero(graph.counts)
    counts = graph.counts[sources, targets].tolist()
    pairs = zip(sources.tolist(), targets.tolist(), strict=True)
    return Dfg(
        {(names[a], names[b]): n for (a, b), n in zip(pairs, counts, strict=True)},
        *(
            {row["name"]: row[column] for row in graph.nodes.to_dicts() if row[column]}
            for column in ("starts", "ends")
        ),
    )
