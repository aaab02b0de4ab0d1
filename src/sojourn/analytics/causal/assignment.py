"""Assignment: what share a hold-out keeps back, found again from the hash, and whether it got what it should.

Who had no opportunity was never asked; the hash says all the same in which arm they would have been.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.buckets import BUCKETS
from sojourn.analytics.statistics.mismatch import MAX_P, chi_square_p, sequential_p

Flags = NDArray[np.bool_]

MAX_MISFITS = 0.01
"""Of those asked, the share whom the hash may place otherwise (merged people, a changed share). Above it the
share is not taken for known; as GrowthBook's alert for multiple exposure."""
_ROUND = (1_000, 500, 250, 100, 50, 10, 5, 1)
"""Shares people write, in buckets, the roundest first."""


class SampleRatio(Struct, frozen=True, kw_only=True):
    """Whether as many were kept back as should have been."""

    expected: float | None
    """The share; None: unknown, and nothing is checked."""
    observed: float
    p: float
    """However often one looks."""
    p_once: float
    """Of one look (chi-square)."""
    misfits: int
    """People whom the hash places otherwise than they were treated."""

    @property
    def is_broken(self) -> bool:
        """Whether it is so odd that no difference between the arms means anything."""
        return self.p < MAX_P


def found_edge(places: NDArray[np.int64], is_held: Flags) -> tuple[int | None, int]:
    """Find below which bucket people are kept back.

    Args:
        places: The bucket of each, shape (n_people,).
        is_held: Whether each was kept back.

    Returns:
        (the bucket, or None where no bucket parts them; how many lie on the wrong side)
    """
    held = np.bincount(places[is_held], minlength=BUCKETS)
    met = np.bincount(places[~is_held], minlength=BUCKETS)
    wrong = np.concatenate([[0], np.cumsum(met)]) + held.sum() - np.concatenate([[0], np.cumsum(held)])
    least = int(wrong.min())
    if least > MAX_MISFITS * len(places):
        return None, least
    best = np.flatnonzero(wrong == least)
    for step in _ROUND:
        round_ones = best[best % step == 0]
        if len(round_ones):
            return int(round_ones[0]), least
    raise AssertionError("every bucket is a multiple of one")


def sample_ratio(is_held: Flags, share: float | None, misfits: int) -> SampleRatio:
    """Check the shares of both arms."""
    n, n_held = len(is_held), int(is_held.sum())
    observed = n_held / n if n else 0.0
    if share is None or not 0 < share < 1:
        return SampleRatio(expected=None, observed=observed, p=1.0, p_once=1.0, misfits=misfits)
    counts, shares = (n_held, n - n_held), (share, 1 - share)
    return SampleRatio(
        expected=share,
        observed=observed,
        p=sequential_p(counts, shares),
        p_once=chi_square_p(counts, shares),
        misfits=misfits,
    )
