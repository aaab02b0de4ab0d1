"""Shapley values of conversions: closed forms where journeys with one set of channels are a coalition.

Zhao, Mahboobi and Bagheri 2018 ("Shapley value methods for attribution modeling in online advertising",
arXiv 1804.05327): with v(S) the conversions of journeys that hold no channel outside S, the conversions of
journeys with exactly the channels T are shared evenly among T. Journeys that did not convert play no part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sojourn.analytics.attribution.paths import Floats, Paths
from sojourn.analytics.attribution.sets import distinct_channels, meetings
from sojourn.analytics.attribution.tallies import Credit, Tally

N_POSITIONS = 10
"""Positions of the ordered value that are told apart: the last one is all later touches together."""


@dataclass(frozen=True, slots=True)
class SumGame:
    """The value of each channel in the game of sums, made ready for some paths."""

    tallies: Sequence[Tally]

    def credit(self, sums: Sequence[Floats]) -> Credit:
        """Hand the sums on: they are the credit."""
        return Credit(sums[0], sums[1])


@dataclass(frozen=True, slots=True)
class OrderedSumGame:
    """The value of each channel at each position, made ready for some paths."""

    tallies: Sequence[Tally]
    n_channels: int

    def credit(self, sums: Sequence[Floats]) -> Credit:
        """Add up over positions."""
        conversions, value = (table.reshape(self.n_channels, N_POSITIONS) for table in sums)
        return Credit(conversions.sum(axis=1), value.sum(axis=1), positions=conversions)


def sum_game(paths: Paths) -> SumGame:
    """Make the game of sums ready: phi_i = sum over T that hold i of R(T) / |T|."""
    path, channel = distinct_channels(paths, _converting(paths))
    share = 1 / np.bincount(path, minlength=len(paths))[path]
    return SumGame(
        [
            Tally("conversions", paths.n_channels, path, channel, share),
            Tally("value", paths.n_channels, path, channel, share),
        ]
    )


def ordered_sum_game(paths: Paths) -> OrderedSumGame:
    """Make its ordered form ready: what T gives a channel is shared among the places it has in the path."""
    n, met = max(paths.n_channels, 1), meetings(paths, _converting(paths))
    n_channels = np.bincount(met.path[met.first()], minlength=len(paths))[met.path]
    share = 1 / (n_channels * met.times())
    position = np.minimum(met.touch - paths.offsets[met.path], N_POSITIONS - 1)
    feature = (paths.codes[met.touch] * N_POSITIONS + position).astype(np.int32)
    size = n * N_POSITIONS
    return OrderedSumGame(
        [Tally(measure, size, met.path, feature, share) for measure in ("conversions", "value")], n
    )


def _converting(paths: Paths) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.flatnonzero((paths.conversions > 0) & (paths.lengths > 0)).astype(np.int32)
