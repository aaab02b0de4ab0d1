"""Factorial: where hold-outs of all channels make every set of them happen, what sets are worth together.

With it each channel has its Shapley value of what all bring about: these add up, as what is lost by switching
one off (do(off)) need not.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.causal.effects import foretold
from sojourn.analytics.games import shapley_weights

Floats = NDArray[np.float64]

MIN_CELL = 100
"""People of a set, below which its mean says too little: with hold-outs of 10 %, five channels would need
ten million people."""
MAX_CHANNELS = 8


class Factorial(NamedTuple):
    """Shapley values of incremental conversions, per person."""

    phi: Floats
    """Shape (n_channels,)."""
    covariance: Floats
    """Shape (n_channels, n_channels)."""
    smallest_cell: int


def smallest_cell(is_on: NDArray[np.bool_]) -> int:
    """Count the people of the rarest set of channels. `is_on`: shape (n_channels, n_people)."""
    if len(is_on) > MAX_CHANNELS:
        return 0
    return int(np.bincount(_sets(is_on), minlength=1 << len(is_on)).min())


def factorial(outcome: Floats, is_on: NDArray[np.bool_], known: Floats | None) -> Factorial:
    """Estimate from the means of all sets, each of which has MIN_CELL people or more.

    Args:
        outcome: Shape (n_people,).
        is_on: Which channels might meet whom, shape (n_channels, n_people).
        known: What was known before, shape (n_people, n_known).
    """
    if known is not None:
        outcome = outcome - foretold(outcome, known)
    cells, n_cells = _sets(is_on), 1 << len(is_on)
    n = np.bincount(cells, minlength=n_cells)
    mean = np.bincount(cells, outcome, n_cells) / n
    variance = np.bincount(cells, (outcome - mean[cells]) ** 2, n_cells) / (n - 1) / n
    weights = shapley_weights(len(is_on))
    return Factorial(weights @ mean, (weights * variance) @ weights.T, int(n.min()))


def _sets(is_on: NDArray[np.bool_]) -> NDArray[np.int64]:
    powers = 1 << np.arange(len(is_on), dtype=np.int64)
    sets: NDArray[np.int64] = powers @ is_on
    return sets
