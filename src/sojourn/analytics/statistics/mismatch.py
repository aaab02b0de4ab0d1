"""Mismatch: whether arms got the shares of people they should have (sample ratio mismatch, SRM).

Where they did not, something lost people of one arm more than of another, and no difference between arms
means anything.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sojourn.analytics.statistics.distributions import chi_square_tail

MAX_P = 0.01  # of the sequential check: at most so many sound tests are ever called mismatched.
MAX_P_ONCE = 0.001  # of chi-square, which people repeat although it is for one look.
PRIOR = 100.0  # people's worth of belief that the shares are right (M. Lindon, A. Malek, 2022).


def chi_square_p(counts: Sequence[float], shares: Sequence[float]) -> float:
    """Return Pearson's p-value for one look at the end.

    Args:
        counts: People of each arm.
        shares: What each arm should have; above 0; they need not sum to 1.
    """
    n, whole = sum(counts), sum(shares)
    if not n or len(counts) < 2:
        return 1.0
    wanted = [n * share / whole for share in shares]
    statistic = sum((got - want) ** 2 / want for got, want in zip(counts, wanted, strict=True))
    return chi_square_tail(statistic, len(counts) - 1)


def sequential_p(counts: Sequence[int], shares: Sequence[float], *, prior: float = PRIOR) -> float:
    """Return a p-value that holds however often one looks (M. Lindon, A. Malek, NeurIPS 2022).

    The Bayes factor of "other shares" (Dirichlet around the expected ones) against the expected shares.
    Keep the smallest over all looks.

    Args:
        counts: People of each arm.
        shares: What each arm should have; above 0; they need not sum to 1.
        prior: How many people's worth the belief in the expected shares is.
    """
    whole = sum(shares)
    log_bayes = math.lgamma(prior) - math.lgamma(prior + sum(counts))
    for count, share in zip(counts, shares, strict=True):
        alpha = prior * share / whole
        log_bayes += math.lgamma(alpha + count) - math.lgamma(alpha) - count * math.log(share / whole)
    return math.exp(min(0.0, -log_bayes))


def sequential_path(arms: ArrayLike, shares: ArrayLike, *, prior: float = PRIOR) -> NDArray[np.float64]:
    """Return the smallest sequential p so far after each person.

    Where shares change on the way (another version, an adaptive allocation) each person is foreseen from
    their own: by the shares times what the arms got beside what they should have got. With constant shares
    that is `sequential_p`.

    Args:
        arms: Shape (n_people,), int: whose arm, in the order of assignment.
        shares: Shape (n_arms,), or (n_people, n_arms): the probability of each arm; above 0 for whoever
            got it; rows sum to 1.
        prior: As of `sequential_p`.

    Returns:
        Shape (n_people,); it never rises.
    """
    drawn: NDArray[Any] = np.asarray(arms, dtype=np.int64)
    expected = np.asarray(shares, dtype=np.float64)
    n, n_arms = len(drawn), expected.shape[-1]
    expected = np.broadcast_to(expected, (n, n_arms))
    got = np.zeros((n, n_arms))
    got[np.arange(n), drawn] = 1
    before = np.cumsum(got, axis=0) - got
    should = np.cumsum(expected, axis=0) - expected
    start = prior * (expected.mean(axis=0) if n else np.ones(n_arms))
    # An arm that nobody could get yet has neither got nor missed anybody.
    with np.errstate(invalid="ignore", divide="ignore"):
        tilt = np.where(start + should > 0, (start + before) / (start + should), 1.0)
    foreseen = expected * tilt
    mine = np.arange(n), drawn
    step = np.log(foreseen[mine] / foreseen.sum(axis=1) / expected[mine])
    path: NDArray[np.float64] = np.minimum.accumulate(np.exp(-np.maximum(np.cumsum(step), 0.0)))
    return path
