"""Moments: all that tests need to know of what was measured on the people of one arm."""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike


class Moments(Struct, frozen=True):
    """How many people, the mean over them, and the sample variance (by n - 1)."""

    n: int
    mean: float
    variance: float
    """NaN where there are fewer than two."""

    @property
    def mean_variance(self) -> float:
        """The variance of the mean; NaN where it cannot be told."""
        return self.variance / self.n if self.n else math.nan

    @property
    def standard_error(self) -> float:
        """Of the mean, in its unit."""
        return math.sqrt(self.mean_variance)


class Joint(Struct, frozen=True):
    """Two measures of the same people: numerator and denominator, or outcome and covariate, in this order."""

    n: int
    means: tuple[float, float]
    variances: tuple[float, float]
    """Sample variances (by n - 1)."""
    covariance: float
    """Sample covariance (by n - 1)."""

    @property
    def first(self) -> Moments:
        """The numerator, or the outcome."""
        return Moments(self.n, self.means[0], self.variances[0])

    @property
    def second(self) -> Moments:
        """The denominator, or the covariate."""
        return Moments(self.n, self.means[1], self.variances[1])


def moments_of(values: ArrayLike) -> Moments:
    """Measure one arm. `values`: shape (n_people,)."""
    x = np.asarray(values, dtype=np.float64)
    n = len(x)
    if n < 2:
        return Moments(n, float(x[0]) if n else math.nan, math.nan)
    # Of equal numbers rounding makes some variance, and a tiny one would look like certainty.
    return Moments(n, float(x.mean()), 0.0 if x.min() == x.max() else float(x.var(ddof=1)))


def joint_of(first: ArrayLike, second: ArrayLike) -> Joint:
    """Measure one arm twice. Both of shape (n_people,), in the same order of people."""
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    a, b, n = moments_of(x), moments_of(y), len(x)
    covariance = float((x - a.mean) @ (y - b.mean)) / (n - 1) if n > 1 else math.nan
    return Joint(n, (a.mean, b.mean), (a.variance, b.variance), covariance)


def pooled(one: Joint, other: Joint) -> Joint:
    """Put two arms together: the moments of all their people (Chan, Golub, LeVeque, 1983)."""
    n = one.n + other.n
    if n < 2:
        return Joint(n, (math.nan, math.nan), (math.nan, math.nan), math.nan)
    x, y = (_mean(one, other, i) for i in (0, 1))
    between = one.n * other.n / n
    dx, dy = (other.means[i] - one.means[i] for i in (0, 1))
    squares = [
        sum((each.n - 1) * each.variances[i] for each in (one, other)) + between * step * step
        for i, step in ((0, dx), (1, dy))
    ]
    products = sum((each.n - 1) * each.covariance for each in (one, other)) + between * dx * dy
    return Joint(n, (x, y), (squares[0] / (n - 1), squares[1] / (n - 1)), products / (n - 1))


def _mean(one: Joint, other: Joint, i: int) -> float:
    return (one.n * one.means[i] + other.n * other.means[i]) / (one.n + other.n)
