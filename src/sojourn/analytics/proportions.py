"""Proportions: how many of how many, and how sure that is."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95
"""How often an interval holds the true share, unless somebody asks for another."""

Numbers = NDArray[np.float64]


class Share(Struct, frozen=True):
    """`count` of `of`, with a Wilson interval; all None where `of` is 0."""

    count: int
    of: int
    share: float | None
    low: float | None
    high: float | None


def wilson(
    count: ArrayLike, of: ArrayLike, *, level: float = LEVEL, of_effective: ArrayLike | None = None
) -> tuple[Numbers, Numbers]:
    """Return the bounds of Wilson's score interval (E. B. Wilson, 1927), each of the shape of `count`.

    Never outside 0 to 1, and never empty at 0 or at all. `of_effective` is how many independent trials the
    dependent ones are worth; the share stays `count / of`. NaN where `of` is 0.
    """
    z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.asarray(count, dtype=np.float64) / np.asarray(of, dtype=np.float64)
        n = np.asarray(of if of_effective is None else of_effective, dtype=np.float64)
        middle = share + z2 / (2 * n)
        reach = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n)))
        low, high = (middle - reach) / (1 + z2 / n), (middle + reach) / (1 + z2 / n)
    # At 0 and at 1 rounding may step over the edge.
    return np.where(share == 0, 0.0, low), np.where(share == 1, 1.0, high)


def share_of(count: int, of: int, *, level: float = LEVEL, of_effective: float | None = None) -> Share:
    """Return one share with its interval."""
    if not of:
        return Share(count, of, None, None, None)
    low, high = wilson(count, of, level=level, of_effective=of_effective)
    return Share(count, of, count / of, float(low), float(high))


def independent(hit: NDArray[Any], tried: NDArray[Any], person: NDArray[Any]) -> float:
    """Return how many independent trials some trials of people are worth: trials of one person are alike.

    The design effect is that of a ratio over people as clusters (Kish, 1965), never below 1: the variance
    of the share with people drawn at random, beside that with trials drawn at random. Where it cannot be
    told (one person, or all trials end alike) each person counts once.

    Args:
        hit: Shape (n_trials,), bool: it succeeded. Only where `tried`.
        tried: Shape (n_trials,), bool: it counts.
        person: Shape (n_trials,): whose it is, ascending.
    """
    if not tried.any():
        return 0.0
    begins = np.flatnonzero(np.diff(person, prepend=-1))
    n = np.add.reduceat(tried, begins, dtype=np.int64)
    x = np.add.reduceat(hit & tried, begins, dtype=np.int64)[n > 0]
    n = n[n > 0]
    n_people, n_trials, n_hits = len(n), int(n.sum()), int(x.sum())
    if n_people == 1 or n_hits in (0, n_trials):
        return float(n_people)
    # The sum of (x - share n)^2 in whole numbers, so that it does not depend on the order of people.
    squares = n_trials**2 * int(x @ x) - 2 * n_trials * n_hits * int(x @ n) + n_hits**2 * int(n @ n)
    by_people = n_people / (n_people - 1) * squares / n_trials**4
    by_trials = n_hits * (n_trials - n_hits) / n_trials**2 / (n_trials - 1)
    return float(n_trials / max(1.0, by_people / by_trials))
