"""Weighted: the mean of an arm whose people had different chances of getting into it.

Where shares change on the way, or an allocation learns, an arm's people are not like everybody: more of them
came when it was favoured. Each stands for as many as their logged propensity says (J. Hájek, 1971). Under a
learning allocation a plain mean is biased, and its usual interval is wrong (V. Hadad, D. Hirshberg, R. Zhan,
S. Wager, S. Athey, "Confidence intervals for policy evaluation in adaptive experiments", PNAS 2021)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from sojourn.analytics.statistics.moments import Moments

MIN_EFFECTIVE = 100
"""People of an arm. Of learning allocations without any effect, floors of 0.02 and 0.05, looked at every 50
people, 5 to 10 % were called clear with no such bound, and at most 3 % with it."""


def hajek(values: ArrayLike, propensities: ArrayLike) -> Moments:
    """Return the moments of one arm, each person weighted by 1 / propensity.

    The variance is that of the linearised estimate, times n, so that divided by n it is that of the mean.
    With equal propensities it is the sample variance.

    Args:
        values: Shape (n_people,): of the arm.
        propensities: Shape (n_people,): with which each got into it, above 0.
    """
    x, w = np.asarray(values, dtype=np.float64), 1 / np.asarray(propensities, dtype=np.float64)
    n = len(x)
    if n < 2:
        return Moments(n, float(x.mean()) if n else math.nan, math.nan)
    if x.min() == x.max():  # as in `moments_of`
        return Moments(n, float(x[0]), 0.0)
    mean = float((w * x).sum() / w.sum())
    squares = float((w**2 * (x - mean) ** 2).sum()) / float(w.sum()) ** 2
    return Moments(n, mean, n * squares * n / (n - 1))


def effective_size(propensities: ArrayLike) -> float:
    """Return how many equally weighted people these are worth (L. Kish, 1965)."""
    w = 1 / np.asarray(propensities, dtype=np.float64)
    return float(w.sum() ** 2 / (w**2).sum()) if len(w) else 0.0
