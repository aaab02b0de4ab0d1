"""Samples: the people of two arms whose numbers are compared, and how far apart these lie."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.statistics.cuped import adjusted
from sojourn.analytics.statistics.interval import Contrast, contrast
from sojourn.analytics.statistics.moments import Moments, joint_of, moments_of
from sojourn.analytics.statistics.weighted import MIN_EFFECTIVE, effective_size, hajek

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One arm. Arrays are (n_people,), in one order."""

    values: Numbers
    below: Numbers | None = None
    """Of a ratio: what stands below the line."""
    covariate: Numbers | None = None
    chance: Numbers | None = None
    """With which each person got into the arm; None: it is the same for all."""

    def __len__(self) -> int:
        """Count the people."""
        return len(self.values)

    @property
    def effective(self) -> float:
        """How many equally weighted people they are worth; without weights there is no bound on them."""
        return math.inf if self.chance is None else effective_size(self.chance)

    def some(self, is_in: NDArray[np.bool_]) -> Sample:
        """Return the same of some people."""
        parts = (None if each is None else each[is_in] for each in (self.below, self.covariate, self.chance))
        return Sample(self.values[is_in], *parts)

    def raw(self) -> Moments:
        """Return the moments of what was measured, nothing taken out."""
        return self._moments(self.values if self.below is None else _linear(self))

    def taken(self, theta: float, centre: float) -> Moments:
        """Return the moments with what the covariate foretells taken out."""
        if self.covariate is None or not theta:
            return self.raw()
        return self._moments(self.values - theta * (self.covariate - centre))

    def _moments(self, values: Numbers) -> Moments:
        return moments_of(values) if self.chance is None else hajek(values, self.chance)


def foretold(treated: Sample, control: Sample) -> tuple[float, float]:
    """Return (theta, the covariate's mean) over the people of both arms; theta 0: nothing is taken out."""
    if treated.covariate is None or control.covariate is None or min(len(treated), len(control)) < 2:
        return 0.0, 0.0
    joints = [joint_of(each.values, each.covariate) for each in (treated, control)]  # type: ignore[arg-type]
    _, _, theta = adjusted(*joints)
    centre = float(np.concatenate([treated.covariate, control.covariate]).mean())
    return theta, centre


def apart(
    treated: Sample, control: Sample, *, theta: float = 0.0, centre: float = 0.0, relative: bool = False
) -> Contrast:
    """Return how far apart two arms lie; unknown where few weighted people stand for all."""
    found = contrast(treated.taken(theta, centre), control.taken(theta, centre), relative=relative)
    if min(treated.effective, control.effective) < MIN_EFFECTIVE:
        return Contrast(found.estimate, math.nan, found.n, found.df)
    return found


def _linear(sample: Sample) -> Numbers:
    """Write a ratio of means as a mean: the ratio, and each person's part in its error (delta method)."""
    assert sample.below is not None
    weights = np.ones(len(sample)) if sample.chance is None else 1 / sample.chance
    under = float(weights @ sample.below)
    if not under:
        return np.full(len(sample), np.nan)
    ratio = float(weights @ sample.values) / under
    return ratio + (sample.values - ratio * sample.below) / (under / float(weights.sum()))
