"""Effects: how those who got it differ from those who were kept back, and how sure that is."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sojourn.analytics.statistics.cuped import adjusted
from sojourn.analytics.statistics.fixed import welch
from sojourn.analytics.statistics.interval import Interval, contrast
from sojourn.analytics.statistics.moments import Moments, joint_of, moments_of
from sojourn.analytics.statistics.sequential import confidence_sequence

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Looks = Literal["once", "any"]


class Effect(Struct, frozen=True, kw_only=True):
    """What it changes to get it, per person; None: it cannot be told."""

    estimate: float | None
    low: float | None
    high: float | None
    standard_error: float | None
    p: float
    """Of "it changes nothing"."""
    mean_met: float | None
    """Of those who got it, as it was: what was known before is not taken out."""
    mean_held: float | None
    """Of those who were kept back."""
    variance_kept: float | None
    """How much of the variance is left once what was known before is taken out, 0 to 1."""

    def times(self, n: float) -> Total:
        """Scale it to so many people."""
        return Total(
            estimate=None if self.estimate is None else self.estimate * n,
            low=None if self.low is None else self.low * n,
            high=None if self.high is None else self.high * n,
        )


class Total(Struct, frozen=True, kw_only=True):
    """An effect of all people together; None: it cannot be told."""

    estimate: float | None
    low: float | None
    high: float | None


def effect_of(outcome: Floats, is_held: Flags, known: Floats | None, *, alpha: float, looks: Looks) -> Effect:
    """Compare those who got it with those who were kept back.

    Args:
        outcome: Shape (n_people,).
        is_held: Shape (n_people,).
        known: What was known of each before, shape (n_people, n_known): it makes the interval narrower and
            moves nothing. None: nothing.
        alpha: How often the interval may be wrong.
        looks: `once`: the interval of a single look (Welch); `any`: it holds at every look.
    """
    raw = (moments_of(outcome[~is_held]), moments_of(outcome[is_held]))
    met, held = raw
    if known is not None and min(met.n, held.n) > known.shape[1] + 1:
        index = foretold(outcome, known)
        met, held, _ = adjusted(*(joint_of(outcome[each], index[each]) for each in (~is_held, is_held)))
    compare = welch if looks == "once" else confidence_sequence
    return _told(compare(met, held, alpha), raw, _variance_kept(raw, (met, held)))


def foretold(outcome: Floats, known: Floats) -> Floats:
    """Fit the outcome to what was known before, over both arms; shape (n_people,).

    One number in place of several: CUPED takes one covariate, and the best linear one is this.
    """
    centred = known - known.mean(axis=0)
    scale = centred.std(axis=0)
    centred = centred[:, scale > 0] / scale[scale > 0]
    weights, *_ = np.linalg.lstsq(centred, outcome - outcome.mean(), rcond=None)
    fitted: Floats = centred @ weights
    return fitted


def _told(found: Interval, raw: tuple[Moments, Moments], kept: float) -> Effect:
    return Effect(
        estimate=_finite(found.estimate),
        low=_finite(found.low),
        high=_finite(found.high),
        standard_error=_finite(found.standard_error),
        p=found.p,
        mean_met=_finite(raw[0].mean),
        mean_held=_finite(raw[1].mean),
        variance_kept=_finite(kept),
    )


def _variance_kept(raw: tuple[Moments, Moments], after: tuple[Moments, Moments]) -> float:
    before = contrast(*raw).variance
    return contrast(*after).variance / before if before > 0 else math.nan


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
