"""Ratios: a sum over a sum, as revenue per order, where people are what was drawn at random."""

from __future__ import annotations

import math

from sojourn.analytics.statistics.moments import Joint, Moments


def ratio_moments(people: Joint) -> Moments:
    """Return the moments of a ratio of means, by the delta method (A. Deng, U. Knoblich, J. Lu, KDD 2018).

    Args:
        people: Numerator and denominator of each person: orders are no independent trials, people are.

    Returns:
        A variance that divided by n is that of the ratio. All NaN where the denominator's mean is 0.
    """
    numerator, denominator = people.means
    if not denominator:
        return Moments(people.n, math.nan, math.nan)
    ratio = numerator / denominator
    variance = people.variances[0] - 2 * ratio * people.covariance + ratio**2 * people.variances[1]
    return Moments(people.n, ratio, variance / denominator**2)
