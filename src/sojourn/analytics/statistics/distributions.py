"""Distributions: tails and quantiles of the normal, Student's t and the chi-square law.

By series and continued fractions (Press et al., Numerical Recipes, 3rd ed., 6.2 and 6.4), right to nine
digits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import count
from statistics import NormalDist

NORMAL_DF = 1e7  # degrees of freedom above which t is the normal: they differ by less than 1e-7.
MAX_TERMS = (
    100_000  # of a series or a fraction; fewer than 200 are needed unless degrees of freedom are millions.
)
_TINY = 1e-300
_ENOUGH = 1e-16

_NORMAL = NormalDist()


def normal_cdf(x: float) -> float:
    """Return P(Z <= x), to full relative precision in the lower tail."""
    return math.erfc(-x / math.sqrt(2)) / 2


def normal_tail(x: float) -> float:
    """Return P(Z > x), to full relative precision in the upper tail."""
    return math.erfc(x / math.sqrt(2)) / 2


def normal_quantile(share: float) -> float:
    """Return x with P(Z <= x) = share. `share`: above 0 and below 1."""
    return _NORMAL.inv_cdf(share)


def t_tail(x: float, df: float) -> float:
    """Return P(T > x) of Student's t with `df` degrees of freedom, above 0 and not always whole."""
    if df > NORMAL_DF:
        return normal_tail(x)
    if x < 0:
        return 1 - t_tail(-x, df)
    # Of the two forms of the same number, the one that does not cancel.
    if x < 1:
        return 0.5 - _beta(0.5, df / 2, x * x / (df + x * x)) / 2
    return _beta(df / 2, 0.5, df / (df + x * x)) / 2


def t_quantile(share: float, df: float) -> float:
    """Return x with P(T <= x) = share. `share`: above 0 and below 1."""
    if df > NORMAL_DF:
        return normal_quantile(share)
    if share < 0.5:
        return -t_quantile(1 - share, df)
    tail, low, high = 1 - share, 0.0, 1.0
    while t_tail(high, df) > tail:
        low, high = high, high * 2
    while high - low > _ENOUGH * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if t_tail(middle, df) > tail else (low, middle)
    return (low + high) / 2


def chi_square_tail(x: float, df: float) -> float:
    """Return P(X > x) of the chi-square law with `df` degrees of freedom."""
    if x <= 0:
        return 1.0
    a, x = df / 2, x / 2
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x >= a + 1:
        terms = ((-i * (i - a), x + 2 * i + 1 - a) for i in count(1))
        return front / _fraction(x + 1 - a, terms)
    term = total = 1 / a
    for i in range(1, MAX_TERMS):
        term *= x / (a + i)
        total += term
        if term < total * _ENOUGH:
            break
    return 1 - front * total


def _beta(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    front = math.exp(log_front)
    if x > (a + 1) / (a + b + 2):
        return 1 - front / (b * _beta_fraction(b, a, 1 - x))
    return front / (a * _beta_fraction(a, b, x))


def _beta_fraction(a: float, b: float, x: float) -> float:
    def terms() -> Iterator[tuple[float, float]]:
        yield -(a + b) * x / (a + 1), 1.0
        for m in count(1):
            yield m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), 1.0
            yield -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)), 1.0

    return _fraction(1.0, terms())


def _fraction(first: float, terms: Iterator[tuple[float, float]]) -> float:
    """Return first + a1 / (b1 + a2 / (b2 + ...)) by Lentz's method, `terms` being (a1, b1), ..."""
    value = c = first or _TINY
    d = 0.0
    for (a, b), _ in zip(terms, range(MAX_TERMS), strict=False):
        d = 1 / ((b + a * d) or _TINY)
        c = (b + a / c) or _TINY
        step = c * d
        value *= step
        if abs(step - 1) < _ENOUGH:
            break
    return value
