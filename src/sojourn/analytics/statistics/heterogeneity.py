"""Heterogeneity: whether an effect differs between groups of people, beyond what chance makes of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

from sojourn.analytics.statistics.distributions import chi_square_tail
from sojourn.analytics.statistics.interval import Contrast
from sojourn.analytics.statistics.sequential import sequential_interval


class Difference(Struct, frozen=True):
    """Whether the effects of some groups are one."""

    statistic: float
    """Cochran's Q."""
    df: int
    p: float
    """For one look (W. G. Cochran, 1954)."""
    always_valid_p: float
    """For any number of looks."""


def interaction(groups: Sequence[Contrast], *, alpha: float, tuning: float) -> Difference:
    """Test whether the effect is the same in every group.

    Args:
        groups: The effect in each group; one whose variance is unknown says nothing.
        alpha: Of the always-valid p, which only tunes it.
        tuning: As of `confidence_sequence`.

    Returns:
        Q against chi-square for one look. For many looks: each group's effect beside that of all others
        together, the smallest always-valid p times the number of groups (Bonferroni).
    """
    known = [group for group in groups if group.is_known]
    if len(known) < 2:
        return Difference(math.nan, 0, 1.0, 1.0)
    weights = [1 / group.variance for group in known]
    middle = _mean(known, weights)
    statistic = sum(w * (group.estimate - middle) ** 2 for group, w in zip(known, weights, strict=True))
    df = len(known) - 1
    smallest = min(_against_rest(known, i, alpha, tuning) for i in range(len(known)))
    n_asked = len(known) if len(known) > 2 else 1  # of two groups it is the same question twice
    return Difference(statistic, df, chi_square_tail(statistic, df), min(1.0, n_asked * smallest))


def _against_rest(groups: Sequence[Contrast], i: int, alpha: float, tuning: float) -> float:
    rest = [group for j, group in enumerate(groups) if j != i]
    weights = [1 / group.variance for group in rest]
    gap = Contrast(
        groups[i].estimate - _mean(rest, weights),
        groups[i].variance + 1 / sum(weights),
        sum(group.n for group in groups),
    )
    return sequential_interval(gap, alpha, tuning).p


def _mean(groups: Sequence[Contrast], weights: Sequence[float]) -> float:
    return sum(w * group.estimate for group, w in zip(groups, weights, strict=True)) / sum(weights)
