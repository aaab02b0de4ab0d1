"""Shapley values of the conversion rate: what a channel adds to the rate of those who meet it beside others.

The worth of a coalition S of channels is a rate: the conversions over the journeys that hold no channel
outside S; 0 where there are no such journeys. A rate may fall where a channel joins, so a value may be
negative; a channel that few met may have a large one. That is the game, not a fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.attribution.chain import safe_divide
from sojourn.analytics.attribution.paths import Floats, Paths, summed
from sojourn.analytics.attribution.sets import distinct_channels, numbered, words_of
from sojourn.analytics.attribution.tallies import Credit, Gradient, Tally

MAX_EXACT = 24
"""Channels whose 2^n coalitions are gone through: 16.8 M, 134 MB a table."""
MAX_CHEAP = 10  # channels whose coalitions are gone through in a tenth of a millisecond
N_PERMUTATIONS = 1_000
"""Orders of arrival that are drawn where there are more channels, in pairs of one and its reverse."""


@dataclass(frozen=True, slots=True, eq=False)
class RateGame:
    """The game of rates with up to MAX_EXACT channels, made ready for some paths."""

    tallies: Sequence[Tally]
    coalitions: NDArray[np.int64]
    """Shape (n_sets,): the sets that occur, a bit a channel."""
    n_channels: int

    @property
    def is_dear(self) -> bool:
        """Whether 200 replicates would take longer than one waits."""
        return self.n_channels > MAX_CHEAP

    def credit(self, sums: Sequence[Floats]) -> Credit:
        """Go through all coalitions."""
        return self.credit_of(self.outputs(sums))

    def outputs(self, sums: Sequence[Floats]) -> Floats:
        """Return the Shapley values of the rate and of value a journey, and the two totals."""
        journeys = self._worths(sums[2])
        worth = (shapley_values(self._rates(each, journeys)) for each in sums[:2])
        return np.concatenate([*worth, [sums[0].sum(), sums[1].sum()]])

    def credit_of(self, outputs: Floats) -> Credit:
        """Share out in proportion to Shapley values."""
        phi, by_value = outputs[:-2].reshape(2, -1)
        return Credit(_scaled(phi, outputs[-2]), _scaled(by_value, outputs[-1]), phi=phi)

    def gradients(self, sums: Sequence[Floats]) -> Iterator[Gradient]:
        """Yield how each output changes with what the sets brought.

        One more journey of a set T changes the rate of each S that holds T; the weights that i gives S
        differ only by whether i is in S. So two sums over supersets serve all channels.
        """
        journeys = self._worths(sums[2])
        per_journey = safe_divide(np.ones_like(journeys), journeys)
        brought = self._slopes(per_journey.copy())
        for reward, each in enumerate(sums[:2]):
            came = self._slopes(-self._rates(each, journeys) * per_journey)
            for slope, drop in zip(brought, came, strict=True):
                yield [None, slope, drop] if reward else [slope, None, drop]
        ones = np.ones(len(self.coalitions))
        yield [ones, None, None]
        yield [None, ones, None]

    def _slopes(self, table: Floats) -> Floats:
        """Sum table(S), as i's value weighs it, over the S that hold T; shape (n_channels, n_sets)."""
        behind, weight = _weights(self.n_channels)
        without = sum_over_supersets(table * behind)[self.coalitions]
        table *= weight
        within = sum_over_supersets(table)
        return np.stack([within[self.coalitions | 1 << i] - without for i in range(self.n_channels)])

    def _rates(self, by_set: Floats, journeys: Floats) -> Floats:
        worths = self._worths(by_set)
        return np.divide(worths, journeys, out=worths, where=journeys > 0)

    def _worths(self, by_set: Floats) -> Floats:
        table = np.zeros(2**self.n_channels)
        table[self.coalitions] = by_set
        return sum_over_subsets(table)


