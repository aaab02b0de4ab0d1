"""Comparing: one metric in one arm beside the control, from one number a person to an interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from sojourn.analytics.experiments.measuring import Measured
from sojourn.analytics.experiments.results import Compared, Decision, Segmented
from sojourn.analytics.experiments.rules import Rule, judged
from sojourn.analytics.experiments.samples import Sample, apart, foretold
from sojourn.analytics.experiments.units import Units
from sojourn.analytics.experiments.words import sentence
from sojourn.analytics.statistics.interval import Contrast, Interval
from sojourn.analytics.statistics.multiplicity import benjamini_hochberg
from sojourn.definitions.metrics import Metric

MIN_PEOPLE = 30  # of each arm; a mean of fewer is not near its normal law.
MIN_WITH_ANY = 10
"""People of two equal arms who did it at all (or did not): fewer say nothing, however many others. Of unequal
arms as many more as make five of the smaller one (Cochran, 1954)."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """The people of two arms and one metric. Arrays are (n_people,), in the order in which windows were
    over."""

    metric: Metric
    variant: str
    unit: NDArray[np.int64]
    """Whose, an index into the experiment's units."""
    sample: Sample
    is_treated: Mask
    over_at: NDArray[np.int64]
    waiting: int = 0
    notes: tuple[str, ...] = ()
    is_weighted: bool = False
    is_timed: bool = True
    """Whether their order is that of time; else there is one look."""

    def sides(self) -> tuple[Sample, Sample]:
        """Return (treated, control)."""
        return self.sample.some(self.is_treated), self.sample.some(~self.is_treated)

    def some(self, is_in: Mask) -> Pair:
        """Return the same of some people."""
        return Pair(
            self.metric,
            self.variant,
            self.unit[is_in],
            self.sample.some(is_in),
            self.is_treated[is_in],
            self.over_at[is_in],
            is_weighted=self.is_weighted,
        )

    def apart(self, *, relative: bool = False, theta: float, centre: float) -> Contrast:
        """Return how far apart the arms lie."""
        treated, control = self.sides()
        return apart(treated, control, theta=theta, centre=centre, relative=relative)


def pair_of(
    measured: Measured, units: Units, *, codes: tuple[int, int], can_be: Mask, is_weighted: bool
) -> Pair:
    """Take the people of two arms whose window is over.

    Args:
        measured: One metric of all units.
        units: The people of the experiment.
        codes: (of the arm, of the control).
        can_be: Shape (n_units,): who could have got either arm. Others have nobody to be compared with.
        is_weighted: Whether each is weighted by the chance of their arm.
    """
    is_of = np.isin(units.arm, codes) & can_be
    some = np.flatnonzero(is_of & measured.is_over)
    over_at = units.at[some] + measured.window_ms
    order = np.argsort(over_at, kind="stable")
    some = some[order]
    parts = (measured.below, measured.covariate, units.own_chance if is_weighted else None)
    return Pair(
        measured.metric,
        units.arms[codes[0]],
        some,
        Sample(measured.values[some], *(None if each is None else each[some] for each in parts)),
        units.arm[some] == codes[0],
        over_at[order],
        waiting=int((is_of & ~measured.is_over).sum()),
        notes=measured.notes,
        is_weighted=is_weighted,
    )


def compared(pair: Pair, rule: Rule) -> Compared:
    """Compare, before what else was asked is known: q and the decision are `decided`'s."""
    theta, centre = foretold(*pair.sides())

    def seen(n: int, *, relative: bool = False) -> Contrast:
        first = np.arange(len(pair.over_at)) < n
        return pair.some(first).apart(theta=theta, centre=centre, relative=relative)

    n, looks = judged(rule, pair.over_at.tolist(), seen) if pair.is_timed else (len(pair.over_at), [])
    if rule.method == "planned-looks" and looks:
        last = looks[-1]
        effect = _planned_effect(seen(n), last.low, last.high, last.p)
        half = (last.high - last.low) / 2 / max(effect.standard_error, 1e-300)
        relative = _scaled(seen(n, relative=True), half)
    elif rule.method == "planned-looks":
        effect = relative = Contrast(float("nan"), float("nan"), 0).open()
    else:
        effect, relative = rule.interval(seen(n)), rule.interval(seen(n, relative=True))
    if looks and rule.method == "always-valid":
        effect = replace(effect, p=min(effect.p, looks[-1].p))
    treated, control = pair.some(np.arange(len(pair.over_at)) < n).sides()
    raw = apart(treated, control).variance
    kept = seen(n).variance / raw if theta and raw > 0 else 1.0
    return Compared(
        metric=pair.metric.name,
        kind=pair.metric.kind,
        variant=pair.variant,
        people=(len(treated), len(control)),
        waiting=pair.waiting,
        means=(treated.raw().mean, control.raw().mean),
        effect=effect,
        relative=relative,
        q=effect.p,
        decision="no difference shown yet",
        says="",
        is_up_good=pair.metric.is_up_good,
        theta=theta,
        variance_kept=kept,
        effective_people=_effective(treated, control),
        looks=looks,
        notes=list(pair.notes),
        segments=[],
    )


def decided(
    drafts: Sequence[Compared], pairs: Sequence[Pair], *, alpha: float, stop: Decision | None
) -> list[Compared]:
    """Decide, all comparisons of a report together: what is called clear is so after correction.

    Args:
        drafts: As `compared` made them.
        pairs: They were made from.
        alpha: The share of false claims among those made.
        stop: Why nothing may be read at all.
    """
    q = benjamini_hochberg([each.effect.p for each in drafts])
    out = []
    for draft, pair, corrected in zip(drafts, pairs, q.tolist(), strict=True):
        decision = stop or _decision(draft, pair, corrected, alpha)
        done = replace(draft, q=corrected, decision=decision)
        out.append(replace(done, says=sentence(done)))
    return out


def with_segments(one: Compared, segments: list[Segmented]) -> Compared:
    """Add what segments show."""
    return replace(one, segments=segments)


def has_enough(pair: Pair) -> bool:
    """Whether there are people enough for the normal law to be near."""
    treated, control = pair.sides()
    smaller = min(len(treated), len(control))
    if smaller < MIN_PEOPLE:
        return False
    x = pair.sample.values
    _, counts = np.unique(x, return_counts=True)
    n_other = len(x) - int(counts.max())  # than what most have: of a time, those who never did it
    n_rare = min(n_other, int(np.count_nonzero(x)))
    # In a small arm they are few of few: where chance alone may leave none, its variance is not known.
    return n_rare * min(1.0, 2 * smaller / len(x)) >= MIN_WITH_ANY


def _decision(draft: Compared, pair: Pair, q: float, alpha: float) -> Decision:
    if not has_enough(pair) or not math.isfinite(draft.effect.low):
        return "too few people yet"
    if q > alpha or not draft.effect.is_clear:
        return "no difference shown yet"
    return "better" if (draft.effect.estimate > 0) is pair.metric.is_up_good else "worse"


def _planned_effect(difference: Contrast, low: float, high: float, p: float) -> Interval:
    if not difference.is_known:
        return difference.open()
    return Interval(difference.estimate, low, high, difference.variance**0.5, p)


def _scaled(difference: Contrast, half: float) -> Interval:
    """Put bounds at as many standard errors as the difference's own has."""
    if not difference.is_known:
        return difference.open()
    return difference.within(half * difference.variance**0.5, p=1.0)


def _effective(treated: Sample, control: Sample) -> float | None:
    both = treated.effective + control.effective
    return both if math.isfinite(both) else None
