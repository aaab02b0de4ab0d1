"""Quantiles of very many durations in many groups, exactly, without sorting them.

A count of durations by group and rough size says in which size each quantile lies; only the few durations of
that size are put in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sojourn.analytics.chunks import in_chunks
from sojourn.analytics.ordering import stable_order

Counts = NDArray[np.int64]
Numbers = NDArray[np.float64]

_CELLS = 1 << 18  # counts that stay in a core's cache, 2 MB.
_MANTISSA = 23  # bits of a float32; so many more are not looked at, and sizes are powers of two.
_ONE = int(np.float32(1).view(np.int32))
_SHIFTS = (_MANTISSA - 3, _MANTISSA - 2, _MANTISSA - 1, _MANTISSA)
_KEY_BITS = 63  # of a signed integer that stays positive.
_ANY = 31  # all durations are of one size


class Sizes:
    """Rough sizes of durations: larger ones have no smaller size."""

    def __init__(self, longest: int, n_groups: int) -> None:
        """Take as many sizes as can be counted for so many groups."""
        self.n, self._shift = 1, _ANY
        for shift in reversed(_SHIFTS):
            n = (int(np.float32(longest + 1).view(np.int32)) - _ONE >> shift) + 1
            if n * n_groups <= _CELLS:
                self.n, self._shift = n, shift

    def of(self, durations: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the size of each; durations are at least 0."""
        sizes = (durations + 1).astype(np.float32).view(np.int32)
        sizes -= np.int32(_ONE)
        sizes >>= self._shift
        return sizes


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Where the quantiles of some groups lie, by sizes: what must be known of these is all that it takes."""

    counts: Counts
    """Shape (n_groups, n_sizes)."""
    shares: Sequence[float]
    wanted: NDArray[np.bool_]
    """Shape (n_groups, n_sizes): sizes that a quantile lies in."""

    @classmethod
    def of(cls, counts: Counts, shares: Sequence[float]) -> Ranked:
        """Find them."""
        wanted = np.zeros(counts.shape, dtype=np.bool_)
        ends = np.cumsum(counts, axis=1)
        some = np.flatnonzero(ends[:, -1])
        for share in shares:
            for rank in _ranks(ends[some, -1], share)[:2]:
                wanted[some, (ends[some] <= rank[:, None]).sum(axis=1)] = True
        return cls(counts, shares, wanted)

    def quantiles(self, cell: NDArray[np.int64], durations: NDArray[np.int64]) -> Numbers:
        """Return the quantiles as R's type 7 has them, shape (n_shares, n_groups); NaN of an empty group.

        Args:
            cell: Shape (n,): group * n_sizes + size of each duration that is wanted, and of no other.
            durations: Shape (n,).
        """
        ordered = _in_order(cell, durations)
        n_kept = np.where(self.wanted, self.counts, 0)
        # What of a group is not there and comes before a size, or what of others is there and comes before.
        shift = (np.cumsum(n_kept) - n_kept.ravel()).reshape(n_kept.shape)
        ends = np.cumsum(self.counts, axis=1)
        shift -= ends - self.counts
        some = np.flatnonzero(ends[:, -1])
        found = np.full((len(self.shares), len(ends)), np.nan)
        for row, share in zip(found, self.shares, strict=True):
            below, above, part = _ranks(ends[some, -1], share)
            low, high = (
                ordered[rank + shift[some, (ends[some] <= rank[:, None]).sum(axis=1)]]
                for rank in (below, above)
            )
            row[some] = _between(low, high, part)
        return found


def places_of(is_wanted: NDArray[np.bool_], cell: NDArray[Any]) -> NDArray[np.int64]:
    """Return the places of cells that are wanted, ascending."""
    found: dict[int, NDArray[np.int64]] = {}

    def look(part: slice) -> None:
        found[part.start] = np.flatnonzero(is_wanted[cell[part]]) + part.start

    in_chunks(look, len(cell))
    return np.concatenate([np.empty(0, dtype=np.int64), *(found[start] for start in sorted(found))])


def _in_order(cell: NDArray[np.int64], durations: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the durations of one cell after another, each one's ascending."""
    bits = int(durations.max(initial=0)).bit_length()
    if int(cell.max(initial=0)).bit_length() + bits > _KEY_BITS:
        return durations[stable_order(cell, stable_order(durations))]
    # NumPy sorts plain numbers several times faster than it finds an order.
    packed = (cell << bits) | durations
    packed.sort()
    packed &= (1 << bits) - 1
    return packed


def _ranks(n: Counts, share: float) -> tuple[Counts, Counts, Numbers]:
    """Return the ranks that a quantile of n values lies between, from 0, and how far from the first."""
    place = share * (n - 1)
    below = np.floor(place).astype(np.int64)
    return below, np.minimum(below + 1, n - 1), place - below


def _between(low: Counts, high: Counts, part: Numbers) -> Numbers:
    """Interpolate, from the nearer end, as NumPy does: so it is the same number to the last digit."""
    apart = (high - low).astype(np.float64)
    return np.where(part >= 0.5, high - apart * (1 - part), low + apart * part)