@dataclass(frozen=True, slots=True, eq=False)
class SampledRateGame:
    """The game of rates with any number of channels, estimated from random orders of arrival.

    Castro, Gomez and Tejada 2009, "Polynomial calculation of the Shapley value based on sampling"; each
    order is drawn with its reverse (antithetic: Mitchell et al. 2022), and the standard error is that of
    the pairs.
    """

    tallies: Sequence[Tally]
    members: NDArray[np.int32]
    """The channels of each set, one set after the other."""
    begins: NDArray[np.int64]
    """Shape (n_sets,): where each set's channels begin in `members`."""
    n_channels: int
    n_permutations: int
    seed: int

    def credit(self, sums: Sequence[Floats]) -> Credit:
        """Let the channels arrive in many orders."""
        n, n_pairs = self.n_channels, max(self.n_permutations // 2, 2)
        random = np.random.default_rng(self.seed)
        # Channels are drawn by what they brought, not by name: renaming them changes nothing.
        players = self._players(sums)
        total, squares = np.zeros((2, n)), np.zeros((2, n))
        for _ in range(n_pairs):
            arrival = players[random.permutation(n)]
            pair = (self._marginals(arrival, sums) + self._marginals(arrival[::-1], sums)) / 2
            total += pair
            squares += pair**2
        mean = total / n_pairs
        error = np.sqrt(np.maximum(squares / n_pairs - mean**2, 0) / (n_pairs - 1))
        conversions = float(sums[0].sum())
        in_all = float(mean[0].sum())
        scale = conversions / in_all if in_all > 0 else 0.0
        return Credit(
            mean[0] * scale,
            _scaled(mean[1], sums[1].sum()),
            phi=mean[0],
            error=error[0] * scale,
        )

    def _players(self, sums: Sequence[Floats]) -> NDArray[np.int64]:
        lengths = np.diff(np.append(self.begins, len(self.members)))
        keys = [summed(self.members, np.repeat(each, lengths), self.n_channels) for each in sums]
        return np.lexsort(keys)

    def _marginals(self, arrival: NDArray[np.int64], sums: Sequence[Floats]) -> Floats:
        """Return what each channel adds to (rate, value a journey) when it arrives, shape (2, n_channels)."""
        n = self.n_channels
        place = np.empty(n, dtype=np.int64)
        place[arrival] = np.arange(n)
        # A set is complete when the last of its channels arrives.
        complete = np.maximum.reduceat(place[self.members], self.begins)
        conversions, value, journeys = (np.cumsum(summed(complete, each, n)) for each in sums)
        worth = np.stack([safe_divide(conversions, journeys), safe_divide(value, journeys)])
        marginals = np.empty((2, n))
        marginals[:, arrival] = np.diff(worth, prepend=0.0)
        return marginals


def rate_game(
    paths: Paths, *, n_permutations: int = N_PERMUTATIONS, seed: int = 0
) -> RateGame | SampledRateGame:
    """Make the game of rates ready: exact up to MAX_EXACT channels, sampled beyond."""
    chosen = np.flatnonzero((paths.journeys > 0) & (paths.lengths > 0)).astype(np.int32)
    words = words_of(paths)[:, chosen]
    feature, example = numbered(words)
    tallies = [
        Tally(measure, len(example), chosen, feature) for measure in ("conversions", "value", "journeys")
    ]
    if paths.n_channels <= MAX_EXACT:
        return RateGame(tallies, words[0, example], paths.n_channels)
    path, members = distinct_channels(paths, chosen[example])
    begins = np.flatnonzero(np.diff(path, prepend=-1))
    return SampledRateGame(tallies, members, begins, paths.n_channels, n_permutations, seed)


def sum_over_subsets(table: Floats) -> Floats:
    """Turn f into the sum of f over all subsets, in place: the zeta transform, O(n 2^n).

    Args:
        table: Shape (2^n,): f by set, a bit an element.
    """
    half = 1
    while half < len(table):
        halves = table.reshape(-1, 2, half)
        halves[:, 1] += halves[:, 0]
        half *= 2
    return table


def sum_over_supersets(table: Floats) -> Floats:
    """Turn f into the sum of f over all supersets, in place; see `sum_over_subsets`."""
    half = 1
    while half < len(table):
        halves = table.reshape(-1, 2, half)
        halves[:, 0] += halves[:, 1]
        half *= 2
    return table


def shapley_values(worth: Floats) -> Floats:
    """Return the Shapley value of each player, shape (n,), from the worth of each coalition, shape (2^n,).

    phi_i = sum over S without i of |S|! (n - |S| - 1)! / n! (v(S + i) - v(S)): the worths are weighed
    twice, as the coalition joined and as the one that is left, and added up by player. O(2^n); `worth` is
    written over.
    """
    n = len(worth).bit_length() - 1
    behind, weight = _weights(n)
    without = float(worth @ behind)
    worth *= weight
    phi = np.empty(n)
    for player in range(n - 1, -1, -1):
        lower, upper = worth.reshape(2, -1)
        phi[player] = upper.sum() - without
        worth = lower + upper
    return phi


def _weights(n: int) -> tuple[Floats, Floats]:
    """Weigh each S, shape (2^n,): as left behind by a player, and as that and completed by one together."""
    # s! (n - s - 1)! / n! for s from 0 to n - 1, one from the other.
    chances = [1 / max(n, 1)]
    for s in range(1, n):
        chances.append(chances[-1] * s / (n - s))
    behind, complete = np.array([*chances[:n], 0.0]), np.array([0.0, *chances[:n]])
    sizes = np.bitwise_count(np.arange(2**n, dtype=np.uint32))
    return behind[sizes], (behind + complete)[sizes]


def _scaled(phi: Floats, total: float) -> Floats:
    """Share a total in proportion to values, which add up to the rate of all."""
    in_all = float(phi.sum())
    return phi * (total / in_all) if in_all > 0 else np.zeros_like(phi)
