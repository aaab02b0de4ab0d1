"""Resampling: how far a number might be off, had other people come by: the bootstrap, by person.

People are drawn with replacement, and every model is asked again (Efron 1979). Where they are many, they
are first dealt at random into groups of equal size and the groups are drawn, each with all its people
(random groups: Wolter, Introduction to Variance Estimation, ch. 2): the sums are as uncertain either way,
and the work is that of a few thousand groups. Aggregated paths do not say who walked them: then each
journey is a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.attribution.chain import safe_divide
from sojourn.analytics.attribution.paths import Floats, Paths, Sample, summed
from sojourn.analytics.attribution.tallies import (
    MEASURES,
    Credit,
    Linearised,
    Measures,
    Model,
    Tally,
    evaluate,
    measures_of,
    sums_of,
)

MAX_GROUPS = 4_096
"""Of people; up to so many people, each is drawn alone."""
MAX_JOURNEYS = 4_000_000
"""Of aggregated paths, taken one by one; of more, a row's count is drawn as a whole (Poisson)."""
MAX_FEATURES = 2_048  # of a model whose sums are kept for each group
MAX_CELLS = 2**25  # of the outputs of each row, 268 MB
CHUNK = 250_000  # rows that are worked on at once

Unit = Literal["person", "journey"]
Method = Literal["solved again", "linearised"]


class Replicates(NamedTuple):
    """What a model says of each replicate. Arrays have the shape (n_replicates, n_channels)."""

    conversions: Floats
    value: Floats
    removal_effect: Floats | None
    method: Method


@dataclass(frozen=True, slots=True, eq=False)
class Deal:
    """Rows of journeys, and which are drawn together. Arrays have the shape (n_rows,)."""

    path: NDArray[np.int32]
    measures: Measures
    group: NDArray[np.int32]
    n_groups: int
    unit: Unit
    n_units: int
    is_counted: bool = False
    """Each row is a group of its own, and how many journeys it holds is drawn."""


def deal(sample: Sample, seed: int) -> Deal:
    """Deal a sample into groups."""
    random = np.random.default_rng([seed, 0])
    if sample.person is not None:
        measures = Measures(sample.conversions, sample.value, sample.nulls)
        n_people = int(sample.person.max(initial=-1)) + 1
        group, n_groups = _groups(n_people, random)
        return Deal(sample.path, measures, group[sample.person], n_groups, "person", n_people)
    # What converts and what does not are drawn apart: they are journeys of different people.
    n_rows = len(sample.path)
    count = np.concatenate([sample.conversions, sample.nulls])
    n_journeys = float(count.sum())
    is_counted = n_journeys > MAX_JOURNEYS or bool((count % 1).any())
    place = np.flatnonzero(count) if is_counted else np.repeat(np.arange(len(count)), count.astype(np.int64))
    count = count[place] if is_counted else np.ones(len(place))
    row, is_conversion = place % n_rows, place < n_rows
    worth = safe_divide(sample.value, sample.conversions)
    conversions = count * is_conversion
    measures = Measures(conversions, worth[row] * conversions, count - conversions)
    if is_counted:
        group, n_groups = np.arange(len(row), dtype=np.int32), len(row)
    else:
        group, n_groups = _groups(len(row), random)
    return Deal(sample.path[row], measures, group, n_groups, "journey", round(n_journeys), is_counted)


def interval(replicates: Floats, level: float) -> tuple[Floats, Floats]:
    """Return the percentile interval of each column."""
    tail = (1 - level) / 2
    low, high = np.quantile(replicates, [tail, 1 - tail], axis=0, method="weibull")
    return low, high


