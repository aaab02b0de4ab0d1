"""Power: how many people a test needs, what it can find with those it has, and how many days that takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.statistics.distributions import (
    NORMAL_DF,
    normal_quantile,
    normal_tail,
    t_quantile,
)
from sojourn.analytics.statistics.fixed import ALPHA
from sojourn.analytics.statistics.interval import Contrast
from sojourn.analytics.statistics.sequential import TUNING, sequential_interval

POWER = 0.8  # the convention since Cohen (1988).
MAX_PEOPLE = 10**12
_NODES = 160  # of the quadrature of noncentral t: nine digits.


def power_of(
    effect: float,
    deviations: tuple[float, float],
    people: tuple[float, float],
    alpha: float = ALPHA,
    *,
    law: str = "t",
) -> float:
    """Return how likely a two-sided test finds an effect.

    Args:
        effect: The true difference of means. deviations: Standard deviations of (treated, control). people:
        How many of (treated, control). alpha: Of the test. law: `t`: noncentral t with Welch's degrees of
        freedom, which takes equal deviations and equal groups to
            the textbook's; `normal`: z, as for shares of many people.
    """
    v, w = (deviation**2 / n for deviation, n in zip(deviations, people, strict=True))
    drift = abs(effect) / math.sqrt(v + w)
    df = (v + w) ** 2 / (v**2 / (people[0] - 1) + w**2 / (people[1] - 1)) if min(people) > 1 else 1.0
    if law == "normal" or df > NORMAL_DF:
        edge = normal_quantile(1 - alpha / 2)
        return normal_tail(edge - drift) + normal_tail(edge + drift)
    edge = t_quantile(1 - alpha / 2, df)
    return _noncentral_tail(edge, df, drift) + _noncentral_tail(edge, df, -drift)


def people_needed(
    effect: float,
    deviations: tuple[float, float],
    *,
    alpha: float = ALPHA,
    power: float = POWER,
    ratio: float = 1.0,
    law: str = "t",
) -> tuple[int, int]:
    """Return how many people (treated, control) a test needs to find an effect that often.

    Args:
        effect: The true difference of means; not 0.
        deviations: Standard deviations of (treated, control).
        alpha: Of the test.
        power: How often it is found.
        ratio: People of the control for each treated one.
        law: As of `power_of`.

    Raises:
        ValueError: The effect is nothing, or more people are needed than there are.
    """
    if not effect:
        raise ValueError("no number of people finds an effect of nothing")

    def finds(n: int) -> bool:
        return power_of(effect, deviations, (n, n * ratio), alpha, law=law) >= power

    n = _smallest(finds)
    return n, math.ceil(n * ratio)


def people_always_valid(
    effect: float,
    deviations: tuple[float, float],
    *,
    alpha: float = ALPHA,
    power: float = POWER,
    tuning: float = TUNING,
) -> int:
    """Return by how many people of each arm an always-valid interval has found an effect that often.

    At the latest: by the interval at that very look; it is often found before. Arguments and errors are those
    of `people_needed` and `confidence_sequence`."""
    if not effect:
        raise ValueError("no number of people finds an effect of nothing")

    def finds(n: int) -> bool:
        variance = (deviations[0] ** 2 + deviations[1] ** 2) / n
        edge = sequential_interval(Contrast(0.0, 1.0, 2 * n), alpha, tuning).high
        drift = abs(effect) / math.sqrt(variance)
        return normal_tail(edge - drift) + normal_tail(edge + drift) >= power

    return _smallest(finds)


def _smallest(finds: Callable[[int], bool]) -> int:
    """Return the smallest number of people that finds; raise ValueError where none does."""
    low, high = 1, 2
    while not finds(high):
        low, high = high, high * 2
        if high > MAX_PEOPLE:
            raise ValueError("more people are needed than there are; look for a larger effect")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if finds(middle) else (middle, high)
    return high


def share_deviation(share: float) -> float:
    """Return the standard deviation of a yes or no that is yes with this probability."""
    return math.sqrt(share * (1 - share))


def days_needed(people: int, people_a_day: float, *, window_days: float = 0.0) -> float:
    """Return how long a test takes: until all have come, and the window of the last is over."""
    return people / people_a_day + window_days


def _noncentral_tail(edge: float, df: float, drift: float) -> float:
    """Return P(T > edge) of noncentral t: the mean of P(Z > edge s - drift) over s = sqrt(chi^2 / df)."""
    s, mass = _chi_nodes(df)
    tails = np.array([normal_tail(edge * each - drift) for each in s])
    return float(tails @ mass)


def _chi_nodes(df: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return nodes of s = sqrt(chi^2 / df), and their probabilities (Gauss-Legendre over its bulk)."""
    spread = 12 / math.sqrt(2 * df)
    low, high = max(0.0, 1 - spread), 1 + spread + 12 / df
    nodes, weights = _legendre()
    s = (high - low) / 2 * nodes + (high + low) / 2
    log_density = (
        math.log(2) + df / 2 * math.log(df / 2) - math.lgamma(df / 2) + (df - 1) * np.log(s) - df / 2 * s**2
    )
    mass = weights * (high - low) / 2 * np.exp(log_density)
    return s, mass


@cache
def _legendre() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.polynomial.legendre.leggauss(_NODES)
