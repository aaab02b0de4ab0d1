"""Intervals: an estimate, how far the truth may lie from it, and how odd it would be were there nothing."""

from __future__ import annotations

import math

from msgspec import Struct

from sojourn.analytics.statistics.moments import Moments


class Interval(Struct, frozen=True):
    """A difference, treated less control, with its bounds."""

    estimate: float
    low: float
    high: float
    standard_error: float
    p: float
    """Of "no difference", two-sided."""

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves no difference out."""
        return self.low > 0 or self.high < 0


class Contrast(Struct, frozen=True):
    """A difference whose interval is still to be chosen."""

    estimate: float
    variance: float
    """Of the estimate. Not above 0, or NaN: the data cannot say."""
    n: int
    """People of both arms."""
    df: float = math.inf
    """Degrees of freedom of the variance (Welch, 1947; Satterthwaite, 1946)."""

    @property
    def is_known(self) -> bool:
        """Whether the data can say how sure the estimate is."""
        return self.variance > 0 and math.isfinite(self.variance) and math.isfinite(self.estimate)

    def within(self, reach: float, *, p: float) -> Interval:
        """Put bounds `reach` around the estimate."""
        low, high = self.estimate - reach, self.estimate + reach
        return Interval(self.estimate, low, high, math.sqrt(self.variance), p)

    def open(self) -> Interval:
        """Say that it may be anything: where nobody varies, nothing is known of those not seen."""
        return Interval(self.estimate, -math.inf, math.inf, math.nan, 1.0)


def contrast(treated: Moments, control: Moments, *, relative: bool = False) -> Contrast:
    """Return how far apart two means lie.

    Args:
        treated: One arm.
        control: What it is compared with.
        relative: As a share of the control's mean; its variance by the delta method. Unknown where that
            mean is 0.
    """
    n, v, w = treated.n + control.n, treated.mean_variance, control.mean_variance
    df = _welch_satterthwaite(treated, control)
    difference = treated.mean - control.mean
    if not relative:
        return Contrast(difference, v + w, n, df)
    base = control.mean
    if not base:
        return Contrast(math.nan, math.nan, n, df)
    return Contrast(difference / abs(base), v / base**2 + w * treated.mean**2 / base**4, n, df)


def _welch_satterthwaite(treated: Moments, control: Moments) -> float:
    if treated.n < 2 or control.n < 2:
        return math.nan
    v, w = treated.mean_variance, control.mean_variance
    below = v**2 / (treated.n - 1) + w**2 / (control.n - 1)
    return (v + w) ** 2 / below if below else math.nan
