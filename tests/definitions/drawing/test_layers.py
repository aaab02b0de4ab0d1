"""Layers: ranks, order and places of the small layout, on graphs one can do by hand and on random ones."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sojourn.definitions.drawing.layers import GAP, Item, Join, arrange, rank_all


def test_a_thing_stands_below_all_that_lead_to_it() -> None:
    """The longest way counts, so that no line passes through a thing."""
    assert rank_all(4, [(0, 1), (1, 2), (0, 3), (2, 3)]) == [0, 1, 2, 3]


def test_a_circle_is_broken_where_the_walk_closes_it() -> None:
    """People read from the start on, so the way back is the one that goes up."""
    assert rank_all(3, [(0, 1), (1, 2), (2, 0), (1, 1)]) == [0, 1, 2]


@given(st.integers(0, 2**32))
def test_whatever_the_graph_a_line_joins_two_ranks(seed: int) -> None:
    """Also where circles meet circles: no line is level."""
    random = Random(seed)
    links = [(random.randrange(8), random.randrange(8)) for _ in range(random.randrange(20))]
    ranks = rank_all(8, links)
    assert all(ranks[one] != ranks[other] for one, other in links if one != other)


@given(st.integers(0, 2**32))
def test_things_in_a_layer_keep_their_distance(seed: int) -> None:
    """Whatever pulls at them."""
    random = Random(seed)
    layers = [[Item(random.choice((0, 40, 90)), 10) for _ in range(random.randint(1, 5))] for _ in range(4)]
    joins = [
        Join(random.choice(upper), random.choice(lower))
        for upper, lower in pairwise(layers)
        for _ in range(random.randrange(6))
    ]
    width, _ = arrange(layers, joins, 20)
    for layer in layers:
        for left, right in pairwise(layer):
            assert right.x - left.x >= (left.width + right.width) / 2 + GAP - 1e-6
        assert layer[0].x - layer[0].width / 2 >= -1e-6
        assert layer[-1].x + layer[-1].width / 2 <= width + 1e-6
