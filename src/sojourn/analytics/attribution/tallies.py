"""Tallies: what a model counts over paths, before it makes credit of it.

Every model here is sums over journeys, and a function of the sums. So the bootstrap sums anew, with other
weights, and asks the same function.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.attribution.paths import Floats, Paths, summed

Measure = Literal["conversions", "value", "nulls", "journeys"]
MEASURES: tuple[Measure, ...] = get_args(Measure)


class Measures(NamedTuple):
    """What each path, or each row of a sample, brought: arrays of one shape."""

    conversions: Floats
    value: Floats
    nulls: Floats

    def of(self, measure: Measure) -> Floats:
        """Return one of them; `journeys` are conversions and nulls."""
        if measure == "journeys":
            return self.conversions + self.nulls
        each: Floats = getattr(self, measure)
        return each


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Sums of one measure by feature: `sum over entries of share x measure of the entry's path`."""

    measure: Measure
    n_features: int
    path: NDArray[np.int32]
    """Shape (n_entries,)."""
    feature: NDArray[np.int32]
    """Shape (n_entries,)."""
    share: Floats | None = None
    """Shape (n_entries,). None: 1 each."""

    def total(self, measures: Measures) -> Floats:
        """Sum up, shape (n_features,)."""
        weights = measures.of(self.measure).take(self.path)
        if self.share is not None:
            weights *= self.share
        return summed(self.feature, weights, self.n_features)


class Credit(NamedTuple):
    """What each channel is given. Arrays have the shape (n_channels,)."""

    conversions: Floats
    value: Floats
    removal_effect: Floats | None = None
    """The share of conversions that is lost where nobody passes the channel any more; of Markov models."""
    error: Floats | None = None
    """The standard error that sampling puts on `conversions`; None where nothing was sampled."""
    phi: Floats | None = None
    """The Shapley value before it is scaled to the conversions; of rate games."""
    positions: Floats | None = None
    """Shape (n_channels, n_positions): `conversions` by place in the path; of the ordered value."""


Gradient = Sequence[Floats | None]
"""How an output of a model changes with its sums: shape (n_features,) for each tally. None: not at all."""


class Model(Protocol):
    """One model, made ready for some paths."""

    @property
    def tallies(self) -> Sequence[Tally]:
        """What it needs to know of the paths."""

    def credit(self, sums: Sequence[Floats]) -> Credit:
        """Share out what the tallies' sums, in their order, say was brought."""


class Linearised(Model, Protocol):
    """A model that is too dear to be solved anew for each replicate of a bootstrap."""

    @property
    def is_dear(self) -> bool:
        """Whether it is, for these paths."""

    def outputs(self, sums: Sequence[Floats]) -> Floats:
        """Return the numbers between the sums and the credit, shape (n_outputs,)."""

    def gradients(self, sums: Sequence[Floats]) -> Iterator[Gradient]:
        """Yield the gradient of each output at the sums, in their order."""

    def credit_of(self, outputs: Floats) -> Credit:
        """Share out by the outputs."""


def measures_of(paths: Paths) -> Measures:
    """Return what the paths brought."""
    return Measures(paths.conversions, paths.value, paths.nulls)


def sums_of(model: Model, measures: Measures) -> list[Floats]:
    """Return the sums of a model's tallies."""
    return [tally.total(measures) for tally in model.tallies]


def evaluate(model: Model, measures: Measures) -> Credit:
    """Ask a model."""
    return model.credit(sums_of(model, measures))
