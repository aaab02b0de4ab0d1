"""CUPED: what people did before their assignment taken out of what they did after it."""

from __future__ import annotations

import math

from sojourn.analytics.statistics.moments import Joint, Moments, pooled


def adjusted(treated: Joint, control: Joint) -> tuple[Moments, Moments, float]:
    """Take out of an outcome what a covariate foretells (A. Deng, Y. Xu, R. Kohavi, T. Walker, WSDM 2013).

    y - theta (x - mean x), with theta = cov / var over the people of both arms. The covariate must lie
    strictly before the assignment: what an arm can change would take a part of its effect away.

    Args:
        treated: Outcome and covariate of one arm.
        control: Of the other.

    Returns:
        (treated, control, theta). Where the covariate does not vary theta is 0, and nothing changes.
    """
    both = pooled(treated, control)
    theta = both.covariance / both.variances[1] if both.variances[1] > 0 else 0.0
    a, b = (_adjusted(arm, theta, both.means[1]) for arm in (treated, control))
    return a, b, theta


def _adjusted(arm: Joint, theta: float, centre: float) -> Moments:
    if not theta:
        return arm.first
    mean = arm.means[0] - theta * (arm.means[1] - centre)
    variance = arm.variances[0] + theta**2 * arm.variances[1] - 2 * theta * arm.covariance
    # Rounding may step below zero where the covariate says all.
    return Moments(arm.n, mean, max(variance, 0.0) if not math.isnan(variance) else variance)
