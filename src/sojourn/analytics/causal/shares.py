"""Shares: how much of what was brought about each channel brought about, and who drives people away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float64]

N_DRAWS = 4_000


class Share(Struct, frozen=True):
    """Of all gains. A channel that takes conversions away has a share below 0, and is no part of them."""

    share: float
    low: float
    high: float


def shares_of(totals: Floats) -> Floats:
    """Divide each total by the sum of those above 0: gains sum to 1, and a loss stays a loss.

    Shape (..., n_channels), as the result; NaN where nothing was gained.
    """
    gains = np.maximum(totals, 0.0).sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares: Floats = np.where(gains > 0, totals / gains, np.nan)
    return shares


def shares_with_intervals(
    totals: Sequence[float], covariance: Floats, *, level: float, seed: int
) -> list[Share] | None:
    """Return shares and intervals, by drawing totals as uncertain as they are.

    Args:
        totals: Of each channel.
        covariance: Of the totals, shape (n_channels, n_channels).
        level: Of the intervals.
        seed: Of the draws.

    Returns:
        None where nothing was gained, or nothing is known of how uncertain it is.
    """
    means = np.array(totals, dtype=np.float64)
    if not len(means) or not np.isfinite(covariance).all() or not (means > 0).any():
        return None
    drawn = np.random.default_rng(seed).multivariate_normal(means, covariance, N_DRAWS, method="eigh")
    edges = (1 - level) / 2
    low, high = np.nanquantile(shares_of(drawn), [edges, 1 - edges], axis=0)
    return [Share(*map(float, row)) for row in zip(shares_of(means), low, high, strict=True)]


def total_variation(one: Floats, other: Floats) -> float:
    """Return how far apart two divisions are, half the sum of differences: 0 equal, 1 all apart."""
    return float(np.abs(one - other).sum() / 2)
