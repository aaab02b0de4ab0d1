"""Grouping: sorting by counting gives what a stable sort gives, also where chunks meet."""

from __future__ import annotations

import numpy as np
import pytest

from sojourn.analytics.chunks import CHUNK
from sojourn.analytics.graph.grouping import Groups


@pytest.mark.parametrize("n", [0, 1, 1_000, CHUNK, CHUNK + 1, 2 * CHUNK + 17])
@pytest.mark.parametrize("n_groups", [1, 31, 900, 70_000])
def test_groups_are_those_of_a_stable_sort(n: int, n_groups: int) -> None:
    """70,000 groups are more than counting takes, and are sorted otherwise."""
    group = np.random.default_rng([n, n_groups]).integers(0, n_groups, n).astype(np.int32)
    found = Groups.of(group, n_groups)
    assert np.array_equal(found.order, np.argsort(group, kind="stable"))
    assert np.array_equal(found.sizes, np.bincount(group, minlength=n_groups))
