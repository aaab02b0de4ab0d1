"""The journey graph: every number is what a plain count over steps gives, and every view adds up."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.analytics.events import Events
from sojourn.analytics.graph.chain import chain_of
from sojourn.analytics.graph.difference import difference
from sojourn.analytics.graph.journey_graph import OTHER, Asked, journey_graph
from sojourn.analytics.graph.step_matrix import ENDED, step_matrix
from sojourn.model.errors import ConfigError
from tests.analytics.making import MINUTE, events_of, shared, walks_of

Walks = dict[str, list[str]]

WALKS = st.dictionaries(
    st.sampled_from(["ada", "bob", "eve", "kim", "lee"]),
    st.lists(st.sampled_from("ABCDE"), min_size=1, max_size=8),
    min_size=1,
)


def _events(walks: Walks, *, apart_ms: int = MINUTE) -> Events:
    return events_of(
        (who, step, i * i * apart_ms) for who, walk in walks.items() for i, step in enumerate(walk)
    )


def _by(table: Any, *names: str) -> dict[Any, dict[str, Any]]:
    return {tuple(row[name] for name in names): row for row in table.to_dicts()}


@given(WALKS)
def test_nodes_and_edges_are_what_a_plain_count_gives(walks: Walks) -> None:
    graph = journey_graph(
        _events(walks), Asked(goal=("E",) if any("E" in walk for walk in walks.values()) else ())
    )
    nodes, edges = _by(graph.nodes, "name"), _by(graph.edges, "source", "target")
    steps = Counter(step for walk in walks.values() for step in walk)
    assert {name: row["count"] for (name,), row in nodes.items()} == steps
    moves = Counter(pair for walk in walks.values() for pair in pairwise(walk))
    assert {pair: row["count"] for pair, row in edges.items()} == moves
    for (name,), row in nodes.items():
        having = {who: walk for who, walk in walks.items() if name in walk}
        assert row["people"] == len(having)
        assert row["starts"] == sum(walk[0] == name for walk in walks.values())
        assert row["ends"] == sum(walk[-1] == name for walk in walks.values())
        assert row["repeats"] == moves[name, name]
        assert row["returns"] == sum(_entries(walk, name) - 1 for walk in having.values())
        if "converted" in row:
            did = sum("E" in walk[walk.index(name) :] for walk in having.values())
            assert row["converted"] == pytest.approx(did / len(having))
    for pair, row in edges.items():
        assert row["people"] == sum(pair in pairwise(walk) for walk in walks.values())


def _entries(walk: list[str], name: str) -> int:
    return sum(step == name and (i == 0 or walk[i - 1] != name) for i, step in enumerate(walk))


@given(WALKS, st.integers(0, 4), st.integers(0, 6))
def test_whatever_is_shown_all_of_it_adds_up(walks: Walks, limit: int, edge_limit: int) -> None:
    graph = journey_graph(_events(walks), Asked(limit=limit, edge_limit=edge_limit))
    n_steps = sum(map(len, walks.values()))
    assert sum(graph.nodes["count"]) == n_steps
    assert sum(graph.edges["count"]) == n_steps - len(walks)
    assert sum(graph.nodes["starts"]) == sum(graph.nodes["ends"]) == len(walks)
    incoming, outgoing = graph.counts.sum(axis=0), graph.counts.sum(axis=1)
    assert (graph.nodes["starts"] + incoming == graph.nodes["count"]).all()
    assert (outgoing + graph.nodes["ends"] == graph.nodes["count"]).all()
    assert len(graph.nodes) <= limit + 1
    assert len(graph.edges) <= edge_limit + 1


@given(WALKS)
def test_dwell_quantiles_are_exact(walks: Walks) -> None:
    graph = journey_graph(_events(walks))
    for (source, target), row in _by(graph.edges, "source", "target").items():
        took = [
            (2 * i + 1) * MINUTE
            for walk in walks.values()
            for i, pair in enumerate(pairwise(walk))
            if pair == (source, target)
        ]
        assert row["dwell_p50_ms"] == pytest.approx(np.quantile(took, 0.5))
        assert row["dwell_p90_ms"] == pytest.approx(np.quantile(took, 0.9))


def test_ranks_tell_forward_from_skip_back_and_same() -> None:
    events = walks_of("ada: Cart > Ship > Pay > Cart > Pay > Cart > Chat > Basket > Cart > Cart")
    ranks = {"Basket": 1, "Cart": 1, "Ship": 2, "Pay": 3}
    edges = _by(journey_graph(events, Asked(ranks=ranks)).edges, "source", "target")
    directions = {pair: row["direction"] for pair, row in edges.items()}
    assert directions["Cart", "Ship"] == directions["Ship", "Pay"] == "forward"
    assert directions["Cart", "Pay"] == "skip"
    assert directions["Pay", "Cart"] == "back"
    assert directions["Cart", "Chat"] is None
    assert directions["Basket", "Cart"] == "same"
    assert directions["Cart", "Cart"] == "repeat"


def test_a_goal_stays_shown_however_rare_it_is() -> None:
    events = walks_of("ada: A > A > B > B > Buy\nbob: A > B > C")
    graph = journey_graph(events, Asked(goal=("Buy",), limit=1))
    assert list(graph.nodes["name"]) == ["A", "Buy", OTHER] or list(graph.nodes["name"]) == [
        "B",
        "Buy",
        OTHER,
    ]


def test_a_name_that_is_none_is_refused_with_what_may_be_meant() -> None:
    with pytest.raises(ConfigError, match=r"goal: no step is called 'Order Complete'.*Order Completed"):
        journey_graph(walks_of("ada: Cart > Order Completed"), Asked(goal=("Order Complete",)))


def test_of_no_events_the_graph_is_empty() -> None:
    graph = journey_graph(events_of([]))
    assert len(graph.nodes) == len(graph.edges) == 0


def test_the_chain_of_the_textbook() -> None:
    """Four states, with the answers of an independent solver."""
    q = np.array([[0, 0.7, 0, 0], [0.2, 0.3, 0.25, 0], [0, 0.3, 0.1, 0.4], [0, 0, 0.15, 0.05]])
    convert, leave = np.array([0, 0, 0, 0.6]), np.array([0.3, 0.25, 0.2, 0.2])
    counts = np.zeros((5, 5), dtype=np.int64)
    counts[:4, :4], counts[:4, 4] = np.rint(q * 1000), np.rint(convert * 1000)
    ends = np.append(np.rint(leave * 1000), 600).astype(np.int64)
    chain = chain_of(counts, ends, np.array([False] * 4 + [True]))
    assert chain.conversion == pytest.approx([0.112314, 0.160449, 0.359406, 0.688327, 1], abs=1e-6)
    assert chain.steps_to_end == pytest.approx([3.417569, 3.453670, 2.936221, 1.516245, 0], abs=1e-6)


@given(WALKS)
def test_walks_of_the_chain_convert_as_often_as_it_says(walks: Walks) -> None:
    events = _events(walks)
    goal = np.array([step == "E" for step in events.steps])
    if not goal.any():
        return
    graph = journey_graph(events, Asked(goal=("E",)))
    names = list(graph.nodes["name"])
    counts, ends = graph.counts, np.asarray(graph.nodes["ends"])
    chances, weighted = _by_iteration(counts, ends, names.index("E"))
    assert graph.nodes["conversion"] == pytest.approx(chances, abs=1e-6)
    for name, mean, chance in zip(names, weighted, chances, strict=True):
        if name != "E" and chance > 1e-6:
            found = graph.nodes["steps_to_convert"][names.index(name)]
            assert found == pytest.approx(mean / chance, rel=1e-4)


@given(WALKS)
def test_flows_are_conserved_on_the_way_to_the_goal(walks: Walks) -> None:
    """A walk sets out anew after each goal; weighted by where walks set out, the chance is what happened."""
    events = _events(walks)
    if "E" not in events.steps:
        return
    graph = journey_graph(events, Asked(goal=("E",)))
    goal = list(graph.nodes["name"]).index("E")
    set_out = np.asarray(graph.nodes["starts"]) + graph.counts[goal]
    set_out[goal] = 0  # who is there already, or goes there again, is on no way
    reached = graph.counts[:, goal].sum() - graph.counts[goal, goal]
    known = set_out > 0
    assert (set_out * np.asarray(graph.nodes["conversion"]))[known].sum() == pytest.approx(reached)


def _by_iteration(counts: Any, ends: Any, goal: int) -> tuple[list[float], list[float]]:
    """Follow the chain step by step until nothing is left: P(converts), and the sum of n P(after n)."""
    n = len(ends)
    out = counts.sum(axis=1) + ends
    arrived, chance, weighted = np.eye(n), np.zeros(n), np.zeros(n)
    chance[goal] = 1
    move = counts / np.maximum(out, 1)[:, None]
    move[goal] = 0
    for step in range(1, 3000):
        arrived = arrived @ move
        came = arrived[:, goal]
        chance += came
        weighted += step * came
        arrived[:, goal] = 0
    return chance.tolist(), weighted.tolist()


@given(WALKS, st.integers(1, 9), st.integers(0, 5))
def test_each_position_of_the_step_matrix_adds_up_to_everybody(
    walks: Walks, n_columns: int, limit: int
) -> None:
    matrix = step_matrix(_events(walks), n_columns=n_columns, limit=limit)
    assert (matrix.count.sum(axis=0) == len(walks)).all()
    for column in range(n_columns):
        there = Counter(walk[column] for walk in walks.values() if len(walk) > column)
        for name, count in zip(matrix.names, matrix.count[:, column], strict=True):
            if name == ENDED:
                assert count == sum(len(walk) <= column for walk in walks.values())
            elif name != OTHER:
                assert count == there[name]


@given(WALKS, WALKS)
def test_the_variance_of_a_difference_is_that_of_people(one: Walks, other: Walks) -> None:
    found = _by(difference(_events(one), _events(other)), "source", "target")
    people = sorted({*one, *other})
    for pair, row in found.items():
        x = np.array([pair in pairwise(one.get(who, [])) for who in people], dtype=float)
        y = np.array([pair in pairwise(other.get(who, [])) for who in people], dtype=float)
        in_one, in_other = (np.array([who in walks for who in people], dtype=float) for walks in (one, other))
        s, t = x.sum() / len(one), y.sum() / len(other)
        assert row["share_one"] == pytest.approx(s)
        assert row["share_other"] == pytest.approx(t)
        influence = (x - s * in_one) / len(one) - (y - t * in_other) / len(other)
        reach = 1.959964 * np.sqrt((influence**2).sum())
        assert row["high"] == pytest.approx(min(1.0, row["difference"] + reach), abs=1e-6)


def test_a_real_difference_is_told_from_chance() -> None:
    random = np.random.default_rng(5)

    def shop(share: float, seed: str) -> Events:
        walks = {
            f"{seed}{i}": ["Cart", "Pay" if random.random() < share else "Leave", "End"] for i in range(400)
        }
        return _events(walks)

    real = _by(difference(shop(0.5, "a"), shop(0.3, "b")), "source", "target")
    assert real["Cart", "Pay"]["is_real"]
    assert real["Cart", "Pay"]["low"] < 0.2 < real["Cart", "Pay"]["high"]
    n_false = sum(any(difference(shop(0.4, f"a{n}-"), shop(0.4, f"b{n}-"))["is_real"]) for n in range(40))
    assert n_false <= 6  # 2 expected; more than 6 is one in two hundred


def test_a_selection_does_not_differ_from_itself() -> None:
    events = walks_of("\n".join(f"p{i}: A > B > C" for i in range(30)))
    found = difference(events, events)
    assert not any(found["difference"])
    assert not any(found["is_real"])


@pytest.mark.parametrize(("unit", "n_moves", "n_edges"), [("person", 30_506, 338), ("session", 27_501, 336)])
def test_the_shop_has_so_many_transitions(unit: Any, n_moves: int, n_edges: int) -> None:
    path = shared("ecom_events") / "ecom_events.csv.gz"
    rows = duckdb.connect().sql(
        f"select user_id, event, epoch_ms(timestamp), session_id from read_csv('{path}', parallel = false)"
    )
    events = events_of((who, step, at, {"session": session}) for who, step, at, session in rows.fetchall())
    graph = journey_graph(events, Asked(unit=unit))
    assert (sum(graph.edges["count"]), len(graph.edges)) == (n_moves, n_edges)


def test_the_help_desk_is_as_it_is_known() -> None:
    path = shared("helpdesk") / "helpdesk.csv.gz"
    rows = duckdb.connect().sql(
        "select case_id::varchar, event, epoch_ms(timestamp::timestamptz)"
        f" from read_csv('{path}', parallel = false)"
    )
    graph = journey_graph(events_of(rows.fetchall()))
    nodes = _by(graph.nodes, "name")
    assert (sum(graph.edges["count"]), len(graph.edges)) == (16_768, 55)
    assert sum(graph.nodes["repeats"]) == 944
    assert nodes["Assign seriousness",]["starts"] == 4_384
    assert nodes["Closed",]["ends"] == 4_557
