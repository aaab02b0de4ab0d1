"""DFG: counts of what directly follows what, as process miners have them."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.analytics import Asked, dfg, journey_graph
from sojourn.analytics.graph.journey_graph import OTHER
from tests.analytics.making import events_of, walks_of
from tests.soak import tries

WALKS = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=6), min_size=1, max_size=5)


@settings(max_examples=tries(50), deadline=None)
@given(walks=WALKS)
def test_pairs_starts_and_ends_are_counted(walks: list[list[str]]) -> None:
    """Against a loop over the walks."""
    events = events_of((f"p{i}", step, at) for i, walk in enumerate(walks) for at, step in enumerate(walk))
    edges, starts, ends = dfg(journey_graph(events))
    assert edges == Counter(pair for walk in walks for pair in pairwise(walk))
    assert starts == Counter(walk[0] for walk in walks)
    assert ends == Counter(walk[-1] for walk in walks)


def test_a_limit_makes_one_step_of_the_rest_and_loses_no_edge() -> None:
    """Rows that the graph shows as one are told apart here."""
    events = walks_of("ada: View > Cart > View > Buy")
    graph = journey_graph(events, Asked(limit=1, edge_limit=1))
    edges, starts, ends = dfg(graph)
    assert edges == {("View", OTHER): 2, (OTHER, "View"): 1}
    assert (starts, ends) == ({"View": 1}, {OTHER: 1})