class Draws:
    """How often each group is drawn in each replicate. The same seed draws the same, whatever model asks."""

    def __init__(self, dealt: Deal, n_replicates: int, seed: int) -> None:
        self.dealt, self.n_replicates, self.seed = dealt, n_replicates, seed
        self.weights: Floats | None = None
        if not dealt.is_counted:
            random, n = np.random.default_rng([seed, 1]), dealt.n_groups
            drawn = random.integers(0, max(n, 1), (n_replicates, n)) + np.arange(n_replicates)[:, None] * n
            self.weights = (
                np.bincount(drawn.ravel(), minlength=n_replicates * n)
                .reshape(n_replicates, n)
                .astype(np.float64)
            )

    def replicate(self, paths: Paths, model: Model) -> Replicates | None:
        """Ask a model what it would say of other people; None where that would take too much memory."""
        if sum(tally.n_features for tally in model.tallies) <= MAX_FEATURES:
            drawn = [self.sums(tally, len(paths)) for tally in model.tallies]
            return _stack(
                [model.credit([each[i] for each in drawn]) for i in range(self.n_replicates)], "solved again"
            )
        if not getattr(model, "is_dear", False):
            return _stack(
                [evaluate(model, measures) for measures in self.measures(len(paths))], "solved again"
            )
        linearised: Linearised = model  # type: ignore[assignment]  # it says so itself
        sums = sums_of(model, measures_of(paths))
        outputs = linearised.outputs(sums)
        if self.dealt.n_groups * len(outputs) > MAX_CELLS:
            return None
        by_group = _slopes_by_group(paths, self.dealt, linearised, sums)
        changes = self.totals(by_group) - by_group.sum(axis=0)
        return _stack([linearised.credit_of(outputs + change) for change in changes], "linearised")

    def sums(self, tally: Tally, n_paths: int) -> Floats:
        """Sum up a tally in each replicate, shape (n_replicates, n_features)."""
        entries = _Entries(tally, n_paths)
        if self.weights is not None:
            return self.weights @ entries.by_group(
                self.dealt, slice(0, len(self.dealt.path)), self.dealt.n_groups
            )
        sums = np.zeros((self.n_replicates, tally.n_features))
        for rows, weights in self._counted():
            sums += weights @ entries.by_group(self.dealt, rows, rows.stop - rows.start)
        return sums * self._scale()[:, None]

    def totals(self, by_group: Floats) -> Floats:
        """Sum up what groups, shape (n_groups, n), bring in each replicate, shape (n_replicates, n)."""
        if self.weights is not None:
            return self.weights @ by_group
        sums = np.zeros((self.n_replicates, by_group.shape[1]))
        for rows, weights in self._counted():
            sums += weights @ by_group[rows]
        return sums * self._scale()[:, None]

    def measures(self, n_paths: int) -> Iterator[Measures]:
        """Yield what each path brings in each replicate."""
        dealt, scale = self.dealt, self._scale()
        for i in range(self.n_replicates):
            if self.weights is not None:
                weight = self.weights[i][dealt.group]
            else:
                weight = np.concatenate([weights[i] for _, weights in self._counted()])
            weight = weight * scale[i]
            yield Measures(*(summed(dealt.path, weight * each, n_paths) for each in dealt.measures))

    def _counted(self) -> Iterator[tuple[slice, Floats]]:
        """Yield weights of some rows, shape (n_replicates, n_rows): a count drawn, over the count it was."""
        counts = self.dealt.measures.of("journeys")
        for begin in range(0, len(counts), MAX_GROUPS):
            rows = slice(begin, min(begin + MAX_GROUPS, len(counts)))
            random = np.random.default_rng([self.seed, 1, begin])
            drawn = random.poisson(counts[rows], (self.n_replicates, rows.stop - rows.start))
            yield rows, drawn / counts[rows]

    def _scale(self) -> Floats:
        """Return what makes each replicate as large as the sample, where counts were drawn one by one."""
        if self.weights is not None:
            return np.ones(self.n_replicates)
        counts = self.dealt.measures.of("journeys")
        drawn = np.zeros(self.n_replicates)
        for rows, weights in self._counted():
            drawn += weights @ counts[rows]
        scale: Floats = counts.sum() / np.maximum(drawn, 1e-300)
        return scale


class _Entries:
    """A tally's entries by path."""

    def __init__(self, tally: Tally, n_paths: int) -> None:
        self.tally = tally
        self.n_each = np.bincount(tally.path, minlength=n_paths)
        self.order = None if (np.diff(tally.path) >= 0).all() else np.argsort(tally.path, kind="stable")
        self.begins = np.cumsum(self.n_each) - self.n_each

    def by_group(self, dealt: Deal, rows: slice, n_groups: int) -> Floats:
        """Sum up by group, shape (n_groups, n_features), groups counted from the first row's."""
        n = self.tally.n_features
        table = np.zeros(n_groups * n)
        measure = dealt.measures.of(self.tally.measure)
        base = rows.start if dealt.is_counted else 0
        chosen = np.arange(rows.start, rows.stop)
        chosen = chosen[(measure[rows] != 0) & (self.n_each[dealt.path[rows]] > 0)]
        for begin in range(0, len(chosen), CHUNK):
            part = chosen[begin : begin + CHUNK]
            n_each = self.n_each[dealt.path[part]]
            ends = np.cumsum(n_each)
            entry = np.arange(ends[-1]) + np.repeat(self.begins[dealt.path[part]] - ends + n_each, n_each)
            if self.order is not None:
                entry = self.order[entry]
            place = (
                np.repeat((dealt.group[part] - base).astype(np.int64) * n, n_each) + self.tally.feature[entry]
            )
            weight = np.repeat(measure[part], n_each)
            if self.tally.share is not None:
                weight = weight * self.tally.share[entry]
            table += summed(place, weight, len(table))
        return table.reshape(n_groups, n)


def _slopes_by_group(paths: Paths, dealt: Deal, model: Linearised, sums: Sequence[Floats]) -> Floats:
    """Return what each group adds to each output, to first order, shape (n_groups, n_outputs)."""
    by_group: list[Floats] = []
    for slopes in model.gradients(sums):
        row = np.zeros(len(dealt.path))
        for measure in MEASURES:
            by_path = np.zeros(len(paths))
            for tally, slope in zip(model.tallies, slopes, strict=True):
                if slope is not None and tally.measure == measure:
                    share = (
                        slope[tally.feature] if tally.share is None else slope[tally.feature] * tally.share
                    )
                    by_path += summed(tally.path, share, len(paths))
            if by_path.any():
                row += by_path[dealt.path] * dealt.measures.of(measure)
        by_group.append(summed(dealt.group, row, dealt.n_groups))
    return np.stack(by_group, axis=1)


def _stack(credits_: Sequence[Credit], method: Method) -> Replicates:
    effects = [each.removal_effect for each in credits_ if each.removal_effect is not None]
    return Replicates(
        np.stack([each.conversions for each in credits_]),
        np.stack([each.value for each in credits_]),
        np.stack(effects) if effects else None,
        method,
    )


def _groups(n_units: int, random: np.random.Generator) -> tuple[NDArray[np.int32], int]:
    """Deal units into groups of equal size (but for one unit), each its own where they are few."""
    if n_units <= MAX_GROUPS:
        return np.arange(n_units, dtype=np.int32), n_units
    group = (np.arange(n_units) % MAX_GROUPS).astype(np.int32)
    return random.permutation(group), MAX_GROUPS
