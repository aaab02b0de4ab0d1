"""Sequential: intervals that hold at every look, however often and whenever one looks.

An asymptotic confidence sequence: it covers the truth at all sample sizes at once with the probability asked
for (I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy, A. Ramdas, "Time-uniform central limit theory and
asymptotic confidence sequences", arXiv 2103.06476), in the form that GrowthBook made common.
"""

from __future__ import annotations

import math

from sojourn.analytics.statistics.fixed import ALPHA
from sojourn.analytics.statistics.interval import Contrast, Interval, contrast
from sojourn.analytics.statistics.moments import Moments

TUNING = 5_000  # people of both arms at which the interval is narrowest beside that of a fixed test.


def confidence_sequence(
    treated: Moments,
    control: Moments,
    alpha: float = ALPHA,
    tuning: float = TUNING,
    *,
    relative: bool = False,
) -> Interval:
    """Compare two means so that one may look at any time, and stop at any time.

    Args:
        treated: One arm.
        control: What it is compared with.
        alpha: How often an interval may be wrong at any look of all.
        tuning: About how many people are expected, both arms together. It must not be chosen by the outcome.
        relative: As a share of the control's mean (delta method).

    Returns:
        Wider than `fixed.welch`: that is the price. Its p is `always_valid_p`.
    """
    return sequential_interval(contrast(treated, control, relative=relative), alpha, tuning)


def always_valid_p(
    treated: Moments,
    control: Moments,
    alpha: float = ALPHA,
    tuning: float = TUNING,
    *,
    before: float = 1.0,
) -> float:
    """Return the p-value that holds at every look: it is below `alpha` exactly where the interval excludes 0.

    Args:
        treated: One arm.
        control: What it is compared with.
        alpha: Only tunes it, as `tuning` does.
        tuning: As of `confidence_sequence`.
        before: What it was at the look before: evidence once found stays found.
    """
    return min(before, sequential_interval(contrast(treated, control), alpha, tuning).p)


def sequential_interval(difference: Contrast, alpha: float = ALPHA, tuning: float = TUNING) -> Interval:
    """Put the bounds of the confidence sequence around any difference."""
    if not difference.is_known:
        return difference.open()
    n, variance, rho2 = difference.n, difference.variance, _rho_squared(alpha, tuning)
    spread = n * rho2 + 1
    reach = math.sqrt(variance * n * 2 * spread * math.log(math.sqrt(spread) / alpha) / rho2) / n
    log_e = rho2 * n * difference.estimate**2 / (2 * spread * variance) - math.log(spread) / 2
    return difference.within(reach, p=math.exp(min(0.0, -log_e)))


def _rho_squared(alpha: float, tuning: float) -> float:
    """Return rho^2 that makes the sequence narrowest at `tuning` people (arXiv 2103.06476, equation 155)."""
    return (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / tuning
