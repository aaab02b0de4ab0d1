"""Quantiles: those of NumPy to the last digit, of many groups at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.analytics.chunks import CHUNK, counted
from sojourn.analytics.graph import quantiles
from sojourn.analytics.graph.quantiles import Ranked, Sizes, places_of

SHARES = (0.0, 0.5, 0.9, 1.0)
DURATIONS = st.integers(0, 40) | st.integers(0, 10**6) | st.integers(0, 2**48)


def _found(group: np.ndarray, durations: np.ndarray, n_groups: int) -> np.ndarray:
    sizes = Sizes(int(durations.max(initial=0)), n_groups)
    cell = group * sizes.n + sizes.of(durations)
    ranked = Ranked.of(counted(cell, n_groups * sizes.n).reshape(n_groups, sizes.n), SHARES)
    places = places_of(ranked.wanted.ravel(), cell)
    return ranked.quantiles(cell[places], durations[places])


@pytest.mark.parametrize("cells", [1 << 18, 100, 1])
@given(st.lists(st.tuples(st.integers(0, 3), DURATIONS), max_size=60))
def test_quantiles_are_those_of_each_group_sorted(cells: int, pairs: list[tuple[int, int]]) -> None:
    """With room for few sizes, they are rough ones; with none, all durations are of one size."""
    group, durations = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    with pytest.MonkeyPatch().context() as patch:
        patch.setattr(quantiles, "_CELLS", cells)
        found = _found(group, durations, 4)
    for one in range(4):
        own = durations[group == one]
        expected = np.quantile(own, SHARES) if len(own) else np.full(len(SHARES), np.nan)
        assert np.array_equal(found[:, one], expected, equal_nan=True)


def test_many_durations_give_what_few_give() -> None:
    """Chunks, threads, and groups of very different sizes."""
    random = np.random.default_rng(3)
    n = 2 * CHUNK + 17
    group = np.minimum(random.geometric(0.3, n) - 1, 9)
    durations = (random.pareto(0.8, n) * 1_000).astype(np.int64)
    found = _found(group, durations, 10)
    for one in range(10):
        assert found[:, one].tolist() == np.quantile(durations[group == one], SHARES).tolist()


def test_a_longer_duration_has_no_smaller_size() -> None:
    durations = np.unique(np.geomspace(1, 2**60, 5_000).astype(np.int64))
    sizes = Sizes(int(durations[-1]), 1)
    found = sizes.of(np.append(0, durations))
    assert found[0] == 0
    assert (np.diff(found) >= 0).all()
    assert found[-1] == sizes.n - 1
    assert len(np.unique(found)) > 400


@pytest.mark.parametrize("n", [0, 1, CHUNK, 9 * CHUNK + 1])
@pytest.mark.parametrize("n_numbers", [3, 200_000])
def test_numbers_are_counted_whatever_the_length_of_a_count(n: int, n_numbers: int) -> None:
    numbers = np.random.default_rng(n).integers(0, n_numbers, n).astype(np.int32)
    assert np.array_equal(counted(numbers, n_numbers), np.bincount(numbers, minlength=n_numbers))
