"""Group sequential: bounds for a few looks that were planned before, cheaper than bounds for any look.

The z-statistic of look k may cross its bound; that any of them does where there is nothing has the
probability alpha, found by recursion over the looks (P. Armitage, C. K. McPherson, B. C. Rowe, 1969; C.
Jennison, B. W. Turnbull, "Group Sequential Methods", 2000, chapter 19)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.statistics.distributions import normal_quantile, normal_tail
from sojourn.analytics.statistics.fixed import ALPHA

MAX_LOOKS = 50
MAX_STEPS = 30  # of the secant method; it takes about six.
MAX_BOUND = 8.5  # of z: beyond it no probability is left that a double holds beside 1.
GRID = 401  # points, odd: right to eight digits with Simpson's rule (tests compare with published tables).

Spending = Literal["obrien-fleming", "pocock"]
Numbers = NDArray[np.float64]


def obrien_fleming(looks: int, alpha: float = ALPHA) -> list[float]:
    """Return the two-sided bounds of z at equally spaced looks (P. C. O'Brien, T. R. Fleming, 1979).

    Nearly nothing stops early; the last bound is little above that of a fixed test.

    >>> [round(bound, 3) for bound in obrien_fleming(5)]
    [4.562, 3.226, 2.634, 2.281, 2.04]
    """
    fractions = [(k + 1) / looks for k in range(looks)]
    before = normal_quantile(1 - alpha / 2)
    last = before * 1.05  # of any number of looks it is above the first and not far from it
    miss = _missed(before, fractions, alpha)
    for _ in range(MAX_STEPS):
        now = _missed(last, fractions, alpha)
        if abs(now) < 1e-10 or last == before:
            break
        before, miss, last = last, now, last - now * (last - before) / (now - miss)
    return [last / math.sqrt(t) for t in fractions]


def lan_demets(
    fractions: Sequence[float], alpha: float = ALPHA, *, spending: Spending = "obrien-fleming"
) -> list[float]:
    """Return two-sided bounds of z for looks at any fractions of the planned people.

    K. K. G. Lan, D. L. DeMets, 1983.

    Each look may spend a part of alpha that only depends on when it is: so looks need not be equally spaced,
    and may be fewer or more than was thought.

    Args:
        fractions: Of the planned people at each look; rising, above 0 and at most 1.
        alpha: In all.
        spending: How it is spent.

    >>> [round(bound, 3) for bound in lan_demets([0.2, 0.4, 0.6, 0.8, 1.0])]
    [4.877, 3.357, 2.68, 2.29, 2.031]
    """
    bounds: list[float] = []
    walk = _Walk()
    spent = 0.0
    for fraction in fractions:
        should = _spent(min(fraction, 1.0), alpha, spending)
        bounds.append(walk.bound(fraction, should - spent))
        spent = should
    return bounds


def crossing_probability(bounds: Sequence[float], fractions: Sequence[float], *, drift: float = 0.0) -> float:
    """Return how likely z crosses a bound at one of the looks.

    Args:
        bounds: Of |z| at each look.
        fractions: Of the planned people at each look.
        drift: What z is expected to be at the end; 0: there is nothing, and this is the type I error.
    """
    walk = _Walk(drift)
    return sum(walk.look(fraction, bound) for bound, fraction in zip(bounds, fractions, strict=True))


def _missed(last: float, fractions: Sequence[float], alpha: float) -> float:
    """Return by how much bounds that end with one miss alpha."""
    return crossing_probability([last / math.sqrt(t) for t in fractions], fractions) - alpha


def _spent(t: float, alpha: float, spending: Spending) -> float:
    if spending == "pocock":
        return alpha * math.log(1 + (math.e - 1) * t)
    # Each side spends alpha / 2.
    return 4 * normal_tail(normal_quantile(1 - alpha / 4) / math.sqrt(t))


class _Walk:
    """The sum behind z, look by look: how likely it is where, among those that crossed no bound so far."""

    def __init__(self, drift: float = 0.0) -> None:
        self._drift = drift
        self._t = 0.0
        self._points: Numbers = np.zeros(1)
        self._mass: Numbers = np.ones(1)
        """Probability at each point."""

    def look(self, t: float, bound: float) -> float:
        """Go on to a look; return how likely it crosses there."""
        crossed = self._outside(t, bound)
        reach = min(bound, MAX_BOUND + abs(self._drift)) * math.sqrt(t)
        points = np.linspace(-reach, reach, GRID)
        weights = np.ones(GRID)
        weights[1:-1:2], weights[2:-1:2] = 4.0, 2.0
        weights *= (points[1] - points[0]) / 3
        spread = math.sqrt(t - self._t)
        z = (points[:, None] - self._points[None, :] - self._drift * (t - self._t)) / spread
        density = np.exp(-0.5 * z**2) / (spread * math.sqrt(2 * math.pi))
        self._mass = weights * (density @ self._mass)
        self._points, self._t = points, t
        return crossed

    def bound(self, t: float, probability: float) -> float:
        """Go on to a look whose bound is crossed with a probability; return that bound."""
        low, high = 0.0, MAX_BOUND
        while high - low > 1e-10:
            middle = (low + high) / 2
            low, high = (middle, high) if self._outside(t, middle) > probability else (low, middle)
        self.look(t, high)
        return high

    def _outside(self, t: float, bound: float) -> float:
        spread = math.sqrt(t - self._t)
        middle = self._points + self._drift * (t - self._t)
        edge = bound * math.sqrt(t)
        tails = [
            math.erfc((edge - m) / spread / math.sqrt(2)) + math.erfc((edge + m) / spread / math.sqrt(2))
            for m in middle
        ]
        return float(np.array(tails) @ self._mass) / 2
