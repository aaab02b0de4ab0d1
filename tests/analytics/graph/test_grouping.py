"""Grouping: sorting by counting gives what a stable sort gives, also where chunks meet."""

from __future__ import annotations

import numpy as np
import pytest

from sojourn.analytics.chunks import CHUNK, left_of
from sojourn.analytics.graph.grouping import Groups


@pytest.mark.parametrize("n", [0, 1, 1_000, CHUNK, CHUNK + 1, 2 * CHUNK + 17])
@pytest.mark.parametrize("n_groups", [1, 31, 900, 70_000])
def test_groups_are_those_of_a_stable_sort(n: int, n_groups: int) -> None:
    """70,000 groups are more than counting takes, and are sorted otherwise."""
    group = np.random.default_rng([n, n_groups]).integers(0, n_groups, n).astype(np.int32)
    found = Groups.of(group, n_groups)
    assert np.array_equal(found.order, np.argsort(group, kind="stable"))
    assert np.array_equal(found.sizes, np.bincount(group, minlength=n_groups))


def test_joined_groups_keep_the_order_they_are_named_in_and_the_rest_is_one() -> None:
    """What is hidden lies in the order of the things, so that ascending values still ascend."""
    found = Groups.of(np.array([2, 0, 1, 3, 2, 0]), 4).joined(np.array([2, 1]), np.array([3, 0]))
    assert [part.tolist() for part in np.split(found.order, found.starts[1:-1])] == [[0, 4], [2], [1, 3, 5]]


def test_nothing_joined_is_nothing() -> None:
    """A graph of no events has no edge to show."""
    nothing = Groups.of(np.zeros(0, dtype=np.int32), 0).joined(np.zeros(0, np.int64), np.zeros(0, np.int64))
    assert (len(nothing.order), nothing.starts.tolist()) == (0, [0])


@pytest.mark.parametrize("n", [0, 1, 100, CHUNK + 3, 2 * CHUNK])
def test_what_is_left_of_values_is_what_deleting_leaves(n: int) -> None:
    """Places at the edges of chunks are left out like any others."""
    random = np.random.default_rng(n)
    values = random.integers(0, 1_000, n)
    drawn = np.flatnonzero(random.random(n) < 0.3)
    edges = np.array([place for place in (0, CHUNK - 1, CHUNK, n - 1) if 0 <= place < n], dtype=np.int64)
    gone = np.union1d(drawn, edges)
    assert np.array_equal(left_of(lambda part: values[part], n, gone), np.delete(values, gone))
