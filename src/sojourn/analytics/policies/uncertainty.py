"""Uncertainty: how far an estimate may be off, people being what is drawn at random.

Twice, by ways that fail differently: from the estimate's influence and the normal law, and by the bootstrap.
Weighted rewards are skewed (few people count for much), and there the normal law's bounds lie too low; the
bootstrap's are studentised, which mends that (Hall, 1988). Both take a person's decisions together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.policies.decisions import Decisions, Floats
from sojourn.analytics.policies.estimating import Estimated

MAX_GROUPS = 4_096
"""Of people; up to so many people, each is drawn alone."""
_CHUNK = 128  # replicates drawn at once


class Bounds(NamedTuple):
    """Between what the truth probably lies; NaN where nobody can tell."""

    low: float
    high: float


def standard_error(decisions: Decisions, estimated: Estimated) -> float:
    """Return an estimate's standard error, people being independent; NaN of one person."""
    n_people = decisions.n_people
    if n_people < 2:
        return math.nan
    by_person = np.bincount(decisions.person, weights=estimated.influence, minlength=n_people)
    return float(np.sqrt((by_person @ by_person) * n_people / (n_people - 1)) / len(decisions))


def normal_bounds(value: float, error: float, level: float) -> Bounds:
    """Return the bounds that the normal law gives."""
    reach = NormalDist().inv_cdf((1 + level) / 2) * error
    return Bounds(value - reach, value + reach)


def bootstrap_bounds(
    decisions: Decisions, several: Sequence[Estimated], *, level: float, n_replicates: int, seed: int
) -> list[Bounds]:
    """Draw people again, the same for all estimates, and return the bounds of each.

    People are drawn with replacement; where they are many, they are dealt into groups of equal size first,
    and the groups are drawn. The same seed gives the same bounds.
    """
    n_groups = min(decisions.n_people, MAX_GROUPS)
    order = np.random.default_rng([seed, 0]).permutation(decisions.n_people)
    group = (order % n_groups)[decisions.person]
    sums = np.stack([_sums(one, group, n_groups) for one in several])
    value, error = _studied(sums.sum(axis=1), n_groups)
    random = np.random.default_rng([seed, 1])
    studentised = []
    for begin in range(0, n_replicates, _CHUNK):
        n = min(_CHUNK, n_replicates - begin)
        places = random.integers(0, n_groups, (n, n_groups)) + np.arange(n)[:, None] * n_groups
        times = np.bincount(places.ravel(), minlength=n * n_groups).reshape(n, n_groups)
        drawn, its_error = _studied(np.moveaxis(times.astype(np.float64) @ sums, 0, 1), n_groups)
        with np.errstate(invalid="ignore", divide="ignore"):
            studentised.append((drawn - value) / its_error)
    return [_bounds(*each, level) for each in zip(value, error, np.concatenate(studentised).T, strict=True)]


def _sums(estimated: Estimated, group: NDArray[np.int64], n_groups: int) -> Floats:
    """Sum up what an estimate and its error are made of, shape (n_groups, 5)."""
    top, bottom = (
        np.bincount(group, weights=part, minlength=n_groups) for part in (estimated.top, estimated.bottom)
    )
    return np.column_stack([top, bottom, top * top, top * bottom, bottom * bottom])


def _studied(sums: Floats, n_groups: int) -> tuple[Floats, Floats]:
    """Return values and standard errors of sums, shape (..., 5)."""
    top, bottom, squares, products, bottoms = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = top / bottom
        variance = squares - 2 * value * products + value**2 * bottoms
        error = np.sqrt(np.maximum(variance, 0) * n_groups / (n_groups - 1)) / bottom
    return value, error


def _bounds(value: float, error: float, studentised: Floats, level: float) -> Bounds:
    """Turn the studentised replicates into bounds; one in which nobody varies says nothing."""
    told = studentised[np.isfinite(studentised)]
    if not error > 0 or not len(told):
        return Bounds(math.nan, math.nan)
    tail = (1 - level) / 2
    low, high = np.quantile(told, [tail, 1 - tail], method="weibull")
    return Bounds(float(value - high * error), float(value - low * error))
