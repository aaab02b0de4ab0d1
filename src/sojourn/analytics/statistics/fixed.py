"""Fixed: the interval of a test that is read once, when it is over."""

from __future__ import annotations

import math

from sojourn.analytics.statistics.distributions import t_quantile, t_tail
from sojourn.analytics.statistics.interval import Contrast, Interval, contrast
from sojourn.analytics.statistics.moments import Moments

ALPHA = 0.05


def welch(treated: Moments, control: Moments, alpha: float = ALPHA, *, relative: bool = False) -> Interval:
    """Compare two means whose variances may differ (B. L. Welch, 1947).

    It is right for one look at the time that was fixed before. Whoever looks each day and stops at the first
    clear answer finds a difference that is not there in 40 of 100 tests: that is what
    `sequential.confidence_sequence` is for.

    Args:
        treated: One arm.
        control: What it is compared with.
        alpha: How often it may be wrong.
        relative: As a share of the control's mean (delta method).

    Returns:
        Without bounds and with p = 1 where an arm has fewer than two people, or nobody varies.
    """
    return fixed_interval(contrast(treated, control, relative=relative), alpha)


def fixed_interval(difference: Contrast, alpha: float = ALPHA) -> Interval:
    """Put the bounds of Student's t around any difference."""
    if not difference.is_known or not difference.df > 0:
        return difference.open()
    error = math.sqrt(difference.variance)
    p = 2 * t_tail(abs(difference.estimate) / error, difference.df)
    return difference.within(t_quantile(1 - alpha / 2, difference.df) * error, p=p)
